/** `npm run build`: makes dist/index.js. */
import { runTool } from "./tool.ts";

process.exitCode = (await runTool("tsup", process.argv.slice(2), { shown: true })).code;
