/**
 * What is asked of sessions, and what comes of it.
 */
import type { Taken } from "../core/event.ts";
import type { Question, Route, Session } from "../core/session.ts";
import type { LaunchRequest } from "./launch.ts";

export interface LaunchOrder {
  readonly name: string | undefined;
  readonly prompt: string;
  readonly workdir: string;
  readonly files: readonly string[];
  readonly route: Route | undefined;
  readonly settings: LaunchRequest["settings"];
}

export interface Launched {
  readonly session: Session;
  readonly flowId: string;
  readonly place: number | undefined;
}

export interface ResponseOrder {
  readonly message: string;
  /** Where the last turn of an ended session failed, its message goes again instead of `message`. */
  readonly repeats?: true;
  readonly interrupt: boolean;
  readonly questionId: string | undefined;
  readonly option: string | undefined;
}

export interface Responded {
  readonly session: Session;
  readonly flowId: string;
  readonly delivered: Taken;
  /** Set when it answered a question: the question and the answer's words. */
  readonly question?: Question;
  /** The message of a turn that failed was taken instead of the one given. */
  readonly repeated?: true;
}
