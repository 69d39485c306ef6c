/** `npm run tables`: writes the generated tables of README.md anew. test/readme.test.ts fails until then. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withTables } from "./readme-tables.ts";
import { ROOT } from "./tool.ts";

const file = join(ROOT, "README.md");
await writeFile(file, withTables(await readFile(file, "utf8")));
