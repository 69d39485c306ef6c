/**
 * The blocks of a prompt in the protocol's form: files become images or resource links when the prompt is sent.
 * Owns: what counts as an image, how files are named. Does not own: who may attach what.
 *
 * 1. Nothing is left out silently: a file that can't be read, or is none, is said so in the prompt.
 * 2. Nothing from outside of the working directory is sent: a file that leads out of it by now throws FileElsewhere.
 */
import type { Prompt } from "@iflow-ai/iflow-cli-sdk";
import { basename, extname } from "node:path";
import { messageOf } from "../core/errors.ts";
import type { PromptBlock } from "../ports.ts";
import { FileElsewhere, openBelow } from "./real-place.ts";

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

export async function wireBlocks(blocks: readonly PromptBlock[], workdir: string): Promise<Prompt[]> {
  const prompt: Prompt[] = [];
  // One after the other: many large files at once would fill the memory, and the threads that read.
  for (const block of blocks)
    prompt.push(block.type === "text" ? { type: "text", text: block.text } : await fileBlock(block.path, workdir));
  return prompt;
}

async function fileBlock(path: string, workdir: string): Promise<Prompt> {
  try {
    await using file = await openBelow(path, workdir);
    const { size } = await file.stat();
    const mimeType = IMAGE_TYPES[extname(path).toLowerCase()];
    if (mimeType !== undefined && size <= LARGEST_IMAGE_BYTES) {
      // A file that grows meanwhile is read as far as it was.
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
      return { type: "image", mimeType, data: buffer.toString("base64", 0, bytesRead) };
    }
    const name = basename(path);
    // The agent cuts the scheme off and takes the rest as it is, so the path is not percent-encoded.
    return { type: "resource_link", uri: `file://${path}`, name, title: name, size };
  } catch (error) {
    if (error instanceof FileElsewhere) throw error;
    return { type: "text", text: `(The file ${path} was attached but could not be read: ${messageOf(error)})` };
  }
}
