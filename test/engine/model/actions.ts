/**
 * Everything that can happen to the plugin, as commands of the model: verbs of people and agents, other writers, the host's
 * housekeeping, faults of every port, kills at any call, stops, and time.
 * Owns: the list and its weights. Each prints as it would be said.
 */
import fc from "fast-check";
import { IflowError } from "../../../src/core/errors.ts";
import type { StoreCall, StoreFault } from "../../fakes/fake-flow-store.ts";
import { ANSWER_COUNT, SCRIPT_COUNT, type Play } from "./play.ts";

/** The world is its own model: after each command its invariants are looked at. */
export type Facts = Record<string, never>;
export type Command = fc.AsyncCommand<Facts, Play>;
export type AfterEach = (play: Play) => void;

class Action implements Command {
  readonly #name: string;
  readonly #act: (play: Play) => Promise<void> | void;
  readonly #after: AfterEach;

  constructor(name: string, act: (play: Play) => Promise<void> | void, after: AfterEach) {
    this.#name = name;
    this.#act = act;
    this.#after = after;
  }

  check(): boolean {
    return true;
  }

  async run(_facts: Facts, play: Play): Promise<void> {
    await this.#act(play);
    this.#after(play);
  }

  toString(): string {
    return this.#name;
  }
}

const which = fc.nat({ max: 5 });
const script = fc.nat({ max: SCRIPT_COUNT - 1 });
const caller = fc.nat({ max: 2 });
const soonMs = fc.constantFrom(50, 400, 900, 3_000, 12_000);

const storeFault: fc.Arbitrary<StoreFault> = fc.oneof(
  fc.constant<StoreFault>({ kind: "not-stored" }),
  fc.boolean().map((written): StoreFault => ({ kind: "unknown", written })),
  fc.constant<StoreFault>({ kind: "gone" }),
);
const storeCall = fc.constantFrom<StoreCall>("create", "get", "list", "change", "change", "change", "cancel");

const MOST_COMMANDS = 32;

type Make = (name: string, act: (play: Play) => Promise<void> | void) => Command;
type Weighted = { readonly weight: number; readonly arbitrary: fc.Arbitrary<Command> };

/** A life begins with a launch: without one there is nothing to go wrong. */
export function commands(after: AfterEach): fc.Arbitrary<readonly Command[]> {
  const make: Make = (name, act) => new Action(name, act, after);
  const all = [...verbs(make), ...time(make), ...writers(make), ...faults(make), ...ends(make)];
  const any = fc.oneof(...all);
  return fc
    .tuple(launch(make), fc.array(any, { minLength: MOST_COMMANDS / 4, maxLength: MOST_COMMANDS, size: "max" }))
    .map(([first, others]) => [first, ...others]);
}

function launch(make: Make): fc.Arbitrary<Command> {
  return fc
    .tuple(script, fc.nat({ max: 3 }), caller, fc.boolean())
    .map(([s, mode, who, once]) =>
      make(`launch(${s}, mode ${mode}, caller ${who}${once ? ", once" : ""})`, (play) =>
        play.launch(s, mode, who, once),
      ),
    );
}

