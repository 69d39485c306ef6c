/** `npm run tables`: writes the generated tables of docs/reference.md and its Chinese twin anew. test/readme.test.ts fails until then. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { REFERENCE_FILES, withTables } from "./reference-tables.ts";
import { ROOT } from "./tool.ts";

for (const name of REFERENCE_FILES) {
  const file = join(ROOT, name);
  await writeFile(file, withTables(name, await readFile(file, "utf8")));
}
