/**
 * Where Markdown's fenced code blocks begin and end: the one rule for all who cut a text, leave code out of it or look for orders in it.
 * Owns: CommonMark's blocks as far as a fence depends on them: lists, quotes, paragraphs, indented code. Raw HTML counts as words,
 * as it does for the host.
 * Invariants: linear in the text; `sure` is said only where readers of Markdown agree. What is not sure is a guess to display by,
 * and never a reason to let an order pass.
 */

/** A code block that is open: how it began, so that it can be closed and begun again. */
export interface CodeBlock {
  /** What stands before its mark: spaces, also in the place of list markers, and the marks of quotes. */
  readonly prefix: string;
  readonly mark: string;
  readonly language: string;
}

export interface TextLine {
  readonly start: number;
  /** One past its line end. */
  readonly end: number;
  /** The block that this line lies in or closes. */
  readonly before: CodeBlock | undefined;
  /** The block that is open behind it. */
  readonly after: CodeBlock | undefined;
  readonly isBlank: boolean;
  readonly sure: boolean;
}

export function textLines(text: string): readonly TextLine[] {
  const lines: TextLine[] = [];
  const blocks = new Blocks();
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline + 1;
    const line = text.slice(start, newline === -1 ? end : newline).replace(/\r$/, "");
    const before = blocks.take(line);
    lines.push({ start, end, before, after: blocks.open, isBlank: /^\s*$/.test(line), sure: blocks.sure });
    start = end;
  }
  return lines;
}

/** The line belongs to a code block: it lies in one, opens or closes one. */
export function isCode({ before, after }: TextLine): boolean {
  return before !== undefined || after !== undefined;
}

export function isFence({ before, after }: TextLine): boolean {
  return before !== after;
}

/** The block that is open at the end of a text. */
export function blockAtEnd(text: string): CodeBlock | undefined {
  return textLines(text).at(-1)?.after;
}

/** The line that begins a block again; "" without one. */
export function openingOf(block: CodeBlock | undefined): string {
  return block === undefined ? "" : `${block.prefix}${block.mark}${block.language}\n`;
}

/** What ends a block behind `body`; "" without one. */
export function closingOf(block: CodeBlock | undefined, body: string): string {
  return block === undefined ? "" : `${body.endsWith("\n") ? "" : "\n"}${block.prefix}${block.mark}`;
}

type Container =
  | { readonly kind: "quote" }
  /** `width`: so many columns belong to its marker. `isEmpty`: nothing but blank lines so far. */
  | { readonly kind: "item"; readonly width: number; isEmpty: boolean };

/** More than people nest; beyond, nothing is sure. */
const DEEPEST = 24;
const LANGUAGE_LENGTH = 24;
const DEEPEST_PREFIX = 3;

