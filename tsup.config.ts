/**
 * One readable ES module, dist/index.js: everything is bundled except the host's own SDK, so that an install needs no npm work.
 * A lazy `import()` of a bundled package stays lazy inside the one file.
 */
import { defineConfig } from "tsup";
import { bundledPackages, closePackages } from "./scripts/bundled-packages.ts";

export default defineConfig({
  entry: ["index.ts"],
  outDir: "dist",
  format: "esm",
  target: "node24",
  platform: "node",
  splitting: false,
  minify: false,
  sourcemap: false,
  dts: false,
  clean: true,
  external: [/^openclaw(\/|$)/],
  noExternal: [/^(?!openclaw(\/|$)|node:)/],
  esbuildPlugins: [bundledPackages],
  plugins: [closePackages],
  esbuildOptions(options) {
    options.charset = "utf8";
  },
  // Bundled CommonJS packages ask for node modules through `require`.
  banner: {
    js: 'import { createRequire as createRequireOfBundle } from "node:module";\nconst require = createRequireOfBundle(import.meta.url);',
  },
});
