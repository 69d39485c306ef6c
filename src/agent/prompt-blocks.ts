/**
 * The blocks of a prompt in the protocol's form: files become images or resource links when the prompt is sent.
 * Owns: what counts as an image, how files are named. Does not own: who may attach what.
 *
 * 1. Nothing is left out silently: a file that can't be read is said so in the prompt.
 */
import type { Prompt } from "@iflow-ai/iflow-cli-sdk";
import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { messageOf } from "../core/errors.ts";
import type { PromptBlock } from "../ports.ts";

const IMAGE_TYPES: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".bmp": "image/bmp",
};
/** A larger image goes as a link, for the agent to open itself. */
const LARGEST_IMAGE_BYTES = 8 * 1024 * 1024;

export function wireBlocks(blocks: readonly PromptBlock[]): Promise<Prompt[]> {
  return Promise.all(blocks.map(wireBlock));
}

async function wireBlock(block: PromptBlock): Promise<Prompt> {
  return block.type === "text" ? { type: "text", text: block.text } : fileBlock(block.path);
}

async function fileBlock(path: string): Promise<Prompt> {
  try {
    const { size } = await stat(path);
    const mimeType = IMAGE_TYPES[extname(path).toLowerCase()];
    if (mimeType !== undefined && size <= LARGEST_IMAGE_BYTES) {
      return { type: "image", mimeType, data: (await readFile(path)).toString("base64") };
    }
    const name = basename(path);
    // The agent cuts the scheme off and takes the rest as it is, so the path is not percent-encoded.
    return { type: "resource_link", uri: `file://${path}`, name, title: name, size };
  } catch (error) {
    return { type: "text", text: `(The file ${path} was attached but could not be read: ${messageOf(error)})` };
  }
}
