/**
 * A plugin for tests only: the product's doors, delivery and service on stub operations.
 * What reached the stubs is read over one HTTP route, and ways out are used over the same route.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createDelivery } from "../../../src/host/delivery.ts";
import { registerDoors } from "../../../src/host/doors.ts";
import { announceRunning } from "../../../src/host/process-memory.ts";
import { loadHostFunctions, type HostApi } from "../../../src/host/sdk.ts";
import type { Route } from "../../../src/core/session.ts";
import type { Delivery, OutgoingMessage } from "../../../src/ports.ts";
import { stubAsk, stubSigns, type StubCall } from "./stub-operations.ts";

export interface Seen {
  readonly calls: StubCall[];
  readonly messages: {
    readonly sessionKey: string;
    readonly text: string;
    readonly senderId: string | undefined;
    readonly route: Route | undefined;
    readonly inGroup: boolean;
    readonly replyToId: string | undefined;
    readonly isOwner: boolean;
  }[];
  readonly presses: {
    readonly isAuthorised: boolean;
    readonly payload: string;
    readonly senderId: string | undefined;
    readonly route: Route | undefined;
    readonly inGroup: boolean;
    readonly isOwner: boolean;
  }[];
  readonly life: string[];
}

export type DoorsRequest =
  | { readonly do: "seen" }
  | { readonly do: "send" | "wake"; readonly message: OutgoingMessage & { readonly agentId?: string } }
  | { readonly do: "edit"; readonly route: Route; readonly messageId: string; readonly text: string }
  | { readonly do: "limits"; readonly routes: readonly (Route | null)[] };

export const doorsPlugin = {
  id: "openclaw-iflow-plugin",
  name: "iFlow doors on stubs",
  register(api: HostApi): void {
    const seen: Seen = { calls: [], messages: [], presses: [], life: [] };
    let withdraw: (() => void) | undefined;
    registerDoors(api, {
      signs: stubSigns,
      log: api.logger,
      life: {
        start: async ({ stateDir }) => {
          seen.life.push(`start in ${stateDir}`);
          api.logger.info("doors started");
          withdraw = announceRunning(stubAsk(seen.calls));
        },
        settle: (signal) => {
          seen.life.push(`settle ${signal}`);
          api.logger.info(`doors settle ${signal}`);
        },
        stop: async () => {
          withdraw?.();
          api.logger.info("doors stopped");
        },
      },
      onOther: () => undefined,
      onMessage: async ({ isOwner, ...message }) => {
        seen.messages.push({ ...message, isOwner: await isOwner() });
        return message.text.startsWith("ANSWER") ? `taken: ${message.text}` : undefined;
      },
      onPress: async ({ isAuthorised, isOwner, payload, senderId, route, inGroup }) => {
        seen.presses.push({ isAuthorised, payload, senderId, route, inGroup, isOwner: await isOwner() });
        if (!isAuthorised) return { text: `not for you, ${senderId ?? "stranger"}`, closed: false };
        return { text: `chosen: ${payload}`, closed: !payload.includes("stale") };
      },
      cli: {
        description: "The iFlow plugin",
        subcommands: [
          {
            name: "ping",
            description: "Calls the gateway",
            args: ["<word>"],
            options: [{ flags: "--loud", description: "In capitals" }],
            run: async ({ args, options, print, call }) => {
              const answer = await call(args[0] === "write" ? "iflow.kill" : "iflow.sessions", { session: args[0] });
              const text = JSON.stringify(answer);
              print(options["loud"] === true ? text.toUpperCase() : text);
              return args[0] === "fail" ? 3 : 0;
            },
          },
        ],
        print: (text) => void process.stdout.write(`${text}\n`),
        setExitCode: (code) => {
          process.exitCode = code;
        },
      },
    });
    if (api.registrationMode === "full") openHatch(api, seen);
  },
};

function openHatch(api: HostApi, seen: Seen): void {
  let delivery: Promise<Delivery> | undefined;
  api.registerHttpRoute({
    path: "/iflow-doors",
    auth: "gateway",
    match: "exact",
    handler: async (request, response) => {
      delivery ??= loadHostFunctions().then((functions) => createDelivery(api, functions));
      await serve(seen, await delivery, request, response);
      return true;
    },
  });
}

async function serve(
  seen: Seen,
  delivery: Delivery,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const wish = JSON.parse(Buffer.concat(chunks).toString("utf8")) as DoorsRequest;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(await carryOut(seen, delivery, wish)));
}

async function carryOut(seen: Seen, delivery: Delivery, wish: DoorsRequest): Promise<unknown> {
  switch (wish.do) {
    case "seen":
      return seen;
    case "send":
      return delivery.send(wish.message);
    case "wake":
      return delivery.wake(wish.message);
    case "edit":
      return delivery.edit(wish.route, wish.messageId, wish.text);
    case "limits":
      return wish.routes.map((route) => [delivery.limit(route ?? undefined), delivery.canEdit(route ?? undefined)]);
  }
}
