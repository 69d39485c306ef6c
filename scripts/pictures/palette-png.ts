/**
 * A screenshot made small: the PNG of a browser (8 bits a channel, not interlaced) -> the same with a palette of at most 256 colours.
 * The colours are found by median cut: the box of colours that differ most is split until there are enough.
 */
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 256;
const CHANNELS = 4;
const PALETTE_TYPE = 3;

interface Image {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue, alpha of each pixel. */
  readonly pixels: Buffer;
}

interface Shade {
  /** Red, green, blue, alpha. */
  readonly channels: readonly number[];
  readonly count: number;
}

export function paletted(png: Buffer): Buffer {
  const { width, height, pixels } = decoded(png);
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length; at += CHANNELS) {
    const colour = pixels.readUInt32BE(at);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const shades = [...counts].map(([colour, count]) => ({ channels: channelsOf(colour), count }));
  const boxes = boxesOf(shades);
  const indexes = new Map(
    boxes.flatMap((box, index) => box.map(({ channels }) => [colourOf(channels), index] as const)),
  );
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      lines[y * (width + 1) + 1 + x] = indexes.get(pixels.readUInt32BE((y * width + x) * CHANNELS)) ?? 0;
  const palette = boxes.map(meanOf);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, PALETTE_TYPE, 0, 0, 0], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", Buffer.from(palette.flatMap((channels) => channels.slice(0, 3)))),
    chunk("tRNS", Buffer.from(palette.map((channels) => channels[3] ?? 255))),
    chunk("IDAT", deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const channelsOf = (colour: number): readonly number[] => [24, 16, 8, 0].map((shift) => (colour >>> shift) & 0xff);
const colourOf = (channels: readonly number[]): number =>
  channels.reduce((colour, channel) => colour * 256 + channel, 0);
const weightOf = (box: readonly Shade[]): number => box.reduce((sum, { count }) => sum + count, 0);

function boxesOf(shades: readonly Shade[]): readonly (readonly Shade[])[] {
  const boxes = [shades];
  while (boxes.length < COLOURS) {
    const spreads = boxes.map((box) => ({ box, ...widest(box) }));
    const most = spreads.reduce((a, b) => (b.spread > a.spread ? b : a));
    if (most.spread === 0) break;
    const sorted = most.box.toSorted((a, b) => (a.channels[most.channel] ?? 0) - (b.channels[most.channel] ?? 0));
    const half = weightOf(sorted) / 2;
    let sum = 0;
    const middle = sorted.findIndex(({ count }) => (sum += count) >= half);
    const cut = Math.min(Math.max(1, middle), sorted.length - 1);
    boxes.splice(boxes.indexOf(most.box), 1, sorted.slice(0, cut), sorted.slice(cut));
  }
  return boxes;
}

/** The channel in which the colours of a box lie furthest apart, and how far, with regard to how many pixels see it. */
function widest(box: readonly Shade[]): { readonly channel: number; readonly spread: number } {
  const ranges = [0, 1, 2, 3].map((channel) => {
    const values = box.map(({ channels }) => channels[channel] ?? 0);
    return { channel, spread: values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b)) };
  });
  const { channel, spread } = ranges.reduce((a, b) => (b.spread > a.spread ? b : a));
  return { channel, spread: spread * Math.log2(1 + weightOf(box)) };
}

function meanOf(box: readonly Shade[]): readonly number[] {
  const weight = weightOf(box);
  return [0, 1, 2, 3].map((channel) =>
    Math.round(box.reduce((sum, { channels, count }) => sum + (channels[channel] ?? 0) * count, 0) / weight),
  );
}

function decoded(png: Buffer): Image {
  const parts: Buffer[] = [];
  let [width, height, bytes] = [0, 0, 0];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString("latin1", at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") [width, height, bytes] = [data.readUInt32BE(0), data.readUInt32BE(4), data[9] === 6 ? 4 : 3];
    if (type === "IDAT") parts.push(data);
    at += 12 + length;
  }
  const lines = inflateSync(Buffer.concat(parts));
  const stride = width * bytes;
  const pixels = Buffer.alloc(width * height * CHANNELS, 0xff);
  let above = Buffer.alloc(stride);
  for (let y = 0; y < height; y += 1) {
    const from = y * (stride + 1);
    const line = Buffer.from(lines.subarray(from + 1, from + 1 + stride));
    unfilter(lines[from] ?? 0, line, above, bytes);
    for (let x = 0; x < width; x += 1) line.copy(pixels, (y * width + x) * CHANNELS, x * bytes, (x + 1) * bytes);
    above = line;
  }
  return { width, height, pixels };
}

/** Undoes the filter of a line in place (PNG specification, 9.2). */
function unfilter(filter: number, line: Buffer, above: Buffer, bytes: number): void {
  for (let at = 0; at < line.length; at += 1) {
    const left = line[at - bytes] ?? 0;
    const up = above[at] ?? 0;
    const corner = above[at - bytes] ?? 0;
    const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
    line[at] = ((line[at] ?? 0) + predicted) & 0xff;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [toLeft, toUp, toCorner] = [left, up, corner].map((one) => Math.abs(estimate - one)) as [
    number,
    number,
    number,
  ];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
