/** What lies in a directory, or in its place, when it comes to be used: links, pipes, sockets, devices. */
import { execFileSync } from "node:child_process";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openRegular } from "../../src/regular-file.ts";
import { ComposedWorld } from "../composed-world.ts";
import { DemoWorld, say, SESSION } from "./demo-world.ts";
import { Listener } from "./listener.ts";

const file = (path: string) => ({ type: "file", path }) as const;
const pipe = (path: string): string => {
  execFileSync("mkfifo", [path]);
  return path;
};
/** More than there are threads for the file calls of a process. */
const MANY = 12;

describe("files that are none", () => {
  test("[F7] pipes, sockets, devices and folders are refused at once, and other files are read meanwhile", async () => {
    await using world = await DemoWorld.create();
    const pipes = Array.from({ length: MANY }, (_, index) => pipe(join(world.folder, `${index}.png`)));
    const socket = createServer().listen(join(world.folder, "socket"));
    const others = ["/dev/zero", "/dev/tty", world.folder, join(world.folder, "socket")];
    const opened = await Promise.allSettled([...pipes, ...others].map((path) => openRegular(path)));
    expect(opened.map(({ status }) => status)).toEqual(Array.from({ length: MANY + 4 }, () => "rejected"));
    await writeFile(join(world.folder, "a"), "text");
    await using good = await openRegular(join(world.folder, "a"));
    expect(await good.readFile("utf8")).toBe("text");
    socket.close();
  });

  test("[F7] put in the place of attached files, they are said so in the prompt, and the turn goes on", async () => {
    await using world = await DemoWorld.create();
    const { connection, heard } = await world.open();
    await mkdir(join(world.folder, "folder.png"));
    const blocks = Array.from({ length: MANY }, (_, index) => file(pipe(join(world.folder, `${index}.png`))));
    await connection.prompt(1, [...say("say: ok"), ...blocks, file(join(world.folder, "folder.png"))]);
    await heard.turnEnd(1);
    const [{ text } = { text: "" }] = await world.received();
    expect(text.match(/was attached but could not be read: .* is no regular file/g)).toHaveLength(MANY + 1);
    expect(await readFile(import.meta.filename, "utf8")).toContain("mkfifo");
  });

  test("[F7] a launch with them is refused, and says what they are", async () => {
    await using world = await ComposedWorld.start();
    const workspace = join(world.folder, "workspace");
    pipe(join(workspace, "shot.png"));
    await mkdir(join(workspace, "folder"));
    for (const name of ["shot.png", "folder"]) {
      const { json, text } = await world.call("launch", { prompt: "say: hi", files: [name] });
      expect(json).toEqual({ refused: "invalid_params" });
      expect(text).toContain(`"${name}" is no regular file, but a folder, a pipe`);
    }
  });

  test("[F7] in the place of the plugin's own files they hold nothing up: a journal is unreadable, an audit line is reported", async () => {
    await using world = await ComposedWorld.start();
    const own = join(world.folder, "state", "iflow-plugin");
    const sessions = Array.from({ length: MANY }, (_, index) => join(own, "sessions", `hostile-${index}`));
    for (const folder of sessions) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "000001-0.jsonl"), '{"t":"header"\n');
      pipe(join(folder, "000002-10.jsonl"));
    }
    await rm(join(own, "audit.jsonl"), { force: true });
    pipe(join(own, "audit.jsonl"));
    await world.restart();
    const id = await world.launch("say: hello", { multi_turn_disabled: true });
    await world.untilOver(id);
    expect(await world.output(id)).toContain("hello");
    expect(world.log.join("\n")).toContain("audit.jsonl is no regular file");
  });
});

