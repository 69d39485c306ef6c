/**
 * What was promised, by id. A test that shows a promise kept has its id in its title: `test("[S5] a question survives ...")`.
 * `done` claims that it is built; test/requirements.test.ts fails when such an id is named by no test, or an unknown one is.
 */

export interface Requirement {
  readonly sentence: string;
  readonly done: boolean;
}

const done = (sentence: string): Requirement => ({ sentence, done: true });

export const REQUIREMENTS = {
  // Operations: each as tool, command and RPC, with the same checks and words
  O1: done("launch starts a session and answers at once with id, name, flow and status, or its place in the line"),
  O2: done("respond answers, interrupts, queues for the next turn, or continues an idle, interrupted or ended session"),
  O3: done("foreground shows exactly what this chat has not seen, then follows live"),
  O4: done("background stops following, one session or all of this chat"),
  O5: done("kill ends one session or all of the caller's"),
  O6: done("output gives any part of the words, says which offsets it covers and whether there is more"),
  O7: done("sessions lists the caller's sessions, filtered by state"),
  O8: done("stats counts sessions, turns, tool calls, questions, answers, the line and deliveries"),
  O9: done("resume goes on with the same context and settings, or forks, and says first when the history is lost"),

  // Life of a session
  S1: done("sessions run side by side and isolated; more wait in a durable line; past its bound they are refused"),
  S2: done("a launch makes a managed flow, a turn a linked child task with live progress, and the audit stays clean"),
  S3: done("buffer and counters stand in revision-checked stateJson, all words in the journal; nothing said is lost"),
  S4: done("a question waits durably, is told with its choices, and is answered from any door"),
  S5: done("gateway restarts and kill -9 lose no flow, leave no process, repeat nothing unasked; the line goes on"),
  S6: done("a cancel from anywhere stops the process group in seconds and ends both records as cancelled"),
  S7: done("conversations have many turns, interrupts, queued messages, resume and fork, or just one turn"),
  S8: done("idle sessions hold no slot and no process, end as completed, and stay resumable"),
  S9: done("the watchdog knows what it waits for: model, tool, person, or a dead process"),
  S10: done("failures say their cause: missing agent, no login, bad directory, handshake, model, crash"),
  S11: done("another writer of the flow is heard within a second, and its text is the answer"),

  // Telling people
  N1: done("each event of a session has its notice"),
  N2: done("notices go to the chat that launched, else to the chat of the directory, else to the fallback"),
  N3: done("following is caught up, debounced, and cut to the channel's limit without breaking code fences"),
  N4: done("the launching agent is woken with facts and ids; a session's words reach it only as marked data"),
  N5: done("one message in flight a chat, final before question before event before progress; no final is dropped"),
  N6: done("one notice an event, handed over once under a stable id, also across a restart"),
  N7: done("three output modes; safe mode hides contents and masks secrets"),
  N8: done("choices are buttons where the channel has them, numbers where not"),
  N9: done("notices are English or Chinese"),

  // Keeping people safe
  K1: done("commands need an authorised sender; a session is seen and steered only by its owner or the host's owner"),
  K2: done("the permission mode is always sent explicitly, and a refusal always as cancelled"),
  K3: done("an agent answers only so often in a row before a person must; host facts decide who is a person"),
  K4: done("a question past its deadline is denied, and that is said"),
  K5: done("checks before a launch and the doctor say one clear line each"),
  K6: done(
    "the agent's environment has no secret of the host, prompts are no arguments, files are private, no port opens",
  ),
  K7: done("an audit log says who did what from where, with which outcome, redacted and cut"),
  K8: done("a bad configuration is refused with path and value"),
} as const satisfies Readonly<Record<string, Requirement>>;
