/**
 * The plugin's real ports with failpoints around every call: nothing of what they do is changed.
 * Owns: the names of the points. A journal's points are named by the first kind of line that is written.
 */
import type {
  AgentConnection,
  AgentLauncher,
  ChildTasks,
  Delivery,
  FlowStore,
  JournalLine,
  Journals,
  SessionJournal,
} from "../../src/ports.ts";
import type { Failpoints } from "./failpoints.ts";

export function wrapFlows(flows: FlowStore, points: Failpoints): FlowStore {
  return {
    create: (owner, flow) => points.around("flow.create", () => flows.create(owner, flow)),
    get: (owner, flowId) => points.around("flow.get", () => flows.get(owner, flowId)),
    // Polled all the time: a kill there is a kill anywhere.
    list: (owner) => flows.list(owner),
    owners: () => flows.owners(),
    change: (owner, flowId, revision, change) =>
      points.around(`flow.${change.verb}`, () => flows.change(owner, flowId, revision, change)),
    cancel: (owner, flowId) => points.around("flow.cancel", () => flows.cancel(owner, flowId)),
  };
}

export function wrapChildren(children: ChildTasks, points: Failpoints): ChildTasks {
  return {
    start: (owner, child) => points.around("child.start", () => children.start(owner, child)),
    activate: (runId, atMs) => points.around1("child.activate", () => children.activate(runId, atMs)),
    tool: (runId, name) => children.tool(runId, name),
    progress: (runId, line) => children.progress(runId, line),
    end: (owner, runId, outcome, atMs, error) =>
      points.around("child.end", () => children.end(owner, runId, outcome, atMs, error)),
    list: (owner) => children.list(owner),
    settleAll: (outcome, atMs, error) => children.settleAll(outcome, atMs, error),
  };
}

export function wrapLauncher(launcher: AgentLauncher, points: Failpoints): AgentLauncher {
  return {
    start: (spec, signal) =>
      points.around("agent.spawn", async () => wrapConnection(await launcher.start(spec, signal), points)),
    copyHistory: (id) => launcher.copyHistory(id),
    reap: (sessionId, identity) => points.around("agent.reap", () => launcher.reap(sessionId, identity)),
  };
}

function wrapConnection(agent: AgentConnection, points: Failpoints): AgentConnection {
  return {
    identity: agent.identity,
    events: heard(agent, points),
    open: (session, signal) =>
      points.around(session.load === undefined ? "agent.handshake" : "agent.load", () => agent.open(session, signal)),
    prompt: (turn, blocks) => points.around("agent.prompt", () => agent.prompt(turn, blocks)),
    cancel: () => points.around("agent.cancel", () => agent.cancel()),
    reply: (requestId, reply) => points.around1("agent.answer", () => agent.reply(requestId, reply)),
    background: () => agent.background(),
    stop: () => points.around("agent.stop", () => agent.stop()),
  };
}

async function* heard(agent: AgentConnection, points: Failpoints) {
  for await (const batch of agent.events) {
    points.pass("agent.heard");
    yield batch;
  }
}

export function wrapJournals(journals: Journals, points: Failpoints): Journals {
  return {
    create: (header) =>
      points.around("journal.header", async () => wrapJournal(header.sessionId, await journals.create(header), points)),
    open: async (sessionId) => {
      const journal = await journals.open(sessionId);
      return journal === undefined ? undefined : wrapJournal(sessionId, journal, points);
    },
    headers: () => points.around("journal.headers", () => journals.headers()),
    remove: (sessionId) => points.around("journal.remove", () => journals.remove(sessionId)),
    setAside: (sessionId) => journals.setAside(sessionId),
    writable: () => journals.writable(),
  };
}

function wrapJournal(sessionId: string, journal: SessionJournal, points: Failpoints): SessionJournal {
  const named = (lines: readonly JournalLine[]): string => `journal.${lines[0]?.t ?? "nothing"}`;
  return {
    append: async (lines) => {
      await points.around(named(lines), () => journal.append(lines));
      for (const line of lines)
        if (line.t === "told") points.unmarked.delete(`${sessionId}:${line.noticeId}:${line.part}`);
    },
    appendSynced: (lines) => points.around(named(lines), () => journal.appendSynced(lines)),
    text: (key) => journal.text(key),
    output: (from, to) => journal.output(from, to),
    lastLines: (lines, to) => journal.lastLines(lines, to),
    tail: () => journal.tail(),
    close: () => journal.close(),
  };
}

export function wrapDelivery(delivery: Delivery, points: Failpoints): Delivery {
  return {
    send: (message) => {
      const notice = /^iflow:(\w+:n\d+)$/.exec(message.intentId)?.[1];
      if (notice !== undefined) points.unmarked.add(`${notice}:chat`);
      return points.around("notice.send", () => delivery.send(message));
    },
    edit: (route, messageId, text) => delivery.edit(route, messageId, text),
    wake: (message) => {
      points.unmarked.add(message.intentId.replace(/^iflow:/, ""));
      return points.around("notice.wake", () => delivery.wake(message));
    },
    limit: (route) => delivery.limit(route),
    canEdit: (route) => delivery.canEdit(route),
  };
}
