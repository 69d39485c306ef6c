import { describe, expect, it } from "vitest";
import {
  allowOption,
  grantFor,
  isRejection,
  disallowedTools,
  subjectOf,
  WIRE_MODE,
} from "../../src/core/permission.ts";
import { askFrom, isLasting, replyOf } from "../../src/core/question.ts";
import type { Grant, PermissionMode } from "../../src/core/session.ts";
import { ALLOW, ALLOW_ALWAYS, PERSON, REJECT, permissionRequest } from "./build.ts";

type Request = Parameters<typeof permissionRequest>[0];

const WHERE = " [current working directory /work/app] (look)";

function subject(request: Request, digest: string) {
  const made = subjectOf(permissionRequest(request), digest);
  if (made === undefined) throw new Error("no subject");
  return made;
}

function grant(span: Grant["span"], request: Request = {}, digest = "d"): Grant {
  return { span, subject: subject(request, digest) };
}

function covers(given: Grant, request: Request, digest = "d"): boolean {
  return grantFor([given], subject(request, digest)) !== undefined;
}

describe("a one-time grant", () => {
  const once = grant("once", { title: `git push${WHERE}` });

  it.each([
    [{ title: `git push${WHERE}` }, "d", true],
    [{ title: `git push${WHERE}` }, "other", false],
    [{ title: `git push --force${WHERE}` }, "d", false],
    [{ title: `git push${WHERE}`, toolKind: "edit" }, "d", false],
  ] as const)("%j %s: %s", (request, digest, covered) => {
    expect(covers(once, request, digest)).toBe(covered);
  });
});

describe("always", () => {
  const git = grant("always", { title: `git status${WHERE}` });

  it.each([
    [`git log${WHERE}`, true],
    [`git diff HEAD~1${WHERE}`, true],
    [`gitk${WHERE}`, false],
    [`npm test${WHERE}`, false],
    [`git log; rm -rf x${WHERE}`, false],
    [`git log && rm -rf x${WHERE}`, false],
    [`git log | sh${WHERE}`, false],
    [`git log & rm x${WHERE}`, false],
    [`git log $(rm x)${WHERE}`, false],
    ["git log `rm x`" + WHERE, false],
    [`git log > /etc/passwd${WHERE}`, false],
    [`git log < x${WHERE}`, false],
    [`git log\nrm x${WHERE}`, false],
    [`git log\rrm x${WHERE}`, false],
    // The command itself may pretend to end early.
    [`git log [current working directory /w]; rm -rf x${WHERE}`, false],
    [`git log [current working directory /w]\nrm -rf x${WHERE}`, false],
    [`git log [current working directory /w] (look; and see)`, true],
  ])("git, then %j: %s", (title, covered) => {
    expect(covers(git, { title })).toBe(covered);
  });

  describe("[G7] what runs other programs is asked for each time", () => {
    const commands = [
      "git -c alias.x='!touch y' x",
      "git --exec-path=/tmp status",
      "git x",
      "git log --ext-diff",
      "git diff --output=src/a.ts",
      "git submodule foreach ls",
      "git bisect run ls",
      "git rebase -x ls",
      "env ls",
      "FOO=1 ls",
      "sh -c ls",
      "/bin/ls",
      "./ls",
      "xargs ls",
      "find . -exec rm x +",
      "find . '-ex''ec' rm x +",
      "find . -delete",
      "find . {-exec,rm,x,+}",
      "find . $'-exec' rm",
      "rg --pre ./x y",
      "sort --compress-program ./x",
      "npx tsc",
      "npm test",
      "make",
      "sudo ls",
      "ssh host ls",
      "python3 x.py",
      "ls; rm x",
      "ls && rm x",
      "ls | sh",
      "ls $(rm x)",
      "ls `rm x`",
      "ls > x",
      "ls\nrm x",
      "something-unknown",
    ];

    it.each(commands)("%j: no always is offered, none covers it, none comes of it", (command) => {
      const title = command + WHERE;
      const [question] = askFrom(permissionRequest({ title }), { number: 1, at: 0, deadlineAt: 1 }).questions;
      expect(question?.options).toEqual([ALLOW, REJECT]);
      const given = grant("always", { title });
      expect(covers(given, { title })).toBe(false);
      expect(covers(given, { title: `${command.split(" ")[0]} status${WHERE}` })).toBe(false);
      for (const plain of ["git status", "ls", "find .", "rg x", "sort a"])
        expect(covers(grant("always", { title: plain + WHERE }), { title })).toBe(false);
    });

    it.each(["git status", "git --no-pager log -3", "ls -la", "find . -name '*.ts'", "rg -n x src", "echo {}"])(
      "%j: offered, and sent to iFlow as allowed this once",
      (command) => {
        const asked = askFrom(permissionRequest({ title: command + WHERE }), {
          number: 1,
          at: 0,
          deadlineAt: 1,
          subject: subject({ title: command + WHERE }, "d"),
        });
        expect(asked.questions[0]?.options).toContainEqual(ALLOW_ALWAYS);
        const answer = { optionIds: [ALLOW_ALWAYS.id], by: PERSON, at: 0 };
        const answered = { ...asked, questions: asked.questions.map((one) => ({ ...one, answer })) };
        expect(replyOf(answered)).toEqual({ kind: "selected", optionId: ALLOW.id });
        expect(isLasting(answered)).toBe(true);
      },
    );

    it("a tool that is no shell has no first word, and one of another kind has its own always", () => {
      const offered = (request: Request): unknown =>
        askFrom(permissionRequest(request), { number: 1, at: 0, deadlineAt: 1 }).questions[0]?.options.length;
      expect(offered({ toolName: "task", title: "find what is broken" })).toBe(2);
      expect(offered({ title: "find what is broken" })).toBe(2);
      expect(offered({ toolKind: "edit", title: "Write to a.txt" })).toBe(3);
    });
  });

  it("edits cover edits, whatever the file", () => {
    const edit = grant("always", { toolKind: "edit", title: "Write to a.txt" });
    expect(covers(edit, { toolKind: "edit", title: "Write to b.txt" }, "other")).toBe(true);
    expect(covers(edit, { toolKind: "execute", title: "Write to b.txt" })).toBe(false);
  });

  it("another tool covers itself by name, or by title where no name is known", () => {
    const fetch = grant("always", { toolKind: "fetch", toolName: "web_fetch", title: "Fetch a" });
    expect(covers(fetch, { toolKind: "fetch", toolName: "web_fetch", title: "Fetch b" })).toBe(true);
    expect(covers(fetch, { toolKind: "fetch", toolName: "mcp_fetch", title: "Fetch a" })).toBe(false);
    expect(covers(fetch, { toolKind: "fetch", title: "Fetch a" })).toBe(false);
    expect(
      covers(grant("always", { toolKind: "fetch", title: "Fetch a" }), { toolKind: "fetch", title: "Fetch a" }),
    ).toBe(true);
  });

  it("a sub-agent is no shell command of the same first word", () => {
    const shell = grant("always", { toolName: "run_shell_command", title: "find src" });
    expect(covers(shell, { toolName: "task", title: "find what is broken" })).toBe(false);
    expect(covers(shell, { toolName: "run_shell_command", title: "find test" })).toBe(true);
  });
});

