/** The documents name files, places and commands that exist, and the Chinese ones have what the English ones have. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { operations } from "../src/operations/table.ts";
import { DOCUMENTS, READMES } from "./readme-blocks.ts";

const ROOT = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const OPERATIONS = operations(() => undefined);
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

/** The file that CONTRIBUTING.md has its reader write. */
const EXAMPLE = "src/operations/rename.ts";

describe("CONTRIBUTING.md", () => {
  const text = read("CONTRIBUTING.md");

  test("names files that exist", () => {
    const named = [...text.matchAll(/`((?:src|test|bench|scripts|skills)\/[\w./-]+)`/g)].map(([, file = ""]) => file);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((file) => file !== EXAMPLE && !existsSync(join(ROOT, file)))).toEqual([]);
  });

  test("names scripts that exist", () => {
    const named = [...text.matchAll(/npm run (\w+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test.each([
    ["src/operations/operation.ts", "OperationName"],
    ["scripts/reference-tables.ts", "const ANSWERS"],
    ["src/core/session.ts", "type NoticeKind"],
    ["src/core/draft.ts", "const WAKING"],
    ["src/core/draft.ts", "const FINAL"],
    ["src/engine/governor.ts", "const RANK"],
    ["src/agent/acp-transport.ts", "interface AcpTransport"],
    ["src/compose.ts", "function agentOptions"],
  ])("%s has what it says: %s", (file, words) => expect(read(file)).toContain(words));
});

describe("README.zh.md", () => {
  const [english, chinese] = [read("README.md"), read("README.zh.md")];
  const doors = (text: string): readonly string[] =>
    [...text.matchAll(/^\|[^|]*\| (`iflow_\w+` \| .*?) \| `iflow\.\w+`/gm)].map(([, door = ""]) =>
      door.replaceAll("，", ", "),
    );

  test("has the same doors", () => {
    expect(doors(chinese)).toHaveLength(OPERATIONS.length);
    expect(doors(chinese)).toEqual(doors(english));
  });

  test("has the same shell commands", () => {
    const commands = (text: string): string[] =>
      [...text.matchAll(/^(?:openclaw|npm) .*$/gm)].map(([line]) => line.replace(/\s+#.*/, ""));
    expect(commands(chinese)).toEqual(commands(english));
  });

  test.each([...chinese.matchAll(/^(?:you\s+)?(\/iflow.*)$/gm)].map(([, line = ""]) => line))(
    "%s is a command",
    (line) => {
      const [, word = "", args = ""] = /^\/(\w+)\s*(.*)$/.exec(line) ?? [];
      const operation = OPERATIONS.find(({ command }) => command === word);
      expect(operation?.parseCommand(args)).toMatchObject({ ok: "params" });
    },
  );
});

/** The parts of a document in their order, whatever language they are in: headings, tables and lists with their length, code blocks. */
function shape(text: string): readonly string[] {
  const parts: { kind: string; lines: number }[] = [];
  let inCode = false;
  for (const line of text.split("\n")) {
    const [, mark = ""] = /^(#+ |\||- |```\w*)/.exec(line) ?? [];
    const isFence = mark.startsWith("```");
    if (isFence) inCode = !inCode;
    if ((isFence && !inCode) || (!isFence && inCode)) continue;
    const last = parts.at(-1);
    const goesOn = (mark === "|" || mark === "- ") && last?.kind === mark;
    if (goesOn) last.lines += 1;
    else parts.push({ kind: mark, lines: 1 });
  }
  return parts.filter(({ kind }) => kind !== "").map(({ kind, lines }) => `${kind.trim()} ${lines}`);
}

test.each([
  ["README.md", "README.zh.md"],
  ["docs/reference.md", "docs/reference.zh.md"],
])("%s has as many parts as %s, in the same order", (english, chinese) => {
  expect(shape(read(english)).length).toBeGreaterThan(15);
  expect(shape(read(chinese))).toEqual(shape(read(english)));
});

/** As GitHub makes the anchor of a heading. */
function anchors(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test.each([...DOCUMENTS, "CONTRIBUTING.md", "DESIGN.md", "DECISIONS.md"])("the links of %s lead somewhere", (file) => {
  const links = [...read(file).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
    ([, link, picture]) => link ?? picture ?? "",
  );
  const broken = links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? file : join(dirname(file), path);
    return !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchors(read(target)).includes(anchor));
  });
  expect(broken).toEqual([]);
});

/** A README is read over slow lines as well, and its pictures are in the package. */
const LARGEST_PICTURE_BYTES = 150_000;

test("each picture has its twin for dark pages, is a PNG, small, and shown by both READMEs (`npm run pictures` makes them)", () => {
  const pictures = readdirSync(join(ROOT, "docs", "pictures"));
  expect(pictures.length).toBeGreaterThan(1);
  for (const name of pictures) {
    expect(pictures).toContain(
      name.replace(/-(light|dark)\.png$/, (_, one) => `-${one === "dark" ? "light" : "dark"}.png`),
    );
    const bytes = readFileSync(join(ROOT, "docs", "pictures", name));
    expect(bytes.subarray(1, 4).toString("latin1")).toBe("PNG");
    expect(bytes.length).toBeLessThan(LARGEST_PICTURE_BYTES);
    for (const readme of READMES) expect(read(readme)).toContain(`"docs/pictures/${name}"`);
  }
});

describe("DECISIONS.md", () => {
  const numbers = [...read("DECISIONS.md").matchAll(/^### (\d+)\. /gm)].map(([, number]) => Number(number));

  test("numbers its decisions without gaps", () => {
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThan(20);
  });

  test("has each decision that code and tests cite", () => {
    const files = ["src", "test", "scripts", "bench", "demo", "demo-agent"].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => join(folder, file)),
    );
    const cited = files.flatMap((file) =>
      [...read(file).matchAll(/decisions? (\d+(?:(?:, | and | to |-)\d+)*)/g)].flatMap(([, list = ""]) =>
        [...list.matchAll(/\d+/g)].map(([number]) => ({ file, number: Number(number) })),
      ),
    );
    expect(cited.length).toBeGreaterThan(40);
    expect(cited.filter(({ number }) => !numbers.includes(number))).toEqual([]);
  });
});
