/**
 * Command line and quirks of the demo agent.
 * Owns: the names of flags. The first group is iFlow's own; a quirk makes the agent behave badly in one named way:
 * `--quirk name[=value]`, or several at once in the environment: `DEMO_AGENT_QUIRKS="name=value name"`.
 */

const MODE_FLAGS = { "--default": "default", "--autoEdit": "smart", "--plan": "plan", "--yolo": "yolo" };

const QUIRKS = {
  "start-delay": "ms until the agent listens (iFlow needs about 1,100)",
  "exit-at-start": "ends at once with this exit code and a line on stderr",
  version: "version told in initialize",
  unauthenticated: "isAuthenticated is false until authenticate",
  "auth-fails": "authenticate is answered with an error",
  silent: "this method is never answered",
  refuse: "this method is answered with an error",
  "exit-on": "the agent dies when this method is called",
  "handshake-burst": "websocket: //stderr and the reply of initialize come in one TCP segment",
  "all-interfaces": "websocket: listens for other machines, too, as iFlow does",
  "commands-late": "available_commands_update comes 200 ms after the session",
  "replay-late": "session/load tells the earlier conversation again, after its reply",
  "never-save": "sessions are not stored",
  decorated: "stdio: a window title, colours and a bell stand before and behind each frame",
  "ignore-cancel": "session/cancel is answered and has no effect",
  "ignore-sigterm": "SIGTERM has no effect",
  "model-retry-ms": "ms before `fail:` is answered (iFlow needs 35,000 to 45,000)",
};

function readArguments(args) {
  const found = { quirks: [], port: undefined, stream: false, mode: "yolo", acp: false, version: false };
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index];
    if (word === "--experimental-acp") found.acp = true;
    else if (word === "--version" || word === "-v") found.version = true;
    else if (word === "--stream") found.stream = true;
    else if (word === "--port") found.port = Number(args[++index]);
    else if (word === "--quirk") found.quirks.push(args[++index] ?? "");
    else if (word in MODE_FLAGS) found.mode = MODE_FLAGS[word];
    else return { error: `unknown argument ${JSON.stringify(word)}` };
  }
  return found;
}

/** `{ port, stream, mode, acp, version, has(name), value(name), values(name) }`, or `{ error }`. */
export function parseFlags(args, env) {
  const found = readArguments(args);
  if ("error" in found) return found;
  const quirks = [...(env.DEMO_AGENT_QUIRKS ?? "").split(/\s+/), ...found.quirks]
    .filter((quirk) => quirk !== "")
    .map((quirk) => {
      const at = quirk.indexOf("=");
      return at === -1 ? [quirk, ""] : [quirk.slice(0, at), quirk.slice(at + 1)];
    });
  const unknown = quirks.find(([name]) => !(name in QUIRKS));
  if (unknown !== undefined) return { error: `unknown quirk ${JSON.stringify(unknown[0])}` };
  const values = (name) => quirks.filter(([quirk]) => quirk === name).map(([, value]) => value);
  return { ...found, has: (name) => values(name).length > 0, value: (name) => values(name).at(-1), values };
}
