/**
 * The plugin's entry: the one default export, which OpenClaw loads (several times in one process).
 */
import { plugin } from "./src/plugin.ts";

export default plugin;
