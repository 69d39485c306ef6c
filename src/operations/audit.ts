/**
 * The audit log: one line for every launch, answer, kill and denial, with who, from where and the outcome.
 * Owns: one JSONL file (mode 0600), redacted and cut. It never stops an operation: a line that can't be written is reported.
 */
import { constants } from "node:fs";
import { mkdir, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Caller } from "../core/caller.ts";
import { messageOf, type Result } from "../core/errors.ts";
import { cutText } from "../core/output.ts";
import { redactSecrets } from "../core/redact.ts";
import { redactValue } from "../core/redact-value.ts";
import { formatRoute } from "../core/route.ts";
import type { AuditFact } from "../core/event.ts";
import type { Session } from "../core/session.ts";
import type { AuditTrail, Clock, Log } from "../ports.ts";
import { openRegular } from "../regular-file.ts";
import type { OperationName, Reply } from "./operation.ts";

const MAX_FILE_BYTES = 8 * 1024 * 1024;
const TEXT_LENGTH = 300;
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
const QUIET: ReadonlySet<OperationName> = new Set(["output", "sessions", "stats"]);

interface Entry extends Pick<Caller, "door" | "owner" | "route" | "senderId"> {
  readonly operation: OperationName;
  readonly person: boolean;
  readonly params: Readonly<Record<string, unknown>>;
  readonly outcome: string;
}

export class Audit implements AuditTrail {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string, clock: Clock, log: Log) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
  }

  get file(): string {
    return this.#file;
  }

  /** Reading is logged only when it was refused. Resolves when the line is written, or could not be. */
  record(
    operation: OperationName,
    caller: Caller,
    params: Readonly<Record<string, unknown>>,
    result: Result<Pick<Reply, "json">>,
  ): Promise<void> {
    if (result.ok && QUIET.has(operation)) return this.#writing;
    const outcome = result.ok ? "ok" : result.refusal.code;
    const rest = result.ok ? idsOf(result.value) : { message: shown(result.refusal.message) };
    return this.#append({ operation, ...caller, person: caller.isPerson, params, outcome }, rest);
  }

  happened({ id, owner, route }: Session, { operation, door, outcome, params }: AuditFact): void {
    const chat = route === undefined ? {} : { route };
    void this.#append({ operation, door, owner, ...chat, person: false, params, outcome }, { id });
  }

  #append(entry: Entry, rest: Readonly<Record<string, unknown>>): Promise<void> {
    const { operation, door, owner, route, senderId, person, params, outcome } = entry;
    const line = {
      at: this.#clock.now(),
      operation,
      door,
      sessionKey: owner.sessionKey,
      ...(route === undefined ? {} : { chat: formatRoute(route) }),
      ...(senderId === undefined ? {} : { senderId }),
      person,
      params: Object.fromEntries(Object.entries(params).map(([key, value]) => [key, shown(value)])),
      outcome,
      ...rest,
    };
    this.#writing = this.#writing.then(() => this.#write(`${JSON.stringify(line)}\n`));
    return this.#writing;
  }

  async #write(text: string): Promise<void> {
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      const size = await stat(this.#file).then(
        (s) => s.size,
        () => 0,
      );
      if (size > MAX_FILE_BYTES) await rename(this.#file, `${this.#file}.1`);
      await using file = await openRegular(this.#file, APPEND, 0o600);
      await file.appendFile(text);
    } catch (error) {
      this.#log.error(`iFlow: the audit log could not be written: ${messageOf(error)}`);
    }
  }
}

function shown(value: unknown): unknown {
  if (typeof value === "string") return cutText(redactSecrets(value), TEXT_LENGTH);
  if (typeof value === "number" || typeof value === "boolean") return value;
  return cutText(JSON.stringify(redactValue(value, redactSecrets)) ?? "", TEXT_LENGTH);
}

/** Which session, or which of them for a verb that takes several. */
function idsOf({ json }: Pick<Reply, "json">): Readonly<Record<string, unknown>> {
  if ("id" in json) return { id: json["id"] };
  if (!("sessions" in json) || !Array.isArray(json["sessions"])) return {};
  return { ids: json["sessions"].map((session: { readonly id: string }) => session.id) };
}
