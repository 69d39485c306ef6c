/** Which directories a session may work in, on a real file system, asked for in hostile ways. */
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Caller } from "../../src/core/caller.ts";
import { Workdirs } from "../../src/operations/workdir.ts";
import { PERSON } from "../engine/world.ts";

let top: string;
let workdirs: Workdirs;
const at = (...path: readonly string[]): string => join(top, ...path);

beforeAll(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), "iflow-workdir-")));
  for (const folder of ["a/b/inner", "a/bc", "a/B2", "secret/deep", "state/keys", "state/workspace/job", "other"]) {
    await mkdir(at(folder), { recursive: true });
  }
  await writeFile(at("a/b/file"), "");
  await writeFile(at("secret/file"), "");
  for (const [link, target] of [
    ["a/b/out", "secret"],
    ["a/b/up", "a"],
    ["a/b/top", ""],
    ["a/b/to-state", "state"],
    ["a/b/out-file", "secret/file"],
    ["a/b/dangling", "secret/missing"],
    ["a/b/in", "a/b/inner"],
    ["other/in", "a/b/inner"],
  ] as const)
    await symlink(at(target), at(link));
  await symlink(at("a/b/loop"), at("a/b/loop"));
  await symlink(at("a/b/out"), at("a/b/out-twice"));
  workdirs = new Workdirs({ defaultWorkdir: undefined, allowedWorkdirs: [at("a/b")], stateDir: at("state") });
});

afterAll(async () => rm(top, { recursive: true, force: true }));

const me: Caller = { ...PERSON };

async function said(path: string, caller: Caller = me, asked: Workdirs = workdirs): Promise<string> {
  const resolved = await asked.resolve(caller, path);
  return resolved.ok ? `allowed ${resolved.value}` : resolved.refusal.message;
}

/** The refusal without the path that was asked for. */
async function refusal(path: string): Promise<string> {
  return (await said(path)).replace(`"${path.slice(0, 200)}"`, "PATH");
}

const hostile: readonly (readonly [what: string, path: () => string])[] = [
  ["outside", () => at("secret")],
  ["outside, missing", () => at("nowhere")],
  ["the parent", () => at("a")],
  ["the root of the disk", () => "/"],
  ["two slashes", () => "//"],
  ["prefix sibling", () => at("a/bc")],
  ["prefix sibling, missing", () => at("a/bcd")],
  ["sibling of another case", () => at("a/B2")],
  ["another case of the root", () => at("A/b")],
  ["dots out", () => `${at("a/b")}/../../secret`],
  ["dots out, missing", () => `${at("a/b")}/../../nowhere`],
  ["dots through a missing folder", () => `${at("a/b")}/none/../../../secret`],
  ["many dots", () => `${at("a/b")}/${"../".repeat(40)}etc`],
  ["dot and slashes", () => `${at("a")}/./bc//`],
  ["link out", () => at("a/b/out")],
  ["link out, below", () => at("a/b/out/deep")],
  ["link out, below, missing", () => at("a/b/out/none")],
  ["link to a link out", () => at("a/b/out-twice")],
  ["link to the parent", () => at("a/b/up")],
  ["link to the top, then in another way", () => at("a/b/top/secret")],
  ["link to the top, missing", () => at("a/b/top/none/none")],
  ["link to a file outside", () => at("a/b/out-file")],
  ["link to what is missing outside", () => at("a/b/dangling")],
  ["below a link to what is missing", () => at("a/b/dangling/none")],
  ["link in a circle", () => at("a/b/loop")],
  ["file outside", () => at("secret/file")],
  ["below a file outside", () => at("secret/file/none")],
  ["state directory", () => at("state")],
  ["keys in the state directory", () => at("state/keys")],
  ["state directory, missing", () => at("state/none")],
  ["link to the state directory", () => at("a/b/to-state/keys")],
  ["home", () => "~"],
  ["below home, missing", () => "~/none-of-this-name"],
  ["somebody's home", () => "~root"],
  ["relative out", () => relative(homedir(), at("secret"))],
  ["NUL", () => `${at("a/b")}\0`],
  ["NUL in the middle", () => `${at("a/b")}\0/../../secret`],
  ["empty", () => ""],
  ["only spaces", () => "   "],
  ["an URL", () => "file:///etc"],
  ["a line end", () => `${at("a")}\n`],
  ["too long", () => `/${"x".repeat(5_000)}`],
];

