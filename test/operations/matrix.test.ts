/**
 * [K1] The authority matrix, made from the table of operations: each of them through each door as the host calls it, by each kind of
 * caller. The doors are the real ones; only who the host says is calling is made up here.
 */
import { describe, expect, test } from "vitest";
import type { HostFacts } from "../../src/host/caller.ts";
import { registerCommands } from "../../src/host/register-commands.ts";
import { registerGatewayMethods } from "../../src/host/register-gateway.ts";
import { registerTools } from "../../src/host/register-tools.ts";
import type { OperationName } from "../../src/operations/operation.ts";
import { operations as table } from "../../src/operations/table.ts";
import { apiDouble } from "../host/api-double.ts";
import { OperationsWorld, type Params } from "./operations-world.ts";

const TABLE = table(() => undefined);

/** The same call on somebody's session, as parameters and as typed words. A new operation does not compile without one. */
const CALLS: Readonly<Record<OperationName, { readonly params: Params; readonly args: string }>> = {
  sessions: { params: {}, args: "" },
  stats: { params: {}, args: "" },
  output: { params: { session: "mine" }, args: "mine" },
  fg: { params: { session: "mine" }, args: "mine" },
  bg: { params: { session: "mine" }, args: "mine" },
  respond: { params: { session: "mine", message: "say: more" }, args: "mine say: more" },
  resume: { params: { session: "mine", fork: true, prompt: "say: fork" }, args: "--fork mine say: fork" },
  launch: { params: { prompt: "say: on", resume_session_id: "mine" }, args: "" },
  kill: { params: { session: "mine" }, args: "mine" },
};

const MINE = "agent:main:telegram:direct:42";
const OTHERS = "agent:main:telegram:direct:99";

interface Somebody {
  readonly who: string;
  readonly sessionKey: string;
  readonly senderId: string;
  readonly isOwner: boolean;
  readonly isAuthorized: boolean;
}

const people = {
  owner: { who: "the session that launched", sessionKey: MINE, senderId: "42", isOwner: false, isAuthorized: true },
  other: { who: "another session", sessionKey: OTHERS, senderId: "99", isOwner: false, isAuthorized: true },
  stranger: { who: "an unauthorised sender", sessionKey: MINE, senderId: "13", isOwner: false, isAuthorized: false },
  operator: { who: "an operator", sessionKey: OTHERS, senderId: "7", isOwner: false, isAuthorized: true },
  hostOwner: { who: "the host's owner", sessionKey: OTHERS, senderId: "77", isOwner: true, isAuthorized: true },
} as const satisfies Readonly<Record<string, Somebody>>;

const host: HostFacts = {
  mainOwner: () => ({ sessionKey: "agent:main:main", agentId: "main" }),
  workspaceDir: () => undefined,
  isOwner: async ({ senderId }) => senderId === people.hostOwner.senderId,
};

type Ask = (name: OperationName, somebody: Somebody) => Promise<string>;

/** The three doors of one world, on what they registered with the host. */
function doorsOf(world: OperationsWorld): Readonly<Record<"tool" | "command" | "rpc", Ask>> {
  const { api, registered } = apiDouble();
  const ask = (name: OperationName, caller: OperationsWorld["me"], params: unknown) =>
    world.call(name, params, { ...caller, workspaceDir: world.workspace });
  registerTools(api, TABLE, ask, host);
  registerCommands(api, TABLE, ask, host);
  registerGatewayMethods(api, TABLE, ask, host);
  const signOf = (name: OperationName) => TABLE.find((one) => one.name === name) ?? TABLE[0];
  const chat = (senderId: string) => ({ channel: "telegram", to: `telegram:${senderId}`, accountId: "default" });
  return {
    async tool(name, { sessionKey, senderId, isOwner }) {
      const factory = registered.tools.find((one) => one.name === signOf(name)?.tool)?.factory as (
        context: unknown,
      ) => {
        execute(id: string, params: unknown): Promise<{ content: readonly { text: string }[] }>;
      };
      const context = { sessionKey, agentId: "main", requesterSenderId: senderId, senderIsOwner: isOwner };
      try {
        const shown = await factory({ ...context, deliveryContext: chat(senderId) }).execute("c", CALLS[name].params);
        return shown.content.map(({ text }) => text).join("\n");
      } catch (error) {
        return String(error);
      }
    },
    async command(name, { sessionKey, senderId, isAuthorized }) {
      const handler = registered.commands.find((one) => one.name === signOf(name)?.command)?.handler as (
        context: unknown,
      ) => Promise<{ text: string }>;
      const context = { sessionKey, agentId: "main", senderId, from: `telegram:${senderId}`, ...chat(senderId) };
      const { args } = CALLS[name];
      const commandBody = `/${signOf(name)?.command ?? ""} ${args}`;
      const { text } = await handler({ ...context, isAuthorizedSender: isAuthorized, args, commandBody });
      return text;
    },
    async rpc(name, { sessionKey, senderId }) {
      const handler = registered.methods.find((one) => one.name === signOf(name)?.rpc)?.handler as (
        call: unknown,
      ) => Promise<void>;
      let answer = "";
      const respond = (ok: boolean, json: unknown, error: unknown): void => {
        answer = JSON.stringify(ok ? json : error);
      };
      const params = { ...CALLS[name].params, sessionKey, route: chat(senderId) };
      // The route said for whom the call is; launch takes one of its own, as text.
      if (name === "launch") Object.assign(params, { route: `telegram|telegram:${senderId}` });
      await handler({ params, respond });
      return answer;
    },
  };
}

