/**
 * The guard: a small shell that ends an agent and everything it started when the gateway is gone (I6).
 * Owns: that shell and its script. Does not own: the orderly stop (process-end.ts), which makes the guard unnecessary.
 *
 * 1. It is started before the agent and knows it by a mark in its environment and by a limit that all of it inherits, so that no
 *    moment is unguarded.
 * 2. Its life line is its standard input: the end of it, for whatever reason, means that the gateway has died.
 *    "done" means that the agent has been ended, and the guard goes without touching anything.
 * 3. Its script is handed over when it starts: no file of the plugin has to be found again.
 * 4. Gone within 5 s: SIGTERM at once, SIGKILL after 2 s, once more for what was started in between.
 */
import { type ChildProcess, spawn } from "node:child_process";

/** Names the one agent that a guard guards; unlike the session's mark it is never used again. */
export const AGENT_MARK = "IFLOW_PLUGIN_AGENT";

/** Where its tools (grep, sed, awk, sleep) are, whatever PATH the agent was given. */
const TOOLS = "/usr/bin:/bin";

/**
 * $1: value of the mark; $2: where /proc is; $3: the inherited limit. Input: `agent PID`, then `done` or the end.
 * Without it, `ps` tells the environment (-E on macOS, e elsewhere) and the ancestry.
 */
const SCRIPT = `
trap '' HUP INT TERM PIPE
mark=$1
proc=$2
limit=$3
agent=
while IFS= read -r line; do
  case $line in
    agent\\ *) agent=\${line#agent } ;;
    done) exit 0 ;;
  esac
done
marked() {
  if [ -r "$proc/self/environ" ]; then
    {
      grep -l -F -e "${AGENT_MARK}=$mark" "$proc"/[0-9]*/environ
      grep -l -e "^Max file locks  *$limit " "$proc"/[0-9]*/limits
    } 2>/dev/null | sed 's,[^0-9],,g'
  else
    { ps -axEww -o pid= -o command= 2>/dev/null || ps axeww -o pid= -o command=; } |
      awk -v mark="$mark" 'index($0, "${AGENT_MARK}=" mark) { print $1 }'
  fi
}
parents() {
  if [ -r "$proc/self/stat" ]; then
    cat "$proc"/[0-9]*/stat 2>/dev/null | sed -n 's/^\\([0-9]*\\) (.*) [A-Za-z] \\([0-9]*\\) .*/\\1 \\2/p'
  else
    ps -A -o pid= -o ppid=
  fi
}
below() {
  parents | awk -v roots="$*" '
    { child[NR] = $1; parent[NR] = $2 }
    END {
      count = split(roots, list, " ")
      for (i = 1; i <= count; i++) known[list[i]] = 1
      for (grown = 1; grown;) {
        grown = 0
        for (i = 1; i <= NR; i++) if (known[parent[i]] && !known[child[i]]) { known[child[i]] = 1; grown = 1; print child[i] }
      }
    }'
}
end_all() {
  found=$(marked)
  all=$(printf '%s\\n' $agent $seen $found $(below $agent $found))
  seen=$all
  [ -n "$agent" ] && kill -"$1" -"$agent" 2>/dev/null
  for pid in $all; do kill -"$1" "$pid" 2>/dev/null; done
}
left() {
  for pid in $seen $(marked); do kill -0 "$pid" 2>/dev/null && return 0; done
  return 1
}
seen=
end_all TERM
for wait in 1 2; do left || exit 0; sleep 1; done
left || exit 0
end_all KILL
sleep 1
left && end_all KILL
exit 0
`;

export class ProcessGuard {
  readonly #shell: ChildProcess;
  #done = false;

  private constructor(shell: ChildProcess) {
    this.#shell = shell;
  }

  /** `limit`: the agent's own inherited mark. `path`: the agent's, where the tools of the system are looked for first. `lost` is called when the guard itself cannot run or dies before `done`. */
  static start(
    { mark, limit }: { readonly mark: string; readonly limit: number },
    path: string,
    lost: (reason: string) => void,
    proc = "/proc",
  ): ProcessGuard {
    // By way of the environment, so that a listing of processes stays readable.
    const shell = spawn("/bin/sh", ["-c", 'eval "$GUARD_SCRIPT"', "iflow-plugin-guard", mark, proc, String(limit)], {
      cwd: "/",
      // A group of its own: what ends the gateway's group must not end the guard with it.
      detached: true,
      env: { PATH: path === "" ? TOOLS : `${path}:${TOOLS}`, GUARD_SCRIPT: SCRIPT },
      stdio: ["pipe", "ignore", "ignore"],
    });
    const guard = new ProcessGuard(shell);
    const tell = (reason: string): void => {
      if (!guard.#done) lost(reason);
      guard.#done = true;
    };
    shell.on("error", (error) => tell(error.message));
    shell.on("exit", (code, signal) => tell(`it exited (${signal ?? `code ${code}`})`));
    // A guard that is gone is told by `exit`; the failed write says nothing more.
    shell.stdin?.on("error", () => undefined);
    shell.unref();
    return guard;
  }

  get pid(): number {
    return this.#shell.pid ?? 0;
  }

  watch(pid: number): void {
    if (!this.#done) this.#shell.stdin?.write(`agent ${pid}\n`);
  }

  /** As if the gateway had died. */
  abandon(): void {
    this.#done = true;
    this.#shell.stdin?.end();
  }

  /** The agent and everything of it have ended. */
  done(): void {
    if (this.#done) return;
    this.#done = true;
    this.#shell.stdin?.end("done\n");
  }
}
