/**
 * English words of notices.
 */
import { EFFECTS, FRESH_START_OPTIONS, PLAN_OPTIONS } from "./choice.ts";
import { FRESH_START_TEXT } from "./question.ts";
import type { Words } from "./words.ts";

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours}h` : `${hours}h ${minutes % 60}m`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)}d` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `4,200` */
const counted = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
const took = (time: string | undefined): string => (time === undefined ? "" : ` · ${time}`);
const WHO = { by_agent: "the agent", by_person: "a person", by_writer: "another writer of its TaskFlow" } as const;

const FROM = {
  here: "answered here",
  elsewhere: "answered in another place",
  meanwhile: "answered meanwhile",
  agent: "answered by the agent",
  writer: "answered by another writer of its TaskFlow",
} as const;

const TAKEN = {
  now: { message: "your message was passed on.", answer: "your answer was passed on:" },
  queued: { message: "your message waits for the running turn to end.", answer: "your answer waits for its turn:" },
  resumed: { message: "iFlow is started again and goes on.", answer: "iFlow is started again and goes on with:" },
} as const;

export const EN: Words = {
  duration,
  head: {
    launched: (name) => `${name} launched`,
    queued: (name, place) => `${name} waits for a free slot${place === undefined ? "" : ` (place ${place})`}`,
    permission: (name) => `${name} asks for permission`,
    plan: (name) => `${name} proposes a plan`,
    question: (name) => `${name} asks`,
    questions: (name, count) => `${name} asks ${count} questions`,
    freshStart: (name) => `${name} asks how to go on`,
    waits: (name) => `${name} waits for your answer`,
    closed: (name, what) => `${name} had asked${what === "" ? "" : ` (${what})`}; that is settled meanwhile`,
    responded: (name, who) => `${name} got an answer from ${WHO[who]}`,
    turnFinished: (name, turn, time) => `${name} finished turn ${turn}${took(time)}`,
    completed: (name, time) => `${name} completed${took(time)}`,
    failed: (name, time) => `${name} failed${took(time)}`,
    killed: (name, time) => `${name} was stopped${took(time)}`,
    interrupted: (name) => `${name} was interrupted`,
    quiet: (name, time) => `${name} has been quiet for ${time}`,
    denied: (name, ids) => `${name}: nobody answered ${ids.join(", ")} in time, so the answer is no`,
    warning: (name) => name,
  },
  about: {
    agent_missing: "iFlow was not found.",
    agent_start_failed: "iFlow could not be started.",
    agent_handshake: "iFlow started, but did not answer in time.",
    not_authenticated: "iFlow is not logged in.",
    agent_too_old: "This version of iFlow is too old.",
    agent_error: "iFlow answered with an error.",
    agent_exited: "",
    gateway_restarted: "",
    gateway_stopped: "The gateway was stopped while iFlow worked.",
    model_silent: "The model gave no sign of life for too long, so the turn was stopped.",
    tool_timeout: "A tool call ran for too long, so the turn was stopped.",
    stopped_by_person: "A person stopped it.",
    stopped_by_agent: "The agent that launched it stopped it.",
    stopped_elsewhere: "Its TaskFlow was ended outside of this plugin.",
    abandoned: "Nobody answered or continued it in time.",
    prompt_unknown: "It is not known whether the last message reached iFlow.",
    storage: "Its record could not be stored or found.",
    end_turn: "",
    max_tokens: "It stopped early: the model reached its output limit.",
    refusal: "It stopped early: the model refused.",
    cancelled: "The turn was stopped.",
    max_turn_requests: "It stopped early: the limit of model requests in one turn was reached.",
    unknown: "It stopped for a reason that it did not name.",
    by_agent: "",
    by_person: "",
    by_writer: "",
    deadline_passed: "",
    deadline_held: "Its deadline passed while the gateway was down.",
    foreign_resume: "Somebody resumed its TaskFlow without a valid answer. The question stays open.",
    record_ignored:
      "While no gateway ran, its TaskFlow record had other rights than its journal. The journal holds; not taken over:",
    rights_unknown:
      "Its journal is gone, and it goes on from its TaskFlow record. What it was allowed is not certain, so from now on it asks for everything.",
    background_kept: "Still running in the background, until the session ends or another one needs its place:",
    background_ended: "These were still running in the background and ended with its process:",
    waiting_for_model: "It waits for the model.",
    running_tool: "",
    may_be_cut: "It may have stopped at max_turns: no words followed its last tool call.",
    limit_reached: "The agent has answered too often in a row (maxAutoResponds): a person must answer this.",
  },
  remedy: {
    not_authenticated: "Log in with `iflow` in a terminal, or set agent.auth in the plugin's config.",
    agent_too_old: "Update iFlow, in the way in which it was installed.",
    agent_missing:
      "Install the community edition (its command is iflow-ce), or set agent.command in the plugin's config.",
    model_silent: "iflowTimeout sets how long the model may be silent.",
    tool_timeout: "toolTimeoutMinutes sets how long a tool may run.",
  },
  where: (workdir, mode) => `${workdir} · permissions: ${mode}`,
  unsent: (count) =>
    count === 1 ? "1 message that waited was not sent." : `${count} messages that waited were not sent.`,
  slotsHeld: (names) =>
    `${names.join(", ")} ${names.length === 1 ? "holds a slot and waits" : "hold slots and wait"} for your answer; unanswered for two minutes, room is made all the same.`,
  running: (tool) => `It runs ${tool}.`,
  held: (time) => `It now holds for ${time} more.`,
  resumedWith: (words) => `Their words: ${words}`,
  partly: (shown, total) => `[… ${shown} of ${total} characters are shown …]`,
  showAll: "Show all",
  more: (count) => `… and ${count} more`,
  mayBeMissing: (name) =>
    `⚠️ ${name}: the connection broke while a message was sent, so it may not have arrived here.\nRead it: /iflow_output ${name}\nWhat is open: /iflow_sessions`,
  elsewhere: (name) => `(The chat of ${name} takes nothing now, so this comes here.)`,
  typed: {
    waitsForRest: (command, units) =>
      `⏳ ${command} fills a message (${units} characters here). It starts when its rest has come.`,
    restMissing: (command, units) =>
      `Nothing was started: ${command} filled a message (${units} characters here), and its rest did not come. Send all of it again; if that was all, make it a little shorter. A long text can also stand in a file below the working directory that your words name.`,
    attachment: (command) =>
      `Nothing was started: pictures and files that come with ${command} are not passed on to iFlow. Send the words alone; a file can be put below the working directory and named in them.`,
  },
  options: Object.fromEntries([...PLAN_OPTIONS, ...FRESH_START_OPTIONS].map(({ id, label }) => [id, label])),
  freshStart: FRESH_START_TEXT,
  markPlace: { number: "<number>", letter: "<letter>" },
  wordsPlace: "<answer>",
  severalAllowed: (example, mark) => `Several ${mark}s are possible, such as ${example}.`,
  effects: EFFECTS,
  answers: {
    which: "Which one? Nothing was answered yet.",
    already: (name, answer) =>
      answer === undefined
        ? `${name}: that question is over, without an answer`
        : `${name}: already answered: ${answer}`,
    nothingAnswered: "Nothing else was answered.",
    passedOn: (name) => `${name}: your words were passed on.`,
  },
  over: {
    answered: (answer, from) => `↩️ ${answer} (${FROM[from]})`,
    denied: "⌛ Nobody answered in time, so the answer is no.",
    dropped: "◻️ Not asked any more: its turn or session has ended.",
  },
  contentHidden: "(content hidden in safe mode)",
  codeHidden: "(code hidden in safe mode)",
  reply: {
    launched: (name, mode) => `↩️ ${name} launched · permissions: ${mode}`,
    queued: (name, mode, place) => `⏳ ${name} waits in line (place ${place}) · permissions: ${mode}`,
    taken: (name, what, how) =>
      `↩️ ${name}: ${what === undefined ? TAKEN[how].message : `${TAKEN[how].answer} ${what}`}`,
    stillOpen: (ids) => `Still open: ${ids.join(", ")}`,
    stopped: (name, time) => `⛔ ${name} stopped${took(time)}`,
    closed: (name) => `✅ ${name} closed; it was idle`,
    resumed: (name) => `↩️ ${name} goes on`,
    forked: (name, into, how) =>
      `↩️ ${into} goes on from ${name}, ${how === "copied" ? "with a copy of its history" : "fresh, with a summary of its history"}`,
    following: (name) => `▍Following ${name}; /iflow_bg ${name} stops it.`,
    repeats: "Its last turn failed, so that turn's message is sent again.",
    willBeTold: "You will be told when it asks, finishes or fails.",
    nothingNew: "(nothing new)",
  },
  next: {
    readWhole: (command) => `All of it: ${command}`,
    watch: (name) => `Watch it: /iflow_fg ${name}`,
    withdraw: (name) => `It starts by itself. Withdraw it: /iflow_kill ${name}`,
    choose: (command, mark) => `Reply with the ${mark}, or: ${command}`,
    chooseOrSay: (command, mark) => `Reply with the ${mark}. In your own words: ${command}`,
    say: (command) => `Answer: ${command}`,
    each: (command) => `Answer each by its id: ${command}`,
    deadline: (left) => `No answer within ${left} counts as no.`,
    goOn: (name) => `Go on: /iflow_respond ${name} <message>`,
    retry: (name) => `Try again with the same context: /iflow_resume ${name}`,
    resumeLater: (name) => `Go on later: /iflow_resume ${name}`,
    carryOn: (name) => `Nothing was repeated. Go on: /iflow_respond ${name} continue`,
    stop: (name) => `Stop it: /iflow_kill ${name}`,
    readBefore: (length, command) =>
      `… ${counted(length)} ${length === 1 ? "character" : "characters"} before this: ${command}`,
  },
};
