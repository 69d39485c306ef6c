/**
 * Text as the host's ways out must not take it: as markup to drop, or as orders to carry out.
 * The host looks for directives in whatever is sent (a line that begins with `MEDIA:` attaches a file of the machine, `![](...)` fetches
 * one, `[[reply_to:...]]` redirects) and drops what looks like an HTML tag or like a model's own marks. Inside Markdown code it does
 * neither, but for a few marks (host facts).
 * What nobody sees, and what would change how a line reads, goes.
 * Owns: putting just those marks into inline code, so that iFlow's words arrive whole and order nothing.
 * Invariant: a mark stays as it is only where every supported host sees code; where their readings could differ it is taken for prose.
 * Does not own: what a model reads (fence.ts), where code is (code-block.ts).
 */
import { isCode, textLines, type TextLine } from "./code-block.ts";
import { visible } from "./fence.ts";

/** Takes no room and is no white space: parts two marks that must not touch. */
const JOINER = "\u2060";

/**
 * Outside of code: the mark of an image, a directive, a tag up to its end where that is on the same line, a model's own tokens.
 * Those that touch are one. Addresses between angle brackets are none.
 */
const ACTIVE =
  /(?:!(?=\[)|\[\[(?=\s*(?:reply_to|audio_as_voice))|\[(?=\s*\/?\s*(?:tool_(?:call|result)|tool (?:call|result)|historical context))|(?!<(?:https?|mailto):)(?:<\/?[a-z][\w.:-]*(?:>|\s[^<>`\n|]*>|(?=[\s/]|$))|<\s{0,8}\/?\s{0,8}(?:think|thought|antthinking|reason|final|details|summary|relevant|tool|function|invoke|parameter)|<\/?(?=[a-z])|<(?=[|｜])|<\](?=minimax)))+/giu;
const MEDIA = /^(\s*)(media:)/i;
/** Lines that the host takes for a trace of its own agent's work, or for a call of a tool. */
const TRACE =
  /^([\s>]*)((?:⚠️?\s*)?(?:📊|🛠️?|📖|📝|🔍|🔎|⚙️?)(?=\s)|(?:tool|function)[-_ ]?(?:call|result)\s*(?=[:=])|(?:commentary|analysis|final)(?=[ \t]+to=)|\[(?:tool:)?[\w-]{1,200}\](?![(:]))/iu;
/** Taken out of code as well. */
const ALWAYS =
  /\[(?=\[\s*(?:reply_to|audio_as_voice))|<(?=\s*\/?\s*(?:system-reminder|previous_response|prompt-data|untrusted-text)\b|<<(?:BEGIN|END)_)/giu;
const ANYTHING = /[<[📊🛠📖📝🔍🔎⚙]|media:|to=|(?:tool|function)[-_ ]?(?:call|result)/iu;

export function inertText(whole: string): string {
  const text = visible(whole);
  if (!ANYTHING.test(text)) return text;
  const mark = unusedMark(text);
  const lines = textLines(text);
  const simple = simpleFences(text);
  let inert = "";
  for (let first = 0; first < lines.length;) {
    let next = first + 1;
    while (goesOn(lines[next - 1], lines[next])) next += 1;
    const words = lines.slice(first, next).map(({ start, end }) => text.slice(start, end));
    const line = lines[first];
    const isBlock = line !== undefined && isCode(line) && line.sure;
    inert += isBlock ? inertCode(words[0] ?? "", simple[first] === true) : inertWords(words, mark);
    first = next;
  }
  return inert;
}

/** Lines that one paragraph may consist of: up to a blank one, or to a code block. */
function goesOn(line: TextLine | undefined, next: TextLine | undefined): boolean {
  return line !== undefined && next !== undefined && !line.isBlank && !next.isBlank && !isCode(line) && !isCode(next);
}

/** A run of backticks of a length that the text has nowhere: it pairs with none of the text's own. */
function unusedMark(text: string): string {
  // A backslash takes the first of a run away.
  const lengths = new Set(
    [...text.matchAll(/(\\?)(`+)/g)].flatMap(([, escape, run = ""]) => [run.length, run.length - (escape ? 1 : 0)]),
  );
  let length = 1;
  while (lengths.has(length)) length += 1;
  return "`".repeat(length);
}

/** Lines that the older host takes for code when it looks for files to attach; it knows no lists, and no rule for what follows a mark. */
function simpleFences(text: string): readonly boolean[] {
  let open: string | undefined;
  return text.split("\n").map((line) => {
    const [, mark, info = ""] = /^ {0,3}(`{3,}|~{3,})(.*)$/su.exec(line) ?? [];
    const isInside = open !== undefined;
    if (mark !== undefined && open === undefined) open = mark;
    else if (mark !== undefined && open !== undefined && mark.startsWith(open) && info.trim() === "") open = undefined;
    return isInside;
  });
}

// ---------------------------------------------------------------- inline code

/** Code in a line, from the left. */
const CODE = /(?<!`)(`+)(?!`)(?:.*?[^`])\1(?!`)/g;

/** The definition of a link: in it there is no inline code. */
const DEFINITION = /^[\s>\-+*\d.)]*\[/;

function inertWords(words: readonly string[], mark: string): string {
  // Each mark has its partner on the same line, so that no inline code reaches over a line end.
  const isPaired = words.every(isPairedLine);
  const inert = words.map((line) => inertLine(line, mark, isPaired)).join("");
  if (inert === words.join("") || !words.some((line) => DEFINITION.test(line))) return inert;
  return inert.replaceAll("]:", `]${JOINER}:`);
}

function isPairedLine(line: string): boolean {
  if (!line.includes("`")) return true;
  // An escaped mark, an address with a mark, a definition of a link, code over the cells of a table.
  if (/\\`|<[^>`]*`|^\s*\[/.test(line)) return false;
  const codes = [...line.matchAll(CODE)];
  return !codes.some(([code]) => code.includes("|")) && !line.replace(CODE, "").includes("`");
}

// ---------------------------------------------------------------- marks

/** `isSimple`: the older host sees code here too. Marks would be read as part of the code, so what parts an order takes no room. */
function inertCode(line: string, isSimple: boolean): string {
  const words = line.replace(ALWAYS, `$&${JOINER}`);
  return isSimple ? words : words.replace(MEDIA, `$1${JOINER}$2`).replace(/!(?=\[)/g, `$&${JOINER}`);
}

/** What stands in inline code stays as it is. */
function inertLine(line: string, mark: string, isPaired: boolean): string {
  const start = MEDIA.exec(line) ?? TRACE.exec(line);
  const [head = "", space = "", active = ""] = start ?? [];
  const headed = start === null ? "" : space + partedAs(mark) + mark + active + mark + partedFrom(line[head.length]);
  return headed + inertRest(line.slice(head.length), mark, { isPaired, before: headed.at(-1) });
}

function inertRest(
  line: string,
  mark: string,
  { isPaired, before }: { readonly isPaired: boolean; readonly before: string | undefined },
): string {
  if (!isPaired) return inertProse(line, mark, { before });
  let result = "";
  let from = 0;
  for (const code of line.matchAll(CODE)) {
    const around = { before: line[from - 1] ?? before, after: line[code.index] };
    result += inertProse(line.slice(from, code.index), mark, around) + inertCode(code[0], false);
    from = code.index + code[0].length;
  }
  return result + inertProse(line.slice(from), mark, { before: line[from - 1] ?? before });
}

interface Around {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** A part of a line, with the characters around it. */
function inertProse(prose: string, mark: string, { before = "", after = "" }: Around): string {
  return prose.replace(ACTIVE, (found: string, at: number) => {
    const previous = at === 0 ? before : (prose[at - 1] ?? "");
    // A mark that touches another or a backslash would not be read as one.
    const isFirst = before === "" && at <= 3 && /^ *$/.test(prose.slice(0, at));
    const parted = /[`\\]/.test(previous) ? JOINER : isFirst ? partedAs(mark) : "";
    const marked = mark + found.replace(ALWAYS, `$&${JOINER}`) + mark;
    return parted + marked + partedFrom(prose[at + found.length] ?? after);
  });
}

/** At the beginning of a line, the older host would take a long mark for a fence. */
function partedAs(mark: string): string {
  return mark.length > 2 ? JOINER : "";
}

function partedFrom(next: string | undefined): string {
  return next === "`" ? JOINER : "";
}
