/** `npm run bench:agent [-- --quick] [-- --json FILE]`: bench/agent.ts. */
import "../bench/agent.ts";
