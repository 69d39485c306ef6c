/**
 * `npm run icons`: writes assets/icon.png (the plugin in catalogs and settings) and assets/activity.svg (its tool calls in chats).
 * With --check it only compares. Both are drawn from one mark: a flow between two points.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateSync, inflateSync } from "node:zlib";
import { ROOT } from "./tool.ts";

type Point = readonly [x: number, y: number];
type Colour = readonly [red: number, green: number, blue: number];

/** In units of a 24 x 24 field. */
const CURVE: readonly [Point, Point, Point, Point] = [
  [6.5, 17.5],
  [14, 17.5],
  [10, 6.5],
  [17.5, 6.5],
];
const ENDS: readonly Point[] = [
  [4.75, 17.5],
  [19.25, 6.5],
];
const END_RADIUS = 1.75;
const STROKE_WIDTH = 1.6;

const SIZE_PX = 512;
const CORNER = 5.5;
/** The mark takes this much of the icon's field. */
const MARK_SCALE = 0.78;
const TOP_LEFT: Colour = [91, 75, 236];
const BOTTOM_RIGHT: Colour = [22, 176, 199];
const WHITE: Colour = [255, 255, 255];

function activitySvg(): string {
  const [from, ...rest] = CURVE.map((point) => point.join(" "));
  const circles = ENDS.map(([x, y]) => `  <circle cx="${x}" cy="${y}" r="${END_RADIUS}"/>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="${STROKE_WIDTH}" stroke-linecap="round">`,
    `  <path d="M${from}C${rest.join(" ")}"/>`,
    ...circles,
    "</svg>",
    "",
  ].join("\n");
}

const CURVE_STEPS = 96;
const LINE: readonly Point[] = Array.from({ length: CURVE_STEPS + 1 }, (_, step) => curveAt(step / CURVE_STEPS));

function curveAt(t: number): Point {
  const [a, b, c, d] = CURVE;
  const at = (axis: 0 | 1): number =>
    (1 - t) ** 3 * a[axis] + 3 * (1 - t) ** 2 * t * b[axis] + 3 * (1 - t) * t ** 2 * c[axis] + t ** 3 * d[axis];
  return [at(0), at(1)];
}

/** How far a point lies outside of the mark; negative inside. */
function outsideMark([x, y]: Point): number {
  const toLine = Math.min(...LINE.map(([px, py]) => Math.hypot(x - px, y - py))) - STROKE_WIDTH / 2;
  const toEnds = ENDS.map(([px, py]) => Math.hypot(x - px, y - py) - END_RADIUS - STROKE_WIDTH / 2);
  return Math.min(toLine, ...toEnds);
}

/** How far a point lies outside of the rounded field. */
function outsideField([x, y]: Point): number {
  const [dx, dy] = [Math.abs(x - 12) - 12 + CORNER, Math.abs(y - 12) - 12 + CORNER];
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - CORNER;
}

/** 1 inside, 0 outside, in between over the width of one pixel. */
const covered = (outside: number): number => Math.min(1, Math.max(0, 0.5 - (outside * SIZE_PX) / 24));

const mixed = (from: Colour, to: Colour, share: number): readonly number[] =>
  from.map((value, i) => value + ((to[i] ?? value) - value) * share);

/** Red, green, blue, alpha; row by row, each row behind a byte that says how it is filtered (not at all). */
function pixels(): Uint8Array {
  const data = new Uint8Array(SIZE_PX * (SIZE_PX * 4 + 1));
  let index = 0;
  for (let row = 0; row < SIZE_PX; row += 1) {
    index += 1;
    for (let column = 0; column < SIZE_PX; column += 1) {
      const [x, y] = [((column + 0.5) * 24) / SIZE_PX, ((row + 0.5) * 24) / SIZE_PX];
      const ground = mixed(TOP_LEFT, BOTTOM_RIGHT, (x + y) / 48);
      const inMark: Point = [(x - 12) / MARK_SCALE + 12, (y - 12) / MARK_SCALE + 12];
      const white = covered(outsideMark(inMark) * MARK_SCALE);
      const colour = ground.map((value, i) => Math.round(value + ((WHITE[i] ?? value) - value) * white));
      data.set([...colour, Math.round(255 * covered(outsideField([x, y])))], index);
      index += 4;
    }
  }
  return data;
}

function png(data: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIZE_PX, 0);
  header.writeUInt32BE(SIZE_PX, 4);
  // 8 bits a channel, red green blue alpha.
  header.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const body = chunk("IDAT", deflateSync(data, { level: 9 }));
  return Buffer.concat([signature, chunk("IHDR", header), body, chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, content: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** The pixels of an image that this script wrote; compressors differ between versions, pixels don't. */
function pixelsOf(image: Buffer): Buffer {
  const at = image.indexOf("IDAT", 0, "latin1");
  return inflateSync(image.subarray(at + 4, at + 4 + image.readUInt32BE(at - 4)));
}

const iconFile = join(ROOT, "assets", "icon.png");
const activityFile = join(ROOT, "assets", "activity.svg");
const drawn = pixels();
if (process.argv.includes("--check")) {
  const same =
    pixelsOf(await readFile(iconFile)).equals(drawn) && (await readFile(activityFile, "utf8")) === activitySvg();
  if (!same) process.stderr.write("The icons are not those of scripts/icons.ts: run `npm run icons`.\n");
  process.exitCode = same ? 0 : 1;
} else {
  await mkdir(join(ROOT, "assets"), { recursive: true });
  await writeFile(iconFile, png(drawn));
  await writeFile(activityFile, activitySvg());
}
