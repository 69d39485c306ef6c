/**
 * The nine operations over the engine on fakes, with a real workspace and a real audit log in a temporary folder.
 * Owns: how a test calls an operation, as raw parameters or as typed words. Does not own: the engine's world (test/engine/world.ts).
 */
import { mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseConfig } from "../../src/config.ts";
import type { Caller } from "../../src/core/caller.ts";
import { Audit } from "../../src/operations/audit.ts";
import type { Context } from "../../src/operations/context.ts";
import type { Answered, OperationDoor, OperationName } from "../../src/operations/operation.ts";
import { operations } from "../../src/operations/table.ts";
import { Workdirs } from "../../src/operations/workdir.ts";
import { PERSON, World, type WorldOptions } from "../engine/world.ts";

/** Milliseconds, about, that the disk is given before the clock moves on. */
const DISK_ROUNDS = 20;

export type Params = Readonly<Record<string, unknown>>;
type AuditLine = Readonly<Record<string, unknown>>;

export class OperationsWorld implements AsyncDisposable {
  readonly world: World;
  readonly workspace: string;
  readonly auditFile: string;
  readonly me: Caller;
  readonly context: Context;
  readonly #folder: string;
  readonly doors: readonly OperationDoor[];

  private constructor(world: World, folder: string, config: Params) {
    const parsed = parseConfig({ permissionMode: "manual", ...config }, folder);
    if (!parsed.ok) throw new Error(parsed.message);
    this.world = world;
    this.#folder = folder;
    this.workspace = join(folder, "workspace");
    this.auditFile = join(folder, "plugin", "audit.jsonl");
    this.me = { ...PERSON, workspaceDir: this.workspace };
    const note = (message: string): void => void world.log.push(message);
    this.context = {
      sessions: world.sessions,
      config: parsed.config,
      workdirs: new Workdirs({
        defaultWorkdir: parsed.config.defaultWorkdir,
        allowedWorkdirs: parsed.config.allowedWorkdirs,
        stateDir: join(folder, "state"),
      }),
      audit: new Audit(this.auditFile, world.clock, { info: note, warn: note, error: note }),
      agentOf: () => undefined,
      agentReady: async () => ({ ok: true }),
    };
    world.trail = this.context.audit;
    this.doors = operations(() => this.context);
  }

  static async create(config: Params = {}, options: WorldOptions = {}): Promise<OperationsWorld> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "iflow-operations-")));
    for (const name of ["workspace", "state"]) await mkdir(join(folder, name));
    return new OperationsWorld(await World.start(options), folder, config);
  }

  door(name: OperationName): OperationDoor {
    const found = this.doors.find((door) => door.name === name);
    if (found === undefined) throw new Error(`no operation ${name}`);
    return found;
  }

  async call(name: OperationName, params: unknown = {}, caller: Caller = this.me): Promise<Answered> {
    let answered: Answered | undefined;
    const answering = this.door(name)
      .invoke(caller, params)
      .then((answer) => (answered = answer));
    // The disk is real and may be slow: the clock of the engine is moved only while nothing else can be waited for.
    for (let round = 1; answered === undefined; round += 1) {
      await Promise.race([answering, sleep(1)]);
      if (round % DISK_ROUNDS === 0 && answered === undefined) await this.world.clock.advance(100);
    }
    return answering;
  }

  /** The JSON of a call that must be taken. */
  async json<Json = Readonly<Record<string, unknown>>>(
    name: OperationName,
    params: Params = {},
    caller: Caller = this.me,
  ): Promise<Json> {
    const answered = await this.call(name, params, caller);
    if (!answered.ok) throw new Error(`${name}: ${answered.message}`);
    // The test states which shape it expects, and compares it.
    return answered.reply.json as Json;
  }

  /** `taken`, or the code of the refusal. */
  async verdict(name: OperationName, params: unknown, caller: Caller = this.me): Promise<string> {
    const answered = await this.call(name, params, caller);
    return answered.ok ? "taken" : answered.code;
  }

  async launch(prompt: string, more: Params = {}): Promise<{ readonly id: string; readonly flowId: string }> {
    return this.json("launch", { prompt, ...more });
  }

  async audit(): Promise<readonly AuditLine[]> {
    const text = await readFile(this.auditFile, "utf8").catch(() => "");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as AuditLine);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
