/**
 * How the demo reads on a terminal: numbered steps in plain words, what was seen under each, the time it took.
 */
function indent(text: string, by: string): string {
  return text
    .split("\n")
    .map((line) => `${by}${line}`)
    .join("\n");
}

export class Story {
  #step = 0;
  readonly #startedMs = Date.now();

  async step<T>(what: string, run: () => Promise<T>): Promise<T> {
    this.#step += 1;
    process.stdout.write(`\n${this.#step}. ${what}\n`);
    const startedMs = Date.now();
    const result = await run();
    process.stdout.write(`   ✓ ${((Date.now() - startedMs) / 1000).toFixed(1)} s\n`);
    return result;
  }

  check(holds: boolean, otherwise: string): void {
    if (!holds) throw new Error(otherwise);
  }

  say(text: string): void {
    process.stdout.write(`${indent(text, "   ")}\n`);
  }

  notice(text: string, buttons: readonly string[]): void {
    process.stdout.write(`${indent(text, "   │ ")}\n`);
    if (buttons.length > 0) process.stdout.write(`   │ ${buttons.map((button) => `[ ${button} ]`).join(" ")}\n`);
  }

  end(text: string): void {
    process.stdout.write(`\n${text} (${((Date.now() - this.#startedMs) / 1000).toFixed(0)} s)\n`);
  }

  fail(error: unknown): void {
    process.stdout.write(
      `\n   ✗ ${error instanceof Error ? error.message : String(error)}\n\nThe demo failed at step ${this.#step}.\n`,
    );
  }
}
