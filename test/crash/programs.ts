/** The two programs of a crash run, bundled once into a folder: a life starts in a fraction of the time that its sources take. */
import { join } from "node:path";
import { build } from "tsup";

export interface Programs {
  readonly life: string;
  readonly host: string;
}

export async function buildPrograms(dir: string): Promise<Programs> {
  await build({
    config: false,
    entry: { life: join(import.meta.dirname, "life.ts"), host: join(import.meta.dirname, "host-process.ts") },
    outDir: dir,
    format: "esm",
    outExtension: () => ({ js: ".mjs" }),
    target: "node24",
    platform: "node",
    silent: true,
    clean: false,
    splitting: true,
    external: [/^openclaw(\/|$)/],
    noExternal: [/^(?!openclaw(\/|$)|node:)/],
    banner: {
      js: 'import { createRequire as createRequireOfBundle } from "node:module";\nconst require = createRequireOfBundle(import.meta.url);',
    },
  });
  return { life: join(dir, "life.mjs"), host: join(dir, "host.mjs") };
}
