/**
 * iflow_launch: hands a job to iFlow and answers at once.
 */
import { isDeepStrictEqual } from "node:util";
import * as Type from "@sinclair/typebox";
import type { Static } from "@sinclair/typebox";
import type { Caller } from "../core/caller.ts";
import { ok, refuse, type Result } from "../core/errors.ts";
import { chatKey, parseRoute } from "../core/route.ts";
import type { Owner, Route, Session } from "../core/session.ts";
import type { Words } from "../core/words.ts";
import type { Launched, LaunchOrder } from "../engine/orders.ts";
import type { LaunchJson } from "./answers.ts";
import { plainWords, takeOptions } from "./command-line.ts";
import type { Context } from "./context.ts";
import { defineOperation } from "./define.ts";
import type { Reply } from "./operation.ts";
import { chatWords } from "./reply-words.ts";
import { goOn } from "./resume.ts";
import { statusOf } from "./status.ts";

const MODES = ["auto", "selective", "manual", "plan"] as const;
const POLICIES = ["auto", "new", "reuse"] as const;
const MAX_PROMPT = 200_000;
const OPTIONS = {
  name: { param: "name", kind: "text" },
  workdir: { param: "workdir", kind: "text" },
  model: { param: "model", kind: "text" },
  mode: { param: "permission_mode", kind: "text" },
  once: { param: "multi_turn_disabled", kind: "flag" },
} as const;

function oneOf<const T extends readonly string[]>(values: T, description: string) {
  return Type.Optional(Type.Unsafe<T[number]>(Type.String({ enum: [...values], description })));
}

const params = Type.Object(
  {
    prompt: Type.String({ minLength: 1, maxLength: MAX_PROMPT, description: "What iFlow should do." }),
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 80,
        description: "Short name of the session; derived from the prompt when absent.",
      }),
    ),
    workdir: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4_096,
        description: "Directory to work in; default: the agent's workspace, else defaultWorkdir.",
      }),
    ),
    model: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: "Model id of iFlow; default: defaultModel, else iFlow's own.",
      }),
    ),
    timeout: Type.Optional(
      Type.Integer({
        minimum: 1_000,
        maximum: 86_400_000,
        description: "ms without a sign of life while the model is waited for; default: iflowTimeout.",
      }),
    ),
    max_turns: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: "iFlow's own limit of model calls in one turn." }),
    ),
    system_prompt: Type.Optional(
      Type.String({ minLength: 1, maxLength: MAX_PROMPT, description: "Replaces iFlow's system prompt." }),
    ),
    allowed_tools: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        maxItems: 100,
        description: "Tools that selective mode allows without asking.",
      }),
    ),
    multi_turn_disabled: Type.Optional(Type.Boolean({ description: "End with the first turn; default false." })),
    permission_mode: oneOf(
      MODES,
      "auto: never asks; selective: asks but for allowed_tools and reading; manual: always asks; plan: a plan first.",
    ),
    files: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 4_096 }), {
        maxItems: 20,
        description: "Files below workdir to send along.",
      }),
    ),
    resume_session_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: "Go on with this session (name or id) and its settings instead of a new one.",
      }),
    ),
    fork_session: Type.Optional(Type.Boolean({ description: "With resume_session_id: leave the original untouched." })),
    session_policy: oneOf(
      POLICIES,
      "reuse: go on with the last session of the same directory and its settings; default auto (a new one).",
    ),
    route: Type.Optional(
      Type.String({
        minLength: 3,
        maxLength: 400,
        description: "Chat for notices: channel|target or channel|account|target; default: this chat.",
      }),
    ),
  },
  { additionalProperties: false },
);

type Params = Static<typeof params>;

export const launch = defineOperation({
  name: "launch",
  scope: "write",
  title: "Launch an iFlow job",
  description:
    "Starts a coding job with iFlow in the background and returns at once with its id, name and flow id. You are told when it asks, finishes or fails; do not poll. Use iflow_respond to answer or continue, iflow_output to read, iflow_kill to stop.",
  usage: "/iflow [--name n] [--workdir d] [--model m] [--mode auto|selective|manual|plan] [--once] prompt",
  params,
  parse: (args) => {
    const taken = takeOptions(args, OPTIONS);
    if (!taken.ok) return taken;
    const prompt = plainWords(taken, OPTIONS);
    if (!prompt.ok) return prompt;
    if (prompt.words === "") return { ok: false, message: "The prompt is missing." };
    return { ok: true, params: { ...taken.params, prompt: prompt.words } };
  },
  run: runLaunch,
});

