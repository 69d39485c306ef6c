/**
 * The language of the demo agent: prompt text -> steps.
 * Owns: which words mean what. Does not own: what carrying out a step does (turn.mjs, and the in-memory fake of the tests).
 *
 * One directive a line; lines that are none are ignored. A prompt without any directive yields no steps, and the agent echoes it.
 * README.md of this folder lists all of them.
 */

const unescape = (text) => text.replace(/\\([\\nt])/g, (_, letter) => ({ "\\": "\\", n: "\n", t: "\t" })[letter]);
const list = (text, separator) =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== "");
const withNewline = (text) => (text.endsWith("\n") ? text : `${text}\n`);

function question(text, multiSelect) {
  const [words = "", ...labels] = list(text, "|");
  const options = labels.map((label) => {
    const [name = "", description] = list(label, "=");
    return description === undefined ? { label: name } : { label: name, description };
  });
  return { question: unescape(words), header: words.split(/\s+/)[0] ?? "", options, multiSelect };
}

const TWO_QUESTIONS = [
  question("Which database? | Postgres = a server | SQLite = a file", false),
  question("Which extras? | Tests | Docs | CI", true),
];

/** Pattern -> step. The first that fits a line wins, so the longer words come first. */
const DIRECTIVES = [
  [/^say:\s?(.*)$/, (text) => ({ kind: "say", text: unescape(text) })],
  [/^think:\s?(.*)$/, (text) => ({ kind: "think", text: unescape(text) })],
  [/^end-question:\s?(.*)$/, (text) => ({ kind: "say", text: unescape(text), last: true })],
  [/^long (\d+)$/, (lines) => ({ kind: "long", lines: Number(lines) })],
  [/^stamps (\d+)$/, (frames) => ({ kind: "stamps", frames: Number(frames) })],
  [/^burst (\d+)$/, (frames) => ({ kind: "burst", frames: Number(frames) })],
  [
    /^pace (\d+) (\d+)$/,
    (frames, perSecond) => ({ kind: "pace", frames: Number(frames), perSecond: Number(perSecond) }),
  ],
  [
    /^write2 (\S+) (\S+)$/,
    (a, b) => ({ kind: "write", files: [a, b].map((path) => ({ path, content: `${path}\n` })) }),
  ],
  [
    /^write ([^:]+):\s?(.*)$/,
    (path, content) => ({ kind: "write", files: [{ path: path.trim(), content: withNewline(unescape(content)) }] }),
  ],
  [
    /^edit ([^:]+):\s?(.*?)\s*=>\s*(.*)$/,
    (path, oldText, newText) => ({
      kind: "edit",
      path: path.trim(),
      oldText: unescape(oldText),
      newText: unescape(newText),
    }),
  ],
  [/^read (\S+)$/, (path) => ({ kind: "read", path })],
  [/^run:\s?(.*)$/, (command) => ({ kind: "run", command })],
  [/^ask\*:\s?(.*)$/, (text) => ({ kind: "ask", questions: [question(text, true)] })],
  [/^ask:\s?(.*)$/, (text) => ({ kind: "ask", questions: [question(text, false)] })],
  [/^two questions$/, () => ({ kind: "ask", questions: TWO_QUESTIONS })],
  [/^plan:\s?(.*)$/, (text) => ({ kind: "plan", plan: unescape(text) })],
  [/^todo:\s?(.*)$/, (text) => ({ kind: "todo", items: list(text, ";") })],
  [/^sub-agent:\s?(.*)$/, (text) => ({ kind: "sub-agent", task: text })],
  [/^sleep (\d+)$/, (ms) => ({ kind: "sleep", ms: Number(ms) })],
  [/^stop (max_tokens|refusal)$/, (reason) => ({ kind: "stop", reason })],
  [/^fail:\s?(.*)$/, (message) => ({ kind: "fail", message })],
  [/^crash(?: (\d+|SIG[A-Z]+))?$/, (how = "1") => ({ kind: "crash", how })],
  [/^hang$/, () => ({ kind: "hang" })],
  [/^huge (\d+)$/, (bytes) => ({ kind: "huge", bytes: Number(bytes) })],
  [/^stderr (\d+)$/, (bytes) => ({ kind: "stderr", bytes: Number(bytes) })],
  [/^raw:\s?(.*)$/, (text) => ({ kind: "raw", text: unescape(text) })],
  [/^split:\s?(.*)$/, (text) => ({ kind: "split", text: unescape(text) })],
  [/^env (\w+)$/, (name) => ({ kind: "env", name })],
  [/^settings$/, () => ({ kind: "settings" })],
  [/^recall$/, () => ({ kind: "recall" })],
];

function step(line) {
  for (const [pattern, make] of DIRECTIVES) {
    const found = pattern.exec(line);
    if (found !== null) return make(...found.slice(1));
  }
  return undefined;
}

/** Steps of a prompt, in order; empty when no line is a directive. */
export function parseScript(text) {
  return text
    .split("\n")
    .map((line) => step(line.trim()))
    .filter((found) => found !== undefined);
}

/** What is answered to a prompt without directives. */
export function echo(text) {
  const words = text.replace(/\s+/g, " ").trim();
  const short = words.length > 160 ? `${words.slice(0, 160)}...` : words;
  return `I have read "${short}" and have nothing to do for it.`;
}

/** Line `n` (from 1) of a long answer. */
export function longLine(n, of) {
  return `Line ${n} of ${of}: the quick brown fox jumps over the lazy dog, and 敏捷的狐狸 does so too.\n`;
}
