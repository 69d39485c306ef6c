/** A unified diff of two small texts, in the form in which the protocol carries it (`fileDiff`). */

/** Lines that both texts begin with, and end with. */
function edges(before, after) {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  ) {
    tail += 1;
  }
  return { head, tail };
}

const lines = (text) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

/** One hunk that replaces what differs, with up to three lines of context. */
export function unifiedDiff(name, oldText, newText, labels) {
  const before = lines(oldText);
  const after = lines(newText);
  const { head, tail } = edges(before, after);
  const from = Math.max(0, head - 3);
  const until = Math.min(tail, 3);
  const kept = before.slice(from, head);
  const gone = before.slice(head, before.length - tail);
  const come = after.slice(head, after.length - tail);
  const rest = before.slice(before.length - tail, before.length - tail + until);
  const span = (list, start) => `${list === 0 ? start : start + 1},${list}`;
  const oldSpan = span(kept.length + gone.length + rest.length, from);
  const newSpan = span(kept.length + come.length + rest.length, from);
  return [
    `Index: ${name}`,
    "=".repeat(67),
    `--- ${name}\t${labels[0]}`,
    `+++ ${name}\t${labels[1]}`,
    `@@ -${oldSpan} +${newSpan} @@`,
    ...kept.map((line) => ` ${line}`),
    ...gone.map((line) => `-${line}`),
    ...come.map((line) => `+${line}`),
    ...rest.map((line) => ` ${line}`),
    "",
  ].join("\n");
}