describe("a directory that became a link", () => {
  /** The directory, moved aside, with a link to `to` in its place. */
  async function replaced(folder: string, to: string): Promise<void> {
    await rename(folder, `${folder}-aside`);
    await symlink(to, folder);
  }

  test("[F8] before the start, above it or itself: nothing is started", async () => {
    await using world = await DemoWorld.create();
    await mkdir(join(world.folder, "a", "work"), { recursive: true });
    await mkdir(join(world.folder, "b", "work"), { recursive: true });
    const spec = { sessionId: "moved", workdir: join(world.folder, "a", "work") };
    const moved = { code: "agent_start_failed", message: expect.stringContaining("leads to another place") };
    await replaced(join(world.folder, "a"), join(world.folder, "b"));
    await expect(world.launcher().start(spec, new AbortController().signal)).rejects.toMatchObject(moved);
    const url = "ws://127.0.0.1:9/acp";
    await expect(world.launcher({ url }).start(spec, new AbortController().signal)).rejects.toMatchObject(moved);
    expect(await world.received()).toEqual([]);
  });

  test("[F8] before a follow-up to a live process: the turn fails, and nothing was sent", async () => {
    await using outer = await DemoWorld.create();
    const workdir = join(outer.folder, "work");
    await mkdir(workdir);
    await mkdir(join(outer.folder, "outside"));
    const connection = await outer.launcher().start({ sessionId: "moved", workdir }, new AbortController().signal);
    try {
      const heard = new Listener(connection);
      await connection.open(SESSION, new AbortController().signal);
      await replaced(workdir, join(outer.folder, "outside"));
      await connection.prompt(1, say("write a.txt: x"));
      expect(await heard.turnEnd(1)).toMatchObject({
        kind: "turn-failed",
        message: expect.stringMatching(/leads to another place\. Nothing was sent\.$/) as string,
      });
      expect(await outer.received()).toEqual([]);
    } finally {
      await connection.stop();
    }
  });

  test("[F8] an attached file that leads out of the directory by now: the turn fails, and nothing was sent", async () => {
    await using world = await DemoWorld.create();
    const outside = join(world.folder, "..", `outside-${process.pid}.png`);
    await writeFile(outside, "secret");
    try {
      const { connection, heard } = await world.open();
      await mkdir(join(world.folder, "in"));
      await symlink(outside, join(world.folder, "shot.png"));
      await symlink(join(world.folder, ".."), join(world.folder, "up"));
      const paths = [join(world.folder, "shot.png"), join(world.folder, "up", `outside-${process.pid}.png`)];
      for (const [index, path] of paths.entries()) {
        await connection.prompt(index + 1, [...say("say: hi"), file(path)]);
        expect(await heard.turnEnd(index + 1)).toMatchObject({
          kind: "turn-failed",
          message: expect.stringContaining("leads out of the working directory"),
        });
      }
      expect(await world.received()).toEqual([]);
    } finally {
      await rm(outside, { force: true });
    }
  });

  test("[F8] while a launch waits in line: it fails with the reason, and nothing runs outside of what is allowed", async () => {
    await using world = await ComposedWorld.start({ maxSessions: 1 });
    const workspace = join(world.folder, "workspace");
    await mkdir(join(workspace, "job"));
    const first = await world.launch("ask: Go on? | Yes | No", {}, world.me);
    await world.untilPhase(first, "asking");
    const second = await world.launch("write a.txt: x", { workdir: join(workspace, "job") });
    expect(world.session(second).phase.kind).toBe("queued");
    await replaced(join(workspace, "job"), join(world.folder, "elsewhere"));
    await world.call("kill", { session: first });
    await world.untilOver(second);
    expect(world.session(second).phase).toMatchObject({ kind: "ended", outcome: "failed" });
    expect(await world.untilTold(/leads to another place/)).toContain("❌");
    await expect(readFile(join(world.folder, "elsewhere", "a.txt"))).rejects.toThrow("ENOENT");
  });

  test("[F8] a directory that is not allowed any more when its turn in the line comes", async () => {
    await using world = await ComposedWorld.start({ maxSessions: 1 });
    const workspace = join(world.folder, "workspace");
    const first = await world.launch("ask: Go on? | Yes | No");
    await world.untilPhase(first, "asking");
    const second = await world.launch("write a.txt: x", { workdir: workspace });
    world.edit({ maxSessions: 1, allowedWorkdirs: [join(world.folder, "elsewhere")] });
    await world.call("kill", { session: first });
    await world.untilOver(second);
    expect(await world.untilTold(/not allowed any more/)).toContain("❌");
    await expect(readFile(join(workspace, "a.txt"))).rejects.toThrow("ENOENT");
  });
});