describe("[K1] a working directory is refused", () => {
  test.each(hostile)("%s", async (_what, path) => {
    expect(await refusal(path())).toBe(
      `The directory PATH is not allowed. Allowed are, with what is below them: ${at("a/b")}.`,
    );
  });

  test("in the same words for the host's owner, when directories are set", async () => {
    const owner: Caller = { ...me, seesAll: true };
    for (const [, path] of hostile) expect(await said(path(), owner)).toBe(await said(path()));
  });

  test("in the same words whether or not what a link leads to exists", async () => {
    const words = await Promise.all(["a/b/out/deep", "a/b/out/none", "a/b/dangling"].map((path) => refusal(at(path))));
    expect(new Set(words).size).toBe(1);
  });
});

describe("[O1] a working directory is taken by its real path", () => {
  test("the root, what is below it, and links that stay in it", async () => {
    expect(await said(at("a/b"))).toBe(`allowed ${at("a/b")}`);
    expect(await said(`${at("a/b")}/`)).toBe(`allowed ${at("a/b")}`);
    expect(await said(at("a/b/inner/../inner"))).toBe(`allowed ${at("a/b/inner")}`);
    expect(await said(at("a/b/in"))).toBe(`allowed ${at("a/b/inner")}`);
    expect(await said(at("other/in"))).toBe(`allowed ${at("a/b/inner")}`);
  });

  test("within the root the truth is told about what is missing or a file", async () => {
    for (const path of ["a/b/none", "a/b/none/none", "a/b/file", "a/b/inner/none"])
      expect(await said(at(path))).toBe(
        `There is no directory "${at(path)}". Create it first, or give another workdir.`,
      );
  });

  test("relative paths start at the workspace, and may not leave it", async () => {
    const free = new Workdirs({ defaultWorkdir: undefined, allowedWorkdirs: [], stateDir: at("state") });
    const here: Caller = { ...me, workspaceDir: at("a/b") };
    expect(await said("inner", here, free)).toBe(`allowed ${at("a/b/inner")}`);
    expect(await said("../bc", here, free)).toContain('The directory "../bc" is not allowed');
    expect(await said("../none", here, free)).toContain('The directory "../none" is not allowed');
  });

  test("with none set only the host's owner goes elsewhere, and never into the state directory or above it", async () => {
    const free = new Workdirs({ defaultWorkdir: at("other"), allowedWorkdirs: [], stateDir: at("state") });
    const owner: Caller = { ...me, seesAll: true };
    expect(await said(at("secret"), me, free)).toContain("is not allowed");
    expect(await said(at("secret"), owner, free)).toBe(`allowed ${at("secret")}`);
    expect(await said(at("none"), owner, free)).toContain("There is no directory");
    for (const path of ["state", "state/keys", "state/none", ""])
      expect(await said(at(path), owner, free)).toContain("is not allowed");
  });

  test("an operator of the configuration is no owner: the workspace and the default", async () => {
    const free = new Workdirs({ defaultWorkdir: at("other"), allowedWorkdirs: [], stateDir: at("state") });
    const operator: Caller = { ...me, seesAll: true, isOperator: true };
    expect(await said(at("secret"), operator, free)).toContain("is not allowed");
    expect(await said(at("other"), operator, free)).toBe(`allowed ${at("other")}`);
  });

  test("a workspace below the state directory is a workspace; what lies beside it is not", async () => {
    const free = new Workdirs({ defaultWorkdir: undefined, allowedWorkdirs: [], stateDir: at("state") });
    const agent: Caller = { ...me, workspaceDir: at("state/workspace") };
    expect(await said("job", agent, free)).toBe(`allowed ${at("state/workspace/job")}`);
    expect(await said("none", agent, free)).toContain("There is no directory");
    expect(await said(at("state/keys"), agent, free)).toContain("is not allowed");
  });

  test("with no directory at all the next step is said", async () => {
    const bare = new Workdirs({ defaultWorkdir: undefined, allowedWorkdirs: [], stateDir: at("state") });
    expect(await bare.resolve(me, undefined)).toMatchObject({
      refusal: { message: "No directory: give workdir, or set defaultWorkdir in the plugin's config." },
    });
  });
});

test("[K1] files to send along lie below the working directory, by real path", async () => {
  expect(await workdirs.file(at("a/b"), "file")).toEqual({ ok: true, value: at("a/b/file") });
  for (const path of ["out-file", "../bc", at("secret/file"), "none", "out/none", "file\0", "~/x"])
    expect(await workdirs.file(at("a/b"), path)).toMatchObject({ refusal: { code: "directory_not_allowed" } });
});