it("nothing is granted for a title that is too long to be kept whole", () => {
  const long = `git log ${"a".repeat(2_000)}; rm -rf x`;
  expect(subjectOf(permissionRequest({ title: long }), "d")).toBeUndefined();
  expect(subjectOf(permissionRequest({ toolName: long }), "d")).toBeUndefined();
});

it("allows once rather than always, and nothing where nothing is offered", () => {
  expect(allowOption([ALLOW_ALWAYS, ALLOW, REJECT])).toBe(ALLOW);
  expect(allowOption([ALLOW_ALWAYS, REJECT])).toBe(ALLOW_ALWAYS);
  expect(allowOption([REJECT])).toBeUndefined();
});

it("knows a rejection by its kind, else by the agent's own id", () => {
  expect(isRejection(REJECT)).toBe(true);
  expect(isRejection({ id: "x", label: "Never", kind: "reject_always" })).toBe(true);
  expect(isRejection({ id: "cancel", label: "拒绝" })).toBe(true);
  expect(isRejection(ALLOW)).toBe(false);
});

it("sends the modes of the wire", () => {
  expect(WIRE_MODE).toEqual({ auto: "yolo", selective: "default", manual: "default", plan: "plan" });
});

it("[H2] offers no tool that iFlow runs unasked where the mode says that it asks, but one that is allowed by its name", () => {
  const offeredNot = (permissionMode: PermissionMode, allowedTools: readonly string[] = []) =>
    disallowedTools({ permissionMode, allowedTools, singleTurn: false, timeoutMs: 1_000 });
  expect(offeredNot("auto")).toEqual([]);
  expect(offeredNot("manual", ["task"])).toEqual(["task", "xml_escape"]);
  expect(offeredNot("selective")).toEqual(["task", "xml_escape"]);
  expect(offeredNot("selective", ["xml_escape", "read_file"])).toEqual(["task"]);
  expect(offeredNot("plan")).toEqual(["run_shell_command", "task", "xml_escape"]);
});
