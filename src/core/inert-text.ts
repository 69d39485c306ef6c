/**
 * Text as the host's ways out must not take it: as markup to drop, or as orders to carry out.
 * The host looks for directives in whatever is sent (a line that begins with `MEDIA:` attaches a file of the machine, `![](...)` fetches
 * one, `[[reply_to:...]]` redirects) and drops what looks like an HTML tag. Inside Markdown code it does neither (host facts).
 * Owns: putting just those marks into inline code, so that iFlow's words arrive whole and order nothing.
 * Does not own: what a model reads (fence.ts).
 */

/** Outside of code: directives, the mark of an image, a tag up to its end where that is on the same line. */
const ACTIVE =
  /^\s*(?<media>MEDIA:)|(?<image>!)(?=\[)|(?<order>\[\[)(?=\s*(?:reply_to|audio_as_voice))|(?<tag><\/?[a-z][\w.:-]*(?:>|\s[^<>`\n]*>|(?=[\s/]|$)))/giu;
const AUTOLINK = /^<(?:https?|mailto):/i;
const FENCE = /^ {0,3}(?<mark>`{3,}|~{3,})/;

export function inertText(text: string): string {
  if (!/[<[]|media:/i.test(text)) return text;
  const mark = unusedMark(text);
  let open: string | undefined;
  const lines = text.split("\n").map((line) => {
    const fence = FENCE.exec(line)?.groups?.["mark"];
    if (open !== undefined) {
      if (fence !== undefined && closes(line, fence, open)) open = undefined;
      return line;
    }
    if (fence !== undefined) {
      open = fence;
      return line;
    }
    return inertLine(line, mark);
  });
  return lines.join("\n");
}

function closes(line: string, fence: string, open: string): boolean {
  return fence[0] === open[0] && fence.length >= open.length && line.trim() === fence;
}

/** A run of backticks of a length that the text has nowhere: it pairs with none of the text's own. */
function unusedMark(text: string): string {
  const lengths = new Set([...text.matchAll(/`+/g)].map(([run]) => run.length));
  let length = 1;
  while (lengths.has(length)) length += 1;
  return "`".repeat(length);
}

/** What stands in inline code that ends on the same line stays as it is. */
function inertLine(line: string, mark: string): string {
  let result = "";
  let from = 0;
  for (const code of line.matchAll(/(?<!`)(`+)(?!`)(?:.*?[^`])\1(?!`)/g)) {
    result += inertProse(line.slice(from, code.index), mark) + code[0];
    from = code.index + code[0].length;
  }
  return result + inertProse(line.slice(from), mark);
}

function inertProse(prose: string, mark: string): string {
  return prose.replace(ACTIVE, (found: string) => {
    const active = found.trimStart();
    if (AUTOLINK.test(active)) return found;
    return found.slice(0, found.length - active.length) + mark + active + mark;
  });
}
