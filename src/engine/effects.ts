/**
 * Effects carried out, after the commit. What they lead to comes back to the mailbox as an event.
 * Owns: the agent's run, the order of child-task calls (one chain a session), the prompt's line before the prompt (I8).
 */
import type { AgentEvent } from "../core/agent-event.ts";
import { endsUntold } from "../core/background.ts";
import { messageOf, type Result } from "../core/errors.ts";
import type { Effect, Taken, Untimed } from "../core/event.ts";
import { disallowedTools, WIRE_MODE } from "../core/permission.ts";
import type { Message, ProcessIdentity, Session, StoredText } from "../core/session.ts";
import type { JournalLine, OpenedSession, OpenSession, PromptBlock } from "../ports.ts";
import type { Admission } from "./admission.ts";
import { AgentRun, causeOf } from "./agent-run.ts";
import { atMost } from "./at-most.ts";
import type { Engine } from "./context.ts";
import { earlierWords } from "./earlier-words.ts";
import type { JournalKeeper } from "./journal-keeper.ts";
import { wholeOnes } from "./carried-over.ts";
import {
  AGAIN_PREFACE,
  answersPreface,
  fileBlocks,
  historyPreface,
  maskedPreface,
  systemPreface,
  undonePreface,
} from "./prompt.ts";

/** The mailbox, as far as effects need it. */
interface Mailbox {
  readonly session: Session;
  post(event: Untimed): Promise<Result<Taken> | undefined>;
  hear(batch: readonly AgentEvent[]): void;
  endFlow(): void;
}

/** A ledger that is slower holds up no prompt. */
const CHILD_WITHIN_MS = 1_000;

export class Effects {
  readonly #engine: Engine;
  readonly #admission: Admission;
  readonly #keeper: JournalKeeper;
  readonly #flowId: string;
  readonly #mailbox: Mailbox;
  /** One chain a kind of thing: records, prompts and child calls each keep their order without holding up the mailbox. */
  #childChain: Promise<void> = Promise.resolve();
  #agentChain: Promise<void> = Promise.resolve();
  #run: AgentRun | undefined;
  /** How the present process got its ACP session: decides what the first prompt is prefaced with. */
  #opened: OpenedSession["history"] | undefined;

  constructor(engine: Engine, admission: Admission, keeper: JournalKeeper, flowId: string, mailbox: Mailbox) {
    this.#engine = engine;
    this.#admission = admission;
    this.#keeper = keeper;
    this.#flowId = flowId;
    this.#mailbox = mailbox;
  }

  carryOut(effects: readonly Effect[], session: Session): void {
    for (const effect of effects) this.#carryOut(effect, session);
  }