async function runLaunch(context: Context, caller: Caller, given: Params): Promise<Result<Reply<LaunchJson>>> {
  if (given.resume_session_id !== undefined) return resumeInstead(context, caller, given, given.resume_session_id);
  if (given.fork_session === true)
    return refuse("invalid_params", "fork_session needs resume_session_id: the session to fork.");
  const chats = chatsOf(context, caller, given.route);
  if (!chats.ok) return chats;
  const { route } = chats.value;
  const workdir = await context.workdirs.resolve(caller, given.workdir);
  if (!workdir.ok) return workdir;
  if (given.session_policy === "reuse") return reuse(context, caller, given, workdir.value);
  const files: string[] = [];
  for (const file of given.files ?? []) {
    const found = await context.workdirs.file(workdir.value, file);
    if (!found.ok) return found;
    files.push(found.value);
  }
  if (!context.config.skipSafetyChecks) {
    const agent = await context.agentReady();
    if (!agent.ok) return refuse("agent_missing", agent.message);
  }
  const launched = await context.sessions.launch(caller, {
    name: given.name,
    prompt: given.prompt,
    workdir: workdir.value,
    files,
    ...chats.value,
    settings: { ...settingsOf(context, given), ...wakesOf(context, route, workdir.value) },
  });
  if (!launched.ok) return launched;
  return ok(launchReply(launched.value, chatWords(context, caller, launched.value.session)));
}

/** Where it will be told. A chat that is neither the caller's nor a configured one only who sees everything may name, and it grants nothing. */
function chatsOf(
  { config }: Context,
  { route: own, inWebChat, seesAll, door, owner }: Caller,
  named: string | undefined,
): Result<Pick<LaunchOrder, "route" | "home" | "isForeignRoute">> {
  const here = own === undefined ? {} : { route: own };
  const home = own === undefined && inWebChat !== true ? {} : { home: here };
  if (named === undefined) return ok({ route: own, ...(own === undefined ? home : {}) });
  const route = parseRoute(named);
  if (route === undefined)
    return refuse(
      "invalid_params",
      `The route "${named}" has another form than channel|target or channel|account|target.`,
    );
  // A call by RPC says with its route for whom it is.
  if (door === "rpc") return ok({ route: own ?? route });
  const keyOf = (chat: Route): string => chatKey({ ...chat, threadId: "" }, owner.sessionKey);
  const isOwn = own !== undefined && keyOf(own) === keyOf(route);
  // Its topic goes along.
  if (isOwn) return ok({ route: own });
  const configured = [config.fallbackChannel, ...config.agentChannels.map((rule) => rule.route)];
  if (configured.some((chat) => chat !== undefined && keyOf(chat) === keyOf(route))) return ok({ route, ...home });
  if (seesAll) return ok({ route, ...home, isForeignRoute: true });
  return refuse(
    "not_allowed",
    `The route "${named}" is neither this chat nor one of agentChannels or fallbackChannel in the plugin's config. Leave it out to be told here; the host's owner or an operator may name any chat.`,
  );
}

/** A launch from no chat is told where its directory's rule says, and wakes whom that rule names. */
function wakesOf(context: Context, route: Route | undefined, workdir: string): { readonly wakes?: Owner } {
  const wakes = route === undefined ? context.agentOf(workdir) : undefined;
  return wakes === undefined ? {} : { wakes };
}

function settingsOf({ config }: Context, given: Params) {
  const model = given.model ?? config.defaultModel;
  return {
    permissionMode: given.permission_mode ?? config.permissionMode,
    allowedTools: given.allowed_tools ?? [],
    timeoutMs: given.timeout ?? config.iflowTimeoutMs,
    singleTurn: given.multi_turn_disabled ?? false,
    ...(model === undefined ? {} : { model }),
    ...(given.max_turns === undefined ? {} : { maxTurns: given.max_turns }),
    ...(given.system_prompt === undefined ? {} : { systemPrompt: given.system_prompt }),
  };
}

