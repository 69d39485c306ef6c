/**
 * Time asleep counts for nobody.
 * Owns: which times of a session move with it: those from which something is counted. What happened keeps its time.
 */
import { setPhase, type Draft } from "./draft.ts";
import type { OpenTool, Phase } from "./session.ts";

/** `ms`: how long nothing ran; negative when the clock was set back. */
export function onSlept(draft: Draft, ms: number): void {
  setPhase(draft, moved(draft.session.phase, ms));
  const { graceUntil } = draft.session;
  if (graceUntil !== undefined) draft.session = { ...draft.session, graceUntil: graceUntil + ms };
}

function moved(phase: Phase, ms: number): Phase {
  const tools = (open: readonly OpenTool[]): readonly OpenTool[] =>
    open.map((tool) => ({ ...tool, sinceAt: tool.sinceAt + ms }));
  switch (phase.kind) {
    case "working":
      return {
        ...phase,
        sinceAt: phase.sinceAt + ms,
        lastSignAt: phase.lastSignAt + ms,
        openTools: tools(phase.openTools),
        ...(phase.quietToldAt === undefined ? {} : { quietToldAt: phase.quietToldAt + ms }),
        ...(phase.stopping === undefined
          ? {}
          : { stopping: { ...phase.stopping, sinceAt: phase.stopping.sinceAt + ms } }),
      };
    case "asking":
      return {
        ...phase,
        sinceAt: phase.sinceAt + ms,
        asks: phase.asks.map((ask) => ({ ...ask, deadlineAt: ask.deadlineAt + ms })),
        openTools: tools(phase.openTools),
      };
    case "idle":
      return {
        ...phase,
        sinceAt: phase.sinceAt + ms,
        ...(phase.lookedAt === undefined ? {} : { lookedAt: phase.lookedAt + ms }),
      };
    case "starting":
    case "interrupted":
      return { ...phase, sinceAt: phase.sinceAt + ms };
    case "queued":
    case "ended":
      return phase;
  }
}
