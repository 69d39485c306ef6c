/**
 * Foreground: a chat that follows a session sees exactly what it has not seen, then what comes, as it comes.
 * Owns: the debounce with a longest wait, and what each chat has seen (absolute offsets; kept in the session), piece by piece.
 */
import { openBlock, splitForChannel, type ChannelText } from "../core/stream.ts";
import { isInterrupted } from "../core/last-words.ts";
import type { Session, Viewer } from "../core/session.ts";
import { redactSecrets } from "../core/redact.ts";
import { redactInPlace } from "../core/redact-value.ts";
import type { OutputSlice } from "../ports.ts";
import type { Engine } from "./context.ts";
import type { Governor } from "./governor.ts";
import { outputFrom } from "./said-so-far.ts";
import type { SessionActor } from "./session-actor.ts";

const QUIET_MS = 1_200;
const LONGEST_WAIT_MS = 4_000;
/** How much of what a chat has seen is looked at for a code block that was still open there. */
const LOOK_BACK = 32_768;

const UNFINISHED_WORD = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}_]{1,40}$/u;
/** A line that goes on longer is shown as it is. */
const LONGEST_LINE = 16_384;

interface Pending {
  readonly firstAt: number;
  cancel: () => void;
}

export class Follow {
  readonly #engine: Engine;
  readonly #governor: Governor;
  readonly #pending = new Map<string, Pending>();
  readonly #sending = new Map<string, Promise<void>>();
  /** Up to where a chat that is being sent to has been handed the words, by the ids above. */
  readonly #handed = new Map<string, number>();
  #closed = false;

  constructor(engine: Engine, governor: Governor) {
    this.#engine = engine;
    this.#governor = governor;
  }

  /** New words or a new viewer: whoever follows gets them soon, at the latest after the longest wait. */
  changed(actor: SessionActor): void {
    const { session } = actor;
    for (const viewer of session.viewers) {
      if (viewer.mode !== "live" || viewer.seen >= session.output.end || this.#closed) continue;
      const id = idOf(session, viewer.key);
      const now = this.#engine.clock.now();
      const before = this.#pending.get(id);
      before?.cancel();
      const firstAt = before?.firstAt ?? now;
      const waitMs =
        session.phase.kind === "working" ? Math.max(0, Math.min(QUIET_MS, firstAt + LONGEST_WAIT_MS - now)) : 0;
      const cancel = this.#engine.clock.after(waitMs, () => this.#send(id, actor, viewer.key));
      this.#pending.set(id, { firstAt, cancel });
    }
  }

  /** Up to where this chat has its words, or gets them with the piece that is on its way; 0 where none is. */
  handedTo(session: Session, key: string): number {
    return this.#handed.get(idOf(session, key)) ?? 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { cancel } of this.#pending.values()) cancel();
    await Promise.all(this.#sending.values());
  }

  #send(id: string, actor: SessionActor, key: string): void {
    this.#pending.delete(id);
    if (this.#sending.has(id)) return;
    const sending = this.#deliver(actor, key)
      // The journal can't be read now: the words are caught up with later.
      .catch(() => "nothing" as const)
      .then((sent) => {
        this.#sending.delete(id);
        this.#handed.delete(id);
        if (sent === "something") this.changed(actor);
        if (sent === "nothing") this.#tryLater(id, actor, key);
      });
    this.#sending.set(id, sending);
  }

  /** The words are said, and nowhere to be read yet. */
  #tryLater(id: string, actor: SessionActor, key: string): void {
    if (this.#closed || this.#pending.has(id)) return;
    const cancel = this.#engine.clock.after(LONGEST_WAIT_MS, () => this.#send(id, actor, key));
    this.#pending.set(id, { firstAt: this.#engine.clock.now(), cancel });
  }

  /** `over`: the session has left memory meanwhile and marks nothing any more; going on would say the same words again. */
  async #deliver(actor: SessionActor, key: string): Promise<"something" | "nothing" | "over"> {
    const viewer = actor.session.viewers.find((v) => v.key === key && v.mode === "live");
    if (viewer === undefined || this.#closed) return "something";
    const slice = this.#finished(actor, await outputFrom(actor.session, actor.journal, viewer.seen));
    if (slice.end <= viewer.seen) return "nothing";
    for (const [index, { text, end }] of (await this.#pieces(actor, viewer, slice)).entries()) {
      // A reply to this chat has shown it meanwhile.
      if (actor.session.viewers.some((v) => v.key === key && v.seen >= end)) continue;
      this.#handed.set(idOf(actor.session, key), end);
      const handover = await this.#governor.stream(message(actor, viewer, `o${end}.${index + 1}`, text));
      // What the chat did not get counts as not seen: it is caught up with later.
      if (this.#closed && handover.kind === "refused") return "something";
      await actor.post({ type: "shown", key, seen: end });
    }
    await actor.post({ type: "shown", key, seen: slice.end });
    const isMarked = !actor.session.viewers.some((v) => v.key === key && v.seen < slice.end);
    return isMarked ? "something" : "over";
  }

  /** What is sent, each with the offset up to which it says the output. */
  async #pieces(actor: SessionActor, viewer: Viewer, slice: OutputSlice): Promise<readonly ChannelText[]> {
    const words = slice.text.trim();
    if (words === "") return [];
    const block = await this.#openBlock(actor, viewer.seen);
    const limit = this.#engine.delivery.limit(viewer.route) - headOf(actor).length;
    const shown = this.#engine.rules.safeMode ? redactInPlace(block + words, redactSecrets) : block + words;
    const startAt = slice.start + slice.text.indexOf(words) - block.length;
    return splitForChannel(shown, limit).map(({ text, end }) => ({ text, end: startAt + end }));
  }

  /** A word waits until it is finished, so that none is broken. In safe mode a line waits until it is finished: half of a secret would not be seen for one. */
  #finished({ session }: SessionActor, slice: OutputSlice): OutputSlice {
    const { phase } = session;
    if (phase.kind !== "working") return slice;
    if (!this.#engine.rules.safeMode) {
      // Who has said nothing for a while goes on with no word.
      const goesOn = !isInterrupted(session) && this.#engine.clock.now() - phase.lastSignAt < LONGEST_WAIT_MS;
      const [word = ""] = (goesOn && UNFINISHED_WORD.exec(slice.text)) || [];
      return { ...slice, text: slice.text.slice(0, slice.text.length - word.length), end: slice.end - word.length };
    }
    const length = slice.text.lastIndexOf("\n") + 1;
    if (slice.text.length - length > LONGEST_LINE) return slice;
    return { ...slice, text: slice.text.slice(0, length), end: slice.start + length };
  }

  /** A code block that the last piece had to close is begun again in the next. */
  async #openBlock({ journal }: SessionActor, seen: number): Promise<string> {
    if (seen === 0) return "";
    const before = await journal.output(Math.max(0, seen - LOOK_BACK), seen);
    return openBlock(before.text);
  }
}

function idOf(session: Session, key: string): string {
  return `${session.id}/${key}`;
}

function headOf(actor: SessionActor): string {
  return `▍${actor.session.name}\n`;
}

function message(actor: SessionActor, viewer: Viewer, part: string, text: string) {
  const { session } = actor;
  const owner = viewer.sessionKey === undefined ? session.owner : { sessionKey: viewer.sessionKey };
  return { intentId: `iflow:${session.id}:${part}`, owner, route: viewer.route, text: headOf(actor) + text };
}