const FENCE = /^(`{3,}|~{3,})(.*)$/su;
const THEMATIC_BREAK = /^(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^(?:[-+*]|(\d{1,9})[.)])(?= |$)/;
/** The line under a table's head, as far as it can be told from words. */
const TABLE_RULE = /^(?=.*-)(?=.*[|:])[|:\- ]+$/;

/** What is open, line after line. */
class Blocks {
  #containers: Container[] = [];
  #fence: CodeBlock | undefined;
  /** A paragraph is open: the next line may go on with it whatever it begins with. */
  #paragraph: "none" | "words" | "table" = "none";
  /** The line before was indented code. */
  #wasIndented = false;
  #sure = true;

  get open(): CodeBlock | undefined {
    return this.#fence;
  }

  get sure(): boolean {
    return this.#sure;
  }

  /** Gives the block that the line lies in or closes. */
  take(raw: string): CodeBlock | undefined {
    // Only some readers take these for line ends.
    if (/[\r\0]/.test(raw)) this.#sure = false;
    const line = raw.includes("\t") ? withoutTabs(raw) : raw;
    const { matched, at } = this.#match(line);
    const isInside = matched === this.#containers.length;
    const fence = this.#fence;
    if (fence !== undefined && isInside) {
      if (closes(line.slice(at), fence)) this.#fence = undefined;
      return fence;
    }
    this.#fence = undefined;
    this.#begin(line, at, matched);
    return undefined;
  }

  /** How many of the open containers go on in this line, and where their content begins. */
  #match(line: string): { readonly matched: number; readonly at: number } {
    let at = 0;
    let matched = 0;
    for (const container of this.#containers) {
      const indent = indentAt(line, at);
      const isBlank = at + indent >= line.length;
      if (container.kind === "quote") {
        if (indent > 3 || line[at + indent] !== ">") break;
        at += indent + 1 + (line[at + indent + 1] === " " ? 1 : 0);
      } else if (isBlank) {
        if (container.isEmpty) break;
        at = line.length;
      } else {
        if (indent < container.width) break;
        at += container.width;
        container.isEmpty = false;
      }
      matched += 1;
    }
    return { matched, at };
  }

  /** A line outside of code blocks: what it begins. */
  #begin(line: string, from: number, matchedBefore: number): void {
    let at = from;
    let matched = matchedBefore;
    let isNew = false;
    const wasParagraph = this.#paragraph !== "none";
    for (;;) {
      const indent = indentAt(line, at);
      const rest = line.slice(at + indent);
      const inParagraph = !isNew && this.#paragraph !== "none";
      if (rest === "") {
        this.#close(matched, "none");
        return;
      }
      if (indent > 3) {
        // A paragraph that goes on, or indented code.
        if (inParagraph) return;
        this.#close(matched, "none");
        this.#wasIndented = true;
        return;
      }
      const marker = this.#marker(rest, inParagraph && matched === this.#containers.length);
      if (marker === undefined) {
        this.#leaf(line, rest, { matched, inParagraph });
        return;
      }
      const { container, length } = marker;
      // Whether what interrupts a paragraph may hold a list of this kind, readers disagree.
      if (isNew && wasParagraph && !marker.interrupts) this.#sure = false;
      if (matched >= DEEPEST) {
        this.#sure = false;
        this.#close(matched, "words");
        return;
      }
      this.#close(matched, "none");
      this.#containers.push(container.kind === "item" ? { ...container, width: container.width + indent } : container);
      at += indent + length;
      matched = this.#containers.length;
      isNew = true;
    }
  }

  /** The container that begins here. */
  #marker(
    rest: string,
    inParagraph: boolean,
  ): { readonly container: Container; readonly length: number; readonly interrupts: boolean } | undefined {
    if (rest.startsWith(">"))
      return { container: { kind: "quote" }, length: rest[1] === " " ? 2 : 1, interrupts: true };
    if (THEMATIC_BREAK.test(rest)) return undefined;
    const found = ITEM.exec(rest);
    if (found === null) return undefined;
    const [marker, number] = found;
    const spaces = indentAt(rest, marker.length);
    const isEmpty = marker.length + spaces >= rest.length;
    const interrupts = !isEmpty && (number === undefined || Number(number) === 1);
    if (inParagraph && !interrupts) {
      // A paragraph is not interrupted by it; a table is.
      if (this.#paragraph === "table") this.#sure = false;
      return undefined;
    }
    if (this.#wasIndented && !interrupts) this.#sure = false;
    const length = marker.length + (isEmpty || spaces > 4 ? 1 : spaces);
    return { container: { kind: "item", width: length, isEmpty }, length, interrupts };
  }

  #leaf(
    line: string,
    rest: string,
    { matched, inParagraph }: { readonly matched: number; readonly inParagraph: boolean },
  ): void {
    const [, mark, info = ""] = FENCE.exec(rest) ?? [];
    if (mark !== undefined && !(mark.startsWith("`") && info.includes("`"))) {
      this.#close(matched, "none");
      this.#fence = { prefix: prefixOf(line.slice(0, line.length - rest.length)), mark, language: languageOf(info) };
      return;
    }
    const isInside = matched === this.#containers.length;
    if (/^#{1,6}(?: |$)/.test(rest) || THEMATIC_BREAK.test(rest)) {
      this.#close(matched, "none");
      return;
    }
    if (inParagraph && isInside && /^(?:=+|-+) *$/.test(rest)) {
      if (this.#paragraph === "table") this.#sure = false;
      this.#paragraph = "none";
      return;
    }
    if (inParagraph) {
      this.#goOn(rest, isInside);
      return;
    }
    // Raw HTML and definitions of links go on by rules of their own, which not every reader has.
    if (/^<[!?]/.test(rest) || /^\[(?:.*\]:|[^\]]*$)/.test(rest)) this.#sure = false;
    this.#close(matched, "words");
  }

  /** A paragraph goes on, perhaps without the marks of its quote or the indent of its item. */
  #goOn(rest: string, isInside: boolean): void {
    if (/^<[!?]/.test(rest)) this.#sure = false;
    if (TABLE_RULE.test(rest)) {
      if (!isInside) this.#sure = false;
      this.#paragraph = "table";
    } else if (this.#paragraph === "table" && !(rest.includes("|") && isInside)) {
      this.#sure = false;
    }
  }

  #close(matched: number, paragraph: "none" | "words"): void {
    this.#containers.length = matched;
    this.#paragraph = paragraph;
    this.#wasIndented = false;
  }
}

function closes(rest: string, { mark }: CodeBlock): boolean {
  const indent = indentAt(rest, 0);
  const run = rest.slice(indent).trimEnd();
  return indent <= 3 && run.length >= mark.length && run === (mark[0] ?? "").repeat(run.length);
}

function indentAt(line: string, at: number): number {
  let end = at;
  while (line[end] === " ") end += 1;
  return end - at;
}

function withoutTabs(line: string): string {
  let wide = "";
  for (const part of line.split(/(?<=\t)/)) {
    const words = part.replace("\t", "");
    wide += words;
    if (words.length < part.length) wide += " ".repeat(4 - (wide.length % 4));
  }
  return wide;
}

/** Without a list around it, more than three spaces would make indented code of the mark. */
function prefixOf(before: string): string {
  const spaced = before.replace(/[^ >]/g, " ");
  return spaced.includes(">") ? spaced.trimStart() : spaced.slice(0, DEEPEST_PREFIX);
}

function languageOf(info: string): string {
  const [language = ""] = info.trim().split(/\s+/u);
  return language.length > LANGUAGE_LENGTH ? "" : language;
}
