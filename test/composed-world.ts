/**
 * The plugin as its configuration composes it: real operations, engine, journals, audit log and agents (the demo agent), on fakes of the
 * host alone. The clock is moved by hand; agents live in real time.
 */
import { mkdir, mkdtemp, readFile, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compose } from "../src/compose.ts";
import { parseConfig, type PluginConfig } from "../src/config.ts";
import type { Caller } from "../src/core/caller.ts";
import type { Session } from "../src/core/session.ts";
import type { Context } from "../src/operations/context.ts";
import type { OperationName } from "../src/operations/operation.ts";
import { operations } from "../src/operations/table.ts";
import { DEMO_AGENT } from "./agent/demo-world.ts";
import { PERSON } from "./engine/world.ts";
import { FakeChildTasks } from "./fakes/fake-child-tasks.ts";
import { FakeClock } from "./fakes/fake-clock.ts";
import { FakeDelivery } from "./fakes/fake-delivery.ts";
import { FakeFlowStore } from "./fakes/fake-flow-store.ts";

type Raw = Readonly<Record<string, unknown>>;

const WITHIN_MS = 20_000;
const STEP_MS = 10;
const SILENT_POLLS = 60;

export class ComposedWorld implements AsyncDisposable {
  readonly clock = new FakeClock(Date.now());
  readonly delivery = new FakeDelivery();
  readonly log: string[] = [];
  readonly folder: string;
  readonly me: Caller;
  flows = new FakeFlowStore(this.clock.now);
  #config: PluginConfig;
  #context: Context;

  private constructor(folder: string, raw: Raw) {
    this.folder = folder;
    this.me = { ...PERSON, workspaceDir: join(folder, "workspace") };
    this.#config = this.#parsed(raw);
    this.#context = this.#compose();
  }

  static async start(raw: Raw = {}): Promise<ComposedWorld> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "iflow-composed-")));
    for (const name of ["workspace", "state", "elsewhere"]) await mkdir(join(folder, name));
    const world = new ComposedWorld(folder, raw);
    await world.#context.sessions.roster.start();
    return world;
  }

  /** Absent parts of `agent` are the demo agent's. */
  #parsed(raw: Raw): PluginConfig {
    const { agent = {}, ...rest } = raw as { agent?: Raw };
    const env = { DEMO_AGENT_HOME: join(this.folder, "agent"), ...(agent["env"] as Raw | undefined) };
    const parsed = parseConfig({ ...rest, agent: { command: DEMO_AGENT, ...agent, env } }, this.folder);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.config;
  }

  #compose(): Context {
    const note = (message: string): void => void this.log.push(message);
    const { flows, delivery, clock, folder } = this;
    const children = new FakeChildTasks(flows.ledger);
    const parts = { flows, children, delivery, clock, stateDir: join(folder, "state") };
    const env = { PATH: process.env["PATH"], HOME: folder };
    return compose({ ...parts, env, log: { info: note, warn: note, error: note } }, () => this.#config);
  }

  /** A long time goes by, and the machine does not sleep. */
  pass(ms: number): Promise<void> {
    return this.clock.pass(ms, () => this.#context.sessions.roster.engine.clock.now());
  }

  get context(): Context {
    return this.#context;
  }

  /** An edit of the configuration, as the host hands it over. */
  edit(raw: Raw): void {
    this.#config = this.#parsed(raw);
  }

  async restart(): Promise<void> {
    await this.#stop();
    this.flows = new FakeFlowStore(this.clock.now, this.flows.ledger);
    this.#context = this.#compose();
    await this.#run(this.#context.sessions.roster.start());
  }

  /** What the call shows, or why it was refused. */
  async call(
    name: OperationName,
    params: Raw = {},
    caller: Caller = this.me,
  ): Promise<{ readonly text: string; readonly json: Raw }> {
    const door = operations(() => this.#context).find((one) => one.name === name);
    const answered = await this.#run(door?.invoke(caller, params) ?? Promise.reject(new Error(`no operation ${name}`)));
    // Tests name the fields that they expect.
    return answered.ok
      ? { text: answered.reply.text, json: answered.reply.json as Raw }
      : { text: answered.message, json: { refused: answered.code } };
  }

  async launch(script: string | readonly string[], params: Raw = {}, caller: Caller = this.me): Promise<string> {
    const prompt = typeof script === "string" ? script : script.join("\n");
    const { json, text } = await this.call("launch", { prompt, ...params }, caller);
    if (typeof json["id"] !== "string") throw new Error(text);
    return json["id"];
  }

  session(id: string): Session {
    const found = this.#context.sessions.roster.sessions().find((session) => session.id === id);
    if (found === undefined) throw new Error(`no session ${id}`);
    return found;
  }

  /** Resolves with what `find` gives, when it gives something; time goes on meanwhile. */
  async until<T>(find: () => T | undefined | Promise<T | undefined>): Promise<T> {
    for (let waited = 0; waited < WITHIN_MS; waited += STEP_MS) {
      const found = await find();
      if (found !== undefined) return found;
      await sleep(STEP_MS);
      await this.clock.advance(STEP_MS);
    }
    throw new Error(`not so within ${WITHIN_MS} ms\n${this.log.join("\n")}`);
  }

  async untilPhase(id: string, kind: Session["phase"]["kind"]): Promise<Session> {
    return this.until(() => {
      const session = this.session(id);
      if (session.phase.kind === "ended" && kind !== "ended") throw new Error(`ended: ${session.phase.cause?.message}`);
      return session.phase.kind === kind ? session : undefined;
    });
  }

  /** Ended, told, and its process gone: nothing is left to do. */
  async untilOver(id: string): Promise<void> {
    const isOver = ({ phase, owed, agent }: Session): boolean =>
      phase.kind === "ended" && owed.length === 0 && agent === undefined;
    await this.until(() => (isOver(this.session(id)) ? true : undefined));
  }

  /** The agent has said all that it says by itself: each late frame of its start is a sign of life. */
  async untilSilent(id: string): Promise<void> {
    let [chunks, polls] = [-1, 0];
    await this.until(() => {
      const now = this.session(id).counters.chunks;
      polls = now === chunks ? polls + 1 : 0;
      chunks = now;
      return polls > SILENT_POLLS ? true : undefined;
    });
  }

  /** A notice, wherever it went. */
  async untilTold(words: RegExp): Promise<string> {
    return this.until(() => this.delivery.texts().find((text) => words.test(text)));
  }

  async output(id: string): Promise<string> {
    return String((await this.call("output", { session: id, full: true })).json["output"]);
  }

  async journal(id: string): Promise<string> {
    const folder = join(this.folder, "state", "iflow-plugin", "sessions", id);
    const files = await readdir(folder).catch(() => []);
    return (await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")))).join("");
  }

  async #run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => void (settled = true);
    promise.then(mark, mark);
    while (!settled) {
      await Promise.race([promise.then(mark, mark), sleep(STEP_MS)]);
      if (!settled) await this.clock.advance(STEP_MS);
    }
    return promise;
  }

  async #stop(): Promise<void> {
    await this.#run(this.#context.sessions.roster.stop());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  }
}
