/**
 * Child tasks that an earlier life of the gateway left active under our flows.
 * Owns: which of them stand for nothing any more, and that they end before new ones begin (a run id is never used again).
 */
import type { Owner, Session } from "../core/session.ts";
import type { ChildOutcome, ChildSummary } from "../ports.ts";
import type { Engine } from "./context.ts";

const LIST_ATTEMPTS = 5;
const LIST_RETRY_MS = 400;
const REASON = "The gateway was restarted";

interface Owned {
  readonly session: Session;
  readonly record: { readonly flowId: string };
}

/** Ends every active child of these flows. Where the host can't list them it ends them itself after a while (as lost). */
export async function settleLeftovers(engine: Engine, found: readonly Owned[]): Promise<void> {
  const byOwner = new Map<string, { owner: Owner; byFlow: Map<string, Session> }>();
  for (const { session, record } of found) {
    const known = byOwner.get(session.owner.sessionKey) ?? { owner: session.owner, byFlow: new Map<string, Session>() };
    known.byFlow.set(record.flowId, session);
    byOwner.set(session.owner.sessionKey, known);
  }
  for (const { owner, byFlow } of byOwner.values()) {
    const left = (await listChildren(engine, owner)).filter(
      (child) => child.status === "queued" || child.status === "running",
    );
    await Promise.all(left.map((child) => endLeftover(engine, owner, child, byFlow.get(child.flowId ?? ""))));
  }
}

async function listChildren(engine: Engine, owner: Owner): Promise<readonly ChildSummary[]> {
  for (let attempt = 1; ; attempt += 1) {
    const children = await engine.children.list(owner);
    if (children !== undefined) return children;
    if (attempt >= LIST_ATTEMPTS) {
      engine.log.warn(
        "iFlow recovery: the host did not list the child tasks; left-over ones end by themselves in some minutes",
      );
      return [];
    }
    await new Promise<void>((resolve) => engine.clock.after(LIST_RETRY_MS, resolve));
  }
}

/** A child of a flow that was left as it is stays as it is, too. */
async function endLeftover(
  engine: Engine,
  owner: Owner,
  child: ChildSummary,
  session: Session | undefined,
): Promise<void> {
  if (session === undefined) return;
  const outcome: ChildOutcome = child.status === "queued" ? "cancelled" : outcomeFor(session);
  await engine.children.end(
    owner,
    child.runId,
    outcome,
    engine.clock.now(),
    outcome === "succeeded" ? undefined : REASON,
  );
}

function outcomeFor({ phase }: Session): ChildOutcome {
  if (phase.kind !== "ended") return "failed";
  return OUTCOME[phase.outcome];
}

const OUTCOME = { completed: "succeeded", failed: "failed", timed_out: "timed_out", killed: "cancelled" } as const;