function verbs(make: Make): readonly Weighted[] {
  return [
    { weight: 6, arbitrary: launch(make) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(which, script, caller, fc.boolean())
        .map(([w, s, who, interrupt]) =>
          make(`respond(${w}, ${s}, caller ${who}${interrupt ? ", interrupt" : ""})`, (play) =>
            play.respond(w, s, who, interrupt),
          ),
        ),
    },
    {
      weight: 6,
      arbitrary: fc
        .tuple(which, fc.nat({ max: ANSWER_COUNT - 1 }), fc.nat({ max: 2 }), caller)
        .map(([w, a, part, who]) =>
          make(`answer(${w}, ${a}, part ${part}, caller ${who})`, (play) => play.answer(w, a, part, who)),
        ),
    },
    {
      weight: 2,
      arbitrary: which.map((w) =>
        make(`kill(${w})`, (play) =>
          onSession(play, w, (id) => play.begin(() => play.world.sessions.kill(operator(play), id))),
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: caller.map((who) =>
        make(`killAll(${who})`, (play) => play.begin(() => play.world.sessions.killAll(play.caller(who)))),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(which, script).map(([w, s]) =>
        make(`fork(${w}, ${s})`, async (play) => {
          await play.awake();
          const session = play.session(w);
          if (session !== undefined)
            await play.begin(() => play.world.sessions.fork(play.caller(0), session, play.nextWords(s)));
        }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(which, fc.boolean())
        .map(([w, on]) =>
          make(`${on ? "fg" : "bg"}(${w})`, (play) =>
            onSession(play, w, (id) =>
              play.begin(() =>
                on
                  ? play.world.sessions.foreground(operator(play), id, 20)
                  : play.world.sessions.background(operator(play), id),
              ),
            ),
          ),
        ),
    },
  ];
}

async function onSession(play: Play, index: number, act: (id: string) => Promise<void>): Promise<void> {
  await play.awake();
  const session = play.session(index);
  if (session !== undefined) await act(session.id);
}

const operator = (play: Play) => ({ ...play.caller(0), seesAll: true });

function time(make: Make): readonly Weighted[] {
  const HOUR_MS = 3_600_000;
  return [
    {
      weight: 10,
      arbitrary: fc
        .constantFrom(0, 100, 800, 2_500, 20_000)
        .map((ms) => make(`advance(${ms})`, (play) => play.world.clock.advance(ms))),
    },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(-HOUR_MS, HOUR_MS, 26 * HOUR_MS)
        .map((ms) => make(`jump(${ms})`, (play) => play.world.clock.jump(ms))),
    },
    { weight: 1, arbitrary: fc.constant(0).map(() => make("host sweeps", (play) => play.world.flows.ledger.sweep())) },
    { weight: 1, arbitrary: fc.constant(0).map(() => make("children beat", (play) => play.world.children.beat())) },
  ];
}

function writers(make: Make): readonly Weighted[] {
  const hand = (name: string, act: (play: Play, flowId: string) => void): Weighted => ({
    weight: 1,
    arbitrary: which.map((w) =>
      make(`${name}(${w})`, (play) => {
        const flow = play.flow(w);
        if (flow === undefined) return;
        play.foreignWrites += 1;
        act(play, flow.flowId);
      }),
    ),
  });
  const writer = (play: Play) => play.world.flows.otherWriter;
  return [
    hand("touch", (play, flowId) => writer(play).touch(flowId)),
    hand("resume with words", (play, flowId) => writer(play).resume(flowId, { currentStep: play.nextWords(0) })),
    hand("resume with a choice", (play, flowId) =>
      writer(play).resume(flowId, { currentStep: "1", status: "running" }),
    ),
    hand("resume with a state", (play, flowId) =>
      writer(play).resume(flowId, { stateJson: { respond: play.nextWords(0) } }),
    ),
    hand("resume plainly", (play, flowId) => writer(play).resume(flowId)),
    hand("set waiting", (play, flowId) => writer(play).setWaiting(flowId, { waitJson: { for: "me" } })),
    hand(
      "replace the state",
      (play, flowId) => void play.world.flows.ledger.patch(flowId, undefined, undefined, { stateJson: { mine: true } }),
    ),
    hand("finish", (play, flowId) => writer(play).finish(flowId)),
    hand("fail", (play, flowId) => writer(play).fail(flowId)),
    hand("cancel", (play, flowId) => writer(play).cancelFlow(flowId, play.world.clock.now())),
    hand("request the end", (play, flowId) => writer(play).requestCancel(flowId, play.world.clock.now())),
    hand("cancel a child", (play, flowId) =>
      writer(play).cancelChild(play.world.flows.ledger.activeChildren(flowId)[0]?.runId ?? ""),
    ),
  ];
}

function faults(make: Make): readonly Weighted[] {
  return [
    {
      weight: 4,
      arbitrary: fc
        .tuple(storeCall, storeFault, fc.integer({ min: 1, max: 3 }))
        .map(([on, fault, times]) =>
          make(`ledger: ${on} fails ${times} times, ${JSON.stringify(fault)}`, (play) =>
            play.world.flows.fail({ on }, fault, times),
          ),
        ),
    },
    {
      weight: 2,
      arbitrary: which.map((w) =>
        make(`somebody slips in before the next store (${w})`, (play) => {
          const flow = play.flow(w);
          if (flow === undefined) return;
          play.foreignWrites += 1;
          play.world.flows.before({ on: "change", flowId: flow.flowId }, () =>
            play.world.flows.otherWriter.touch(flow.flowId),
          );
        }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom("change", "get", "list", "create"), soonMs)
        .map(([on, ms]) => make(`ledger: ${on} takes ${ms} ms`, (play) => play.delayStore(on, ms))),
    },
    { weight: 1, arbitrary: soonMs.map((ms) => make(`journal is slow for ${ms} ms`, (play) => play.delayJournal(ms))) },
    { weight: 1, arbitrary: soonMs.map((ms) => make(`journal fails for ${ms} ms`, (play) => play.breakJournal(ms))) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom("send", "wake"), soonMs)
        .map(([on, ms]) => make(`${on} takes ${ms} ms`, (play) => play.delayDelivery(on, ms))),
    },
    {
      weight: 1,
      arbitrary: fc
        .constant(0)
        .map(() =>
          make("a send is refused", (play) => play.world.delivery.fail("send", { kind: "refused", reason: "blocked" })),
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .constant(0)
        .map(() =>
          make(
            "the host refuses children",
            (play) => void (play.world.children.refuse = { ok: false, refusedBy: "now", reason: "busy" }),
          ),
        ),
    },
    { weight: 2, arbitrary: soonMs.map((ms) => make(`agents take ${ms} ms to open`, (play) => play.delayAgent(ms))) },
    {
      weight: 1,
      arbitrary: fc.boolean().map((start) =>
        make(`the next agent does not ${start ? "start" : "open"}`, (play) => {
          const failure = new IflowError(start ? "agent_missing" : "agent_handshake_timeout", "It does not come up.");
          if (start) play.world.agent.failStart = failure;
          else play.world.agent.failOpen = failure;
        }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(which, fc.constantFrom("1", "SIGKILL")).map(([w, how]) =>
        make(`agent ${w} dies (${how})`, async (play) => {
          const { live } = play.world.agent;
          live[w % Math.max(1, live.length)]?.crash(how);
          await play.world.clock.advance(0);
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: which.map((w) =>
        make(`iFlow forgets acp-${w + 1}`, (play) => play.world.agent.forget(`acp-${w + 1}`)),
      ),
    },
  ];
}

function ends(make: Make): readonly Weighted[] {
  return [
    {
      weight: 3,
      arbitrary: fc.constant(0).map(() =>
        make("kill -9", async (play) => {
          play.world.life.die();
          await play.awake();
        }),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom("before", "after")).map(([atCall, when]) =>
        make(`kill -9, and again ${when} call ${atCall}`, async (play) => {
          play.world.life.die();
          await play.awake({ atCall, when });
        }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.constant(0).map(() =>
        make("stop and start", async (play) => {
          await play.awake();
          await play.world.restart();
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .constant(0)
        .map(() => make("children are settled by a signal", (play) => play.world.roster.settleChildren("SIGUSR2"))),
    },
    {
      weight: 1,
      arbitrary: fc.constant(0).map(() => make("the gateway is spared", (play) => play.world.roster.spared())),
    },
  ];
}
