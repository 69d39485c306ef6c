/** `npm run demo [-- --agent iflow]`: the main job on a real gateway, on the demo agent or on an installed one. */
import { runDemo } from "../demo/run.ts";

process.exitCode = await runDemo(process.argv.slice(2));