const TOLD_NOTHING =
  /No iFlow session is called \\?"mine\\?"\. You have no iFlow sessions yet\.|^No iFlow sessions yet\.$|^\[\]$|^iFlow sessions: 0\n|^\{"total":0,/;

function verdictOf(shown: string): "nothing" | "refused" | "taken" {
  if (/not authori[sz]ed/i.test(shown)) return "refused";
  return TOLD_NOTHING.test(shown) ? "nothing" : "taken";
}

const expected = {
  // What an agent does in a session is that session's; to whom it listens there is the host's business.
  tool: { owner: "taken", other: "nothing", stranger: "taken", operator: "taken", hostOwner: "taken" },
  command: { owner: "taken", other: "nothing", stranger: "refused", operator: "taken", hostOwner: "taken" },
  // Without an operator's scope the host calls nothing.
  rpc: { owner: "taken", other: "taken", stranger: undefined, operator: "taken", hostOwner: "taken" },
} as const;

const cells = (["tool", "command", "rpc"] as const).flatMap((door) =>
  (Object.keys(people) as (keyof typeof people)[]).flatMap((person) => {
    const verdict = expected[door][person];
    return verdict === undefined ? [] : [{ door, person, who: people[person].who, verdict }];
  }),
);

test("every operation of the table has its row, every door its column", () => {
  expect(Object.keys(CALLS).toSorted()).toEqual(TABLE.map(({ name }) => name).toSorted());
  const { api, registered } = apiDouble();
  const nobody = async () => ({ ok: true as const, reply: { text: "", json: {} } });
  registerTools(api, TABLE, nobody, host);
  registerCommands(api, TABLE, nobody, host);
  registerGatewayMethods(api, TABLE, nobody, host);
  expect(registered.tools).toHaveLength(TABLE.length);
  // The host itself turns away who is not authorised, and who has not the scope.
  expect(registered.commands.filter((one) => !("requireAuth" in one) || one.requireAuth !== true)).toEqual([]);
  const scopes = new Map(registered.methods.map(({ name, scope }) => [name, scope]));
  for (const { rpc, scope } of TABLE) expect(scopes.get(rpc), rpc).toBe(`operator.${scope}`);
  expect(TABLE.filter(({ scope }) => scope === "read").map(({ name }) => name)).toEqual([
    "output",
    "sessions",
    "stats",
  ]);
});

describe("[K1] [O1] [O2] [O3] [O4] [O5] [O6] [O7] [O8] [O9] by", () => {
  test.each(cells)("$door, $who: $verdict", async ({ door, person, verdict }) => {
    for (const { name } of TABLE) {
      await using world = await OperationsWorld.create({ operators: [people.operator.senderId] });
      const { id } = await world.launch("say: secret words", { name: "mine" });
      await world.world.until(id, "idle");
      const before = JSON.stringify(world.world.session(id));
      const shown = await doorsOf(world)[door](name, people[person]);
      // As a command, a launch goes on with nobody's session; alone it is a call for help.
      if (door === "command" && name === "launch" && verdict !== "refused") {
        expect(shown).toMatch(/^iFlow works in the background/);
        continue;
      }
      expect([name, verdictOf(shown), shown]).toEqual([name, verdict, shown]);
      if (verdict !== "taken") {
        expect(shown).not.toContain("secret words");
        expect(shown).not.toContain(id);
        expect(JSON.stringify(world.world.session(id)), name).toBe(before);
        expect(world.world.promptsOf(id)).toHaveLength(1);
      }
    }
  });
});