  /** Resolves when no effect is under way. */
  async settled(): Promise<void> {
    const chains = [this.#childChain, this.#agentChain];
    await Promise.all(chains);
    if (chains[0] !== this.#childChain || chains[1] !== this.#agentChain) await this.settled();
  }

  #carryOut(effect: Effect, session: Session): void {
    const { clock, children } = this.#engine;
    switch (effect.do) {
      case "request-slot":
        this.#requestSlot(session, effect.ahead);
        return;
      case "release-slot":
        this.#run = undefined;
        this.#admission.release(session.id);
        return;
      case "start-agent":
        this.#start(session);
        return;
      case "send-prompt":
        this.#sendPrompt(session, effect.turn, effect.message, this.#childChain);
        return;
      case "reply":
        this.#onAgent(async () => {
          const sent = this.#run?.reply(effect.requestId, effect.reply);
          if (sent === "sent") return;
          // Closed meanwhile, or the reply does not fit it: then the agent must not wait for another for ever.
          const closed = this.#run?.reply(effect.requestId, { kind: "cancelled" }) !== "sent";
          const why = closed ? "was closed before its reply" : "could not take its reply and was cancelled";
          this.#engine.log.warn(`iFlow session ${session.name}: request ${effect.requestId} of the agent ${why}`);
        });
        return;
      case "cancel-turn":
        this.#onAgent(async () => this.#run?.cancelTurn());
        return;
      case "stop-agent":
        this.#stop(session);
        return;
      case "look-behind":
        this.#lookBehind();
        return;
      case "start-child":
        this.#onChild(() => this.#startChild(session, effect.child));
        return;
      case "activate-child":
        this.#onChild(async () => children.activate(this.#runId(effect.runId), clock.now()));
        return;
      case "tool-progress":
        this.#onChild(async () => children.tool(this.#runId(effect.runId), effect.name));
        return;
      case "end-child":
        this.#onChild(() =>
          children.end(session.owner, this.#runId(effect.runId), effect.outcome, clock.now(), effect.error),
        );
        return;
      case "end-flow-cancelled":
        this.#onChild(async () => this.#mailbox.endFlow());
        return;
      case "audit":
        this.#engine.audit.happened(session, effect.fact);
        return;
      case "record-question":
        this.#record({ t: "question", at: clock.now(), id: effect.id, text: effect.text });
        return;
      case "record-answer":
        this.#record({
          t: "answer",
          at: clock.now(),
          id: effect.id,
          text: effect.text,
          by: `${effect.by.kind}/${effect.by.door}`,
        });
        return;
    }
  }

  #record(line: JournalLine): void {
    this.#onAgent(() => this.#keeper.append([line]));
  }

  /** In line since it began to wait, also after a restart. */
  #requestSlot(session: Session, ahead: boolean): void {
    const { phase } = session;
    const sinceAt = phase.kind === "queued" ? phase.sinceAt : this.#engine.clock.now();
    this.#admission.request(session.id, { ahead, sinceAt }, () => void this.#mailbox.post({ type: "slot-granted" }));
  }

  #onChild(run: () => Promise<void>): void {
    this.#childChain = this.#childChain
      .then(run)
      .catch((error: unknown) => this.#engine.log.warn(`iFlow: a child task call failed: ${messageOf(error)}`));
  }

  #onAgent(run: () => Promise<void>): void {
    this.#agentChain = this.#agentChain
      .then(run)
      .catch((error: unknown) => this.#engine.log.warn(`iFlow: a call to the agent failed: ${messageOf(error)}`));
  }

  #runId(placeholder: string): string {
    return placeholder.replace("<flow>", this.#flowId);
  }

  async #startChild(
    session: Session,
    child: { runId: string; as: "running" | "queued"; label: string },
  ): Promise<void> {
    const started = await this.#engine.children.start(session.owner, {
      flowId: this.#flowId,
      runId: this.#runId(child.runId),
      label: child.label,
      as: child.as,
      atMs: this.#engine.clock.now(),
    });
    // A flow that takes no child is ending; a host that takes none has said so when it started.
    if (!started.ok && started.refusedBy === "now")
      this.#engine.log.warn(
        `iFlow session ${session.name}: no child task (${started.reason}); its flow alone is shown`,
      );
  }

  #start(session: Session): void {
    const mailbox = this.#mailbox;
    const run = new AgentRun({
      started: (identity: ProcessIdentity | undefined) => void mailbox.post({ type: "agent-started", identity }),
      ready: (opened) => {
        this.#opened = opened.history;
        void mailbox.post({ type: "agent-ready", acpSessionId: opened.acpSessionId, history: opened.history });
      },
      startFailed: (cause) => void mailbox.post({ type: "start-failed", cause }),
      heard: (events) => mailbox.hear(events),
    });
    this.#run = run;
    this.#onAgent(async () => {
      try {
        const open = await this.#openSession(session);
        // What an earlier life of this session may have left must not write beside the new process.
        await this.#engine.launcher.reap(session.id, undefined);
        run.begin(this.#engine.launcher, { sessionId: session.id, workdir: session.workdir }, open);
      } catch (error) {
        void mailbox.post({ type: "start-failed", cause: causeOf(error) });
      }
    });
  }

  async #openSession(session: Session): Promise<OpenSession> {
    const { settings, acpSessionId } = session;
    const systemPrompt = settings.systemPrompt === undefined ? undefined : await this.#whole(settings.systemPrompt);
    return {
      mode: WIRE_MODE[settings.permissionMode],
      disallowedTools: disallowedTools(settings),
      systemPrompt,
      maxTurns: settings.maxTurns,
      model: settings.model,
      load: acpSessionId,
    };
  }

  /** Throws where the journal can't give it: a text that was cut is never sent for the whole. */
  async #whole(stored: StoredText): Promise<string> {
    if (stored.key === undefined) return stored.text;
    const whole = await this.#keeper.text(stored.key);
    if (whole === undefined) throw new Error("the whole of a long text is not in the journal");
    return whole;
  }

  /** First the turn's child task: one that comes after a short turn finds its flow ended, and no view would ever show the turn. */
  #sendPrompt(session: Session, turn: number, message: Message, child: Promise<void>): void {
    this.#onAgent(async () => {
      await atMost(this.#engine.clock, CHILD_WITHIN_MS, child);
      await this.#prompt(session, turn, message);
    });
  }

  /** The prompt's line is on the disk before the prompt leaves: after a crash, no line means that it never left (I8). */
  async #prompt(session: Session, turn: number, message: Message): Promise<void> {
    // Stopped while this waited for its turn on the chain: nothing is begun any more.
    const now = this.#mailbox.session;
    if (now.phase.kind !== "working" || now.turn !== turn) return;
    let blocks: readonly PromptBlock[];
    try {
      const text = await this.#whole(message.text);
      const preface = [...(await this.#preface(session, message)), ...maskedPreface(text)];
      blocks = [...preface, { type: "text", text }, ...fileBlocks(message.files ?? [])];
      await this.#keeper.appendOrThrow([
        { t: "prompt", at: this.#engine.clock.now(), turn, messageId: message.id, text },
      ]);
    } catch (error) {
      const cause = {
        code: "storage" as const,
        message: `The prompt was not sent, since the journal could not be used: ${messageOf(error)}`,
      };
      void this.#mailbox.post({ type: "prompt-failed", turn, cause });
      return;
    }
    const left = await this.#mailbox.post({ type: "prompt-left", turn });
    if (left?.ok !== true) return;
    this.#opened = undefined;
    // Not waited for: an agent that does not read must not hold up the stop behind it.
    void this.#run?.prompt(turn, blocks).catch((error: unknown) => {
      // A process that is gone says so itself as well, with the reason: its exit ends the turn.
      this.#engine.log.warn(`iFlow session ${session.name}: its prompt could not be sent: ${messageOf(error)}`);
    });
  }

  /**
   * A fresh start of an older session gets a summary; after a load the system prompt, which iFlow loses, comes again;
   * answers and messages that the last process may not have taken in come again as well.
   */
  async #preface(session: Session, message: Message): Promise<readonly PromptBlock[]> {
    const lost = [
      ...answersPreface(session.unconfirmed),
      ...(this.#opened === undefined ? [] : await this.#undonePreface(session)),
      ...(message.again === true ? [AGAIN_PREFACE] : []),
    ];
    const { systemPrompt } = session.settings;
    if (this.#opened === "loaded" && systemPrompt !== undefined)
      return [...systemPreface(await this.#whole(systemPrompt)), ...lost];
    const hadHistory = session.counters.turns > 1 || session.continues !== undefined;
    const isFresh = this.#opened !== undefined && this.#opened !== "loaded";
    const earlier =
      isFresh && hadHistory ? await earlierWords(session, this.#keeper.reader, this.#engine.journals) : undefined;
    return [...(earlier === undefined ? [] : historyPreface(earlier)), ...lost];
  }

  async #undonePreface({ undone = [] }: Session): Promise<readonly PromptBlock[]> {
    return undonePreface(await wholeOnes(undone, (key) => this.#keeper.text(key)));
  }

  #lookBehind(): void {
    this.#onAgent(async () => {
      const commands = (await this.#run?.background()) ?? [];
      void this.#mailbox.post({ type: "looked-behind", commands });
    });
  }

  #stop(session: Session): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#onAgent(async () => {
      const commands = endsUntold(session) ? await run.background() : [];
      const left = await run.stop();
      if (commands.length > 0) void this.#mailbox.post({ type: "background-ended", commands });
      if (left.length > 0)
        this.#engine.log.error(`iFlow session ${session.name}: could not end process ${left.join(", ")}`);
    });
  }
}
