/**
 * The project that the pictures show at work, and the parts that the demo agent plays in it.
 * Its login tests fail until the demo agent's edit, and pass after it (`scripts/pictures.ts` sees to that).
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export const FIX = "Fix the failing login tests in test/auth";

const SESSION = "src/auth/session.ts";

const session = (comparison: string): string =>
  [
    "export function isValid(token: string, secret: string): boolean {",
    `  return ${comparison};`,
    "}",
    "",
    "function decode(token: string): string {",
    '  return Buffer.from(token, "base64url").toString("utf8");',
    "}",
    "",
  ].join("\n");

const LOGIN_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { isValid } from "../../src/auth/session.ts";

for (let user = 1; user <= 14; user += 1) {
  const secret = \`secret of user \${user}\`;
  test(\`user \${user} may log in\`, () => {
    assert.ok(isValid(Buffer.from(secret).toString("base64url"), secret));
  });
}
`;

const FILES: Readonly<Record<string, string>> = {
  "package.json": '{ "name": "webapp", "type": "module" }\n',
  [SESSION]: session("token === secret"),
  "test/auth/login.test.ts": LOGIN_TEST,
};

export function writeWebapp(dir: string): void {
  write(dir, FILES);
}

export function testsPass(dir: string): boolean {
  return spawnSync(process.execPath, ["--test"], { cwd: dir }).status === 0;
}

function write(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), content);
  }
}

const WRITE = `write ${SESSION}: ${session("decode(token) === secret").replaceAll("\n", String.raw`\n`)}`;

/** Words of a prompt -> directives (DEMO_AGENT_PARTS). */
export const PARTS: Readonly<Record<string, readonly string[]>> = {
  [FIX]: [
    `read ${SESSION}`,
    WRITE,
    "run: node --test",
    `say: All 14 tests pass now. The token was compared before it was decoded: \`isValid\` in \`${SESSION}\` decodes it first.`,
  ],
};