async function resumeInstead(
  context: Context,
  caller: Caller,
  given: Params,
  ref: string,
): Promise<Result<Reply<LaunchJson>>> {
  const found = context.sessions.find(caller, ref);
  if (!found.ok) return found;
  const kept = await otherSettings(context, caller, given, found.value);
  if (kept.length > 0)
    return refuse(
      "invalid_params",
      `${found.value.name} goes on with its own settings; ${kept.join(", ")} can't be changed. Leave ${kept.length === 1 ? "it" : "them"} out, or launch a new session (session_policy new).`,
    );
  const gone = await goOn(context, caller, ref, given.prompt, given.fork_session === true);
  if (!gone.ok) return gone;
  const { session, flowId, text } = gone.value;
  return ok({ text, json: launchJson({ session, flowId, place: context.sessions.placeOf(session) }) });
}

/** What was asked for otherwise than the session has it: nobody may think that it is so. */
async function otherSettings(
  { sessions, workdirs }: Context,
  caller: Caller,
  given: Params,
  session: Session,
): Promise<readonly string[]> {
  const { name, workdir, route, settings } = session;
  const asked = given.workdir === undefined ? undefined : await workdirs.resolve(caller, given.workdir);
  // An RPC's route that is no text says itself as the caller's.
  const chat = given.route === undefined ? (caller.door === "rpc" ? caller.route : undefined) : parseRoute(given.route);
  const own: Readonly<Record<string, unknown>> = {
    name,
    workdir: asked?.ok === true && asked.value === workdir ? given.workdir : workdir,
    model: settings.model,
    timeout: settings.timeoutMs,
    max_turns: settings.maxTurns,
    system_prompt:
      given.system_prompt === undefined || settings.systemPrompt === undefined
        ? settings.systemPrompt?.text
        : await sessions.wholeText(session, settings.systemPrompt),
    allowed_tools: settings.allowedTools,
    multi_turn_disabled: settings.singleTurn,
    permission_mode: settings.permissionMode,
    files: [],
  };
  const others = Object.entries(given).filter(([key, value]) => key in own && !isDeepStrictEqual(own[key], value));
  const sameChat = chat === undefined ? given.route === undefined : isDeepStrictEqual(chat, route);
  return [...others.map(([key]) => key), ...(sameChat ? [] : ["route"])];
}

/** The last session of the same real directory goes on, live or ended. */
async function reuse(
  context: Context,
  caller: Caller,
  given: Params,
  workdir: string,
): Promise<Result<Reply<LaunchJson>>> {
  const last = context.sessions
    .all(caller)
    .find((s) => s.workdir === workdir && s.owner.sessionKey === caller.owner.sessionKey);
  if (last === undefined)
    return refuse("not_found", `There is no earlier session in ${workdir} to reuse. Launch with session_policy new.`);
  return resumeInstead(context, caller, given, last.id);
}

function launchReply(launched: Launched, words: Words | undefined): Reply<LaunchJson> {
  const { session, flowId, place } = launched;
  if (words !== undefined) return { text: launchText(launched, words), json: launchJson(launched) };
  const head =
    place === undefined
      ? `↩️ Launched ${session.name} [${session.id}] in ${session.workdir}.`
      : `⏳ Queued ${session.name} [${session.id}], place ${place}, in ${session.workdir}.`;
  return {
    text: `${head}\nPermissions: ${session.settings.permissionMode}. TaskFlow ${flowId}. You will be told when it asks, finishes or fails.`,
    json: launchJson(launched),
  };
}

function launchText({ session, place }: Launched, { reply, next }: Words): string {
  const { name, settings } = session;
  const mode = settings.permissionMode;
  return place === undefined
    ? `${reply.launched(name, mode)}\n${reply.willBeTold}`
    : `${reply.queued(name, mode, place)}\n${next.withdraw(name)}\n${reply.willBeTold}`;
}

function launchJson({ session, flowId, place }: Launched): LaunchJson {
  const { id, name, workdir } = session;
  const status = statusOf(session);
  if (place !== undefined) return { id, name, status: "queued", workdir, flowId, queuePosition: place };
  // Between the flow and the slot there is only a moment: it counts as starting.
  return { id, name, status: status === "queued" ? "starting" : status, workdir, flowId };
}
