/** `journal: "redacted"`: no secret reaches the disk, and offsets are those of the words as they were said. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redactSecrets } from "../../src/core/redact.ts";
import { createJournals } from "../../src/journal/journals.ts";
import type { JournalLine, SessionJournal } from "../../src/ports.ts";
import { commit, header, out, pieces } from "../contract/journal.ts";
import { journalFolder, wholeText } from "./folder.ts";

/** `key-` and letters is a secret; the mark may be longer or shorter than what it replaces. */
const redact = (text: string): string => text.replaceAll(/key-[a-z]+/g, "[redacted]");

async function redacted(): Promise<{ directory: string; journal: SessionJournal }> {
  const directory = await journalFolder();
  return { directory, journal: await createJournals(directory, { redact }).create(header("s1")) };
}

describe("a redacted journal", () => {
  test("masks a secret that came in pieces, and keeps every offset", async () => {
    const { directory, journal } = await redacted();
    const words = "use key-abcdefghijklmnop now\nand key-xy\nend";
    await journal.append(pieces(...words.split("")));
    await journal.appendSynced([commit(1)]);
    expect(await wholeText(directory)).not.toMatch(/key-[a-z]/);
    const { text, end } = await journal.output(0);
    expect(end).toBe(words.length);
    expect(text).toBe("use [redacted]********** now\nand ******\nend");
    expect((await journal.output(words.indexOf("now"), words.indexOf("now") + 3)).text).toBe("now");
  });

  test("shows the unfinished line, masked, before it is on the disk", async () => {
    const { directory, journal } = await redacted();
    await journal.append(pieces("first\n", "token key-ab", "cd"));
    expect(await journal.output(0)).toEqual({ text: "first\ntoken ********", start: 0, end: 20 });
    expect(await journal.output(4, 9)).toEqual({ text: "t\ntok", start: 4, end: 9 });
    expect(await journal.lastLines(1)).toEqual({ text: "token ********", start: 6, end: 20 });
    expect(await wholeText(directory)).not.toContain("token");
    await journal.close();
    expect(await wholeText(directory)).toContain("token ********");
    expect((await (await createJournals(directory).open("s1"))?.tail())?.outputEnd).toBe(20);
  });

  test("masks a private key whose lines come one by one, and nothing behind it", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory, { redact: redactSecrets }).create(header("s1"));
    const key = [
      "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu",
      "KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==",
    ];
    const name = ["RSA", "PRIVATE", "KEY"].join(" ");
    const words = [
      `here:`,
      `-----BEGIN ${name}-----`,
      ...key,
      `-----END ${name}-----`,
      "and then ordinary words",
      "0123456789abcdefABCDEF",
    ].join("\n");
    for (const line of words.split(/(?<=\n)/))
      await journal.append(pieces(line).map((one) => ({ ...one, o: words.indexOf(line) })));
    await journal.close();
    const whole = await wholeText(directory);
    for (const line of key) expect(whole).not.toContain(line.slice(0, 12));
    expect(whole).toContain("and then ordinary words");
    expect(whole).toContain("0123456789abcdefABCDEF");
    const again = await createJournals(directory).open("s1");
    expect((await again?.output(0))?.text).toHaveLength(words.length);
  });

  test("masks prompts, questions, answers and everything that the agent said", async () => {
    const { directory, journal } = await redacted();
    const secret = "key-secretsecret";
    await journal.appendSynced([
      { t: "prompt", at: 1, turn: 1, messageId: "m", text: `log in with ${secret}` },
      { t: "question", at: 1, id: "q1", text: secret },
      { t: "answer", at: 1, id: "q1", text: secret, by: "person" },
      {
        t: "event",
        at: 1,
        event: { kind: "tool", toolCallId: "c", status: "completed", output: secret, files: [secret] },
      },
      { t: "event", at: 1, event: { kind: "plan", entries: [{ text: secret, status: "pending" }] } },
    ]);
    expect(await wholeText(directory)).not.toContain("secretsecret");
    expect((await journal.tail()).after.slice(1)).toContainEqual({
      t: "event",
      at: 1,
      event: { kind: "tool", toolCallId: "c", status: "completed", output: "[redacted]", files: ["[redacted]"] },
    });
  });

  test("keeps what the session has still to send whole in memory, and masked on the disk", async () => {
    const { directory, journal } = await redacted();
    const lines: JournalLine[] = [
      { t: "text", at: 1, key: "p1", text: "key-needed" },
      { t: "commit", at: 1, seq: 1, revision: 1, session: { inbox: "key-needed" } },
    ];
    await journal.append(lines);
    expect(await journal.text("p1")).toBe("key-needed");
    expect((await journal.tail()).lastCommit?.session).toEqual({ inbox: "[redacted]" });
    expect(await wholeText(directory)).not.toContain("key-needed");
    await journal.close();
    const again = await createJournals(directory, { redact }).open("s1");
    expect(await again?.text("p1")).toBe("[redacted]");
  });

  test("masks the rest of a secret that was cut off with the beginning of a session's last words", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory, { redact: redactSecrets }).create(header("s1"));
    const lastWords = `9fK2mQ7xLr4TzV8bNc3WyHd6 was the key ${"and ".repeat(500)}`.slice(0, 1_500);
    await journal.append([{ t: "commit", at: 1, seq: 1, revision: 1, session: { lastWords } }]);
    expect(await wholeText(directory)).not.toContain("9fK2mQ7x");
    expect((await journal.tail()).lastCommit?.session).toMatchObject({
      lastWords: expect.stringContaining("was the key") as unknown,
    });
  });

  test("a line without an end is not held for ever", async () => {
    const { directory, journal } = await redacted();
    await journal.append([out(0, "x".repeat(100_000))]);
    expect((await wholeText(directory)).length).toBeGreaterThan(90_000);
    expect((await journal.output(0)).end).toBe(100_000);
  });

  test("[S3] in any pieces, the output is as long as what was said and no secret is left", async () => {
    const word = fc.constantFrom("key-a", "key-abcdefghijklmnopqrst", " ", "\n", "text", "é\u{1F600}");
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { maxLength: 40 }),
        fc.array(fc.nat(6), { minLength: 1, maxLength: 40 }),
        async (words, cuts) => {
          const { directory, journal } = await redacted();
          const said = words.join("");
          for (let o = 0, i = 0; o < said.length; i += 1) {
            const text = said.slice(o, o + (cuts[i % cuts.length] ?? 0) + 1);
            await journal.append([out(o, text)]);
            o += text.length;
          }
          expect((await journal.output(0)).end).toBe(said.length);
          await journal.close();
          const again = await createJournals(directory).open("s1");
          const { text, end } = (await again?.output(0)) ?? { text: "", end: -1 };
          expect(end).toBe(said.length);
          expect(text).toHaveLength(said.length);
          expect(text).not.toMatch(/key-[a-z]/);
          expect(text.split("\n").map(({ length }) => length)).toEqual(said.split("\n").map(({ length }) => length));
        },
      ),
      { numRuns: 60 },
    );
  });
});
