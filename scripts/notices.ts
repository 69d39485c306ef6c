/**
 * `npm run notices`: writes THIRD-PARTY-NOTICES.md, the licences of every package whose code is in the bundle.
 * With --check it only compares. What is in the bundle is asked of the bundler, not of package.json.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, runTool } from "./tool.ts";

const FILE = join(ROOT, "THIRD-PARTY-NOTICES.md");
const HEAD = `# Third-party notices

The bundle of this package (dist/index.js) contains code of the packages below, under their own licences.
Written by \`npm run notices\`.
`;

interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
}

async function bundledFolders(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "iflow-plugin-notices-"));
  try {
    const { code, output } = await runTool("tsup", ["--silent", "--metafile", "--out-dir", folder]);
    if (code !== 0) throw new Error(`The build failed:\n${output}`);
    const metafile = JSON.parse(await readFile(join(folder, "metafile-esm.json"), "utf8")) as Metafile;
    const inputs = Object.values(metafile.outputs).flatMap((made) =>
      Object.entries(made.inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
    );
    return [...new Set(inputs.map(packageFolder).filter((path) => path !== undefined))].toSorted();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function packageFolder(file: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

async function noticeOf(folder: string): Promise<string> {
  const path = join(ROOT, folder);
  const manifest = JSON.parse(await readFile(join(path, "package.json"), "utf8")) as Record<string, unknown>;
  const { name, version, license } = manifest;
  const texts = (await readdir(path)).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file)).toSorted();
  if (texts.length === 0)
    throw new Error(`${String(name)} has no licence file; write its notice by hand in scripts/notices.ts.`);
  const words = await Promise.all(texts.map((file) => readFile(join(path, file), "utf8")));
  const body = words.map((text) => text.replaceAll("\r\n", "\n").trim()).join("\n\n");
  return `\n## ${String(name)} ${String(version)} (${String(license)})\n\n\`\`\`text\n${body}\n\`\`\`\n`;
}

const notices = `${HEAD}${(await Promise.all((await bundledFolders()).map(noticeOf))).join("")}`;
if (process.argv.includes("--check")) {
  const there = await readFile(FILE, "utf8").catch(() => "");
  if (there !== notices) {
    process.stderr.write("THIRD-PARTY-NOTICES.md is not what the bundle contains: run `npm run notices`.\n");
    process.exitCode = 1;
  }
} else {
  await writeFile(FILE, notices);
}
