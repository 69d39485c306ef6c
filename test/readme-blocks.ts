/**
 * The code blocks of the READMEs and of docs/reference.md and its Chinese twin, and by what each of their lines is kept true.
 * 1. Every block is one of: shell lines that a test runs as they stand, shell lines that are run elsewhere or have a reason why not,
 *    JSON and chat commands that a test parses, pictures. What fits nowhere fails test/readme.test.ts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Block {
  readonly file: string;
  /** The heading above it, in the words of its file. */
  readonly heading: string;
  readonly language: string;
  readonly lines: readonly string[];
}

export const READMES = ["README.md", "README.zh.md"] as const;

/** What users read: English and Chinese, in pairs. */
export const DOCUMENTS = [...READMES, "docs/reference.md", "docs/reference.zh.md"] as const;

/**
 * The headings whose shell blocks test/gateway/readme.test.ts runs line by line, in this order, on a new machine; the Chinese ones
 * are the same commands (test/documents.test.ts).
 */
export const WALKED: Readonly<Record<(typeof READMES)[number], string>> = {
  "README.md": "Start in 60 seconds",
  "README.zh.md": "60 秒上手",
};

/** Shell lines outside of these: where they are run, or why not. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  "npm run demo": "test/demo/demo.test.ts",
  "npm test": "it is what runs this test",
};

/** Blocks to look at, by a line of theirs: the dialogue (its typed lines are parsed) and the tree of events. */
export const PICTURES: Readonly<Record<string, string>> = {
  "plugin   ↩️ Launched login":
    "a dialogue; its notices are held to the words of the code, its typed lines are parsed and walked",
  iflow_launch: "a tree; its order is tested in test/core and test/gateway/survival.test.ts",
};

export function blocksOf(file: string): readonly Block[] {
  const text = readFileSync(join(import.meta.dirname, "..", file), "utf8");
  const blocks: Block[] = [];
  let heading = "";
  let open: { language: string; lines: string[] } | undefined;
  for (const line of text.split("\n")) {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) {
      if (open !== undefined) open.lines.push(line);
      else heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    } else if (open === undefined) open = { language: fence[1] ?? "", lines: [] };
    else {
      blocks.push({ file, heading, ...open });
      open = undefined;
    }
  }
  return blocks;
}

/** Shell lines as a reader copies them, without the remark behind. */
export function shellLines({ lines }: Block): readonly string[] {
  return lines.map((line) => line.replace(/\s+#.*$/, "").trim()).filter((line) => line !== "");
}

/** What people type in a chat, also within a dialogue. */
export function typedLines({ lines }: Block): readonly string[] {
  return lines.flatMap((line) => /^(?:you\s+)?(\/iflow.*)$/.exec(line)?.[1] ?? []);
}
