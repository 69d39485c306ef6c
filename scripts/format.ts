/** `npm run format`: brings every file into the house's format. */
import { runTool } from "./tool.ts";

process.exitCode = (await runTool("oxfmt", process.argv.slice(2), { shown: true })).code;
