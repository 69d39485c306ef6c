/**
 * What is asked of sessions, and what comes of it.
 */
import type { Taken } from "../core/event.ts";
import type { Result } from "../core/errors.ts";
import { answerAt, readAnswer } from "../core/question.ts";
import type { Answer, Question, Route, Session } from "../core/session.ts";
import type { LaunchRequest } from "./launch.ts";

export interface LaunchOrder {
  readonly name: string | undefined;
  readonly prompt: string;
  readonly workdir: string;
  readonly files: readonly string[];
  readonly route: Route | undefined;
  readonly home?: LaunchRequest["home"];
  readonly isForeignRoute?: LaunchRequest["isForeignRoute"];
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
  /** The option that a pressed button stood for, from 0: no words are read then. */
  readonly optionIndex?: number;
  /** It is a message, although it reads like an answer. */
  readonly asMessage?: boolean;
}

/** What an order says to a question: by the place of a pressed button, by a named option, or in words. */
export function readOrder(
  question: Question,
  { message, option, optionIndex }: ResponseOrder,
): Result<Pick<Answer, "optionIds" | "text">> {
  if (optionIndex !== undefined) return answerAt(question, optionIndex);
  return option === undefined ? readAnswer(question, message) : readAnswer(question, option, "option");
}

export interface Responded {
  readonly session: Session;
  readonly flowId: string;
  readonly delivered: Taken;
  /** Set when it answered a question: the question and the answer's words. */
  readonly question?: Question;
  /** The message of a turn that failed was taken instead of the one given. */
  readonly repeated?: true;
  readonly answer?: Pick<Answer, "optionIds" | "text">;
}
