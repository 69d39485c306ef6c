/**
 * An esbuild plugin for what is bundled from node_modules.
 * Owns: leaving out what the plugin never runs: comments (licences stand in THIRD-PARTY-NOTICES.md), spelled-out syntax, and
 * the server half of `ws`. Our own sources are printed as they are.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Plugin, transform } from "esbuild";

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
