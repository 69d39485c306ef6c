/**
 * What is bundled from node_modules, made small; our own sources are printed as they are.
 * Owns: leaving out what the plugin never runs: comments (licences stand in THIRD-PARTY-NOTICES.md), spelled-out syntax, the server
 * half of `ws`, and the layout of code that nobody reads here. Names stay, for stack traces.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Plugin, transform } from "esbuild";
import type { Options } from "tsup";

/** `ws` names one entry, which brings its server and its streams along; only its client is used. */
const WS_CLIENT = join(dirname(createRequire(import.meta.url).resolve("ws")), "lib", "websocket.js");

export const bundledPackages: Plugin = {
  name: "bundled packages",
  setup(build) {
    build.onResolve({ filter: /^ws$/ }, () => ({ path: WS_CLIENT }));
    build.onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const small = { minifyWhitespace: true, minifySyntax: true, legalComments: "none" } as const;
      const { code } = await transform(source, { ...small, loader: "js", target: "node24", charset: "utf8" });
      return { contents: code, loader: "js" };
    });
  },
};

const LONGEST_LINE = 1_000;

/** esbuild heads each module of the bundle with its path and lays all of them out alike; those of packages are set close. */
export const closePackages: NonNullable<Options["plugins"]>[number] = {
  name: "close packages",
  async renderChunk(code) {
    const modules = code.split(/^(?=\/\/ (?:node_modules\/|src\/|index\.ts$))/m);
    const close = { minifyWhitespace: true, lineLimit: LONGEST_LINE, target: "node24", charset: "utf8" } as const;
    const set = modules.map(async (module) => {
      if (!module.startsWith("// node_modules/")) return module;
      const path = module.slice(0, module.indexOf("\n") + 1);
      return path + (await transform(module, close)).code;
    });
    return { code: (await Promise.all(set)).join("") };
  },
};
