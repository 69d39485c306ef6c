/** The configuration while the gateway runs: edits are seen, bad ones change nothing, nothing is parsed twice. */
import { expect, test } from "vitest";
import { keepRunningOnEdits, liveConfig, type Parse } from "../../src/host/reload.ts";
import type { HostApi } from "../../src/host/sdk.ts";
import { apiDouble } from "./api-double.ts";

const ID = "openclaw-iflow-plugin";

/** Takes any object with a number `size`; remembers what it was asked. */
function sizes() {
  const asked: unknown[] = [];
  const parse: Parse<{ size: number }> = (raw) => {
    asked.push(raw);
    const size = typeof raw === "object" && raw !== null && "size" in raw ? raw.size : 1;
    return typeof size === "number" ? { ok: true, config: { size } } : { ok: false, message: "size must be a number." };
  };
  return { asked, parse };
}

function host(pluginConfig: unknown) {
  let snapshot: unknown = {};
  const runtime = { config: { current: () => snapshot } };
  // Only what the configuration needs of the host.
  const api = { id: ID, pluginConfig, runtime } as unknown as HostApi;
  const edit = (config: unknown): void => {
    snapshot = { plugins: { entries: { [ID]: { enabled: true, config } } } };
  };
  return { api, edit };
}

test("an edit is seen at the next question, and parsed once", () => {
  const { api, edit } = host({ size: 2 });
  const { asked, parse } = sizes();
  const live = liveConfig(api, parse, () => undefined);
  const first = live.current();
  expect(first).toEqual({ size: 2 });
  expect(live.current()).toBe(first);
  edit({ size: 3 });
  expect([live.current(), live.current()]).toEqual([{ size: 3 }, { size: 3 }]);
  expect(asked).toHaveLength(2);
});

test("a snapshot with the same words is the same configuration", () => {
  const { api, edit } = host(undefined);
  edit({ size: 4 });
  const { asked, parse } = sizes();
  const live = liveConfig(api, parse, () => undefined);
  const first = live.current();
  edit({ size: 4 });
  expect(live.current()).toBe(first);
  expect(asked).toHaveLength(1);
});

test("an edit that the parse refuses changes nothing, and is told once", () => {
  const { api, edit } = host({ size: 2 });
  const told: string[] = [];
  const live = liveConfig(api, sizes().parse, (message) => void told.push(message));
  edit({ size: "big" });
  expect([live.current(), live.current()]).toEqual([{ size: 2 }, { size: 2 }]);
  expect(told).toEqual(["size must be a number. The configuration from before this edit stays in use."]);
  edit({ size: 5 });
  expect(live.current()).toEqual({ size: 5 });
});

test("a configuration that is bad from the beginning is refused", () => {
  const { api } = host({ size: "big" });
  expect(() => liveConfig(api, sizes().parse, () => undefined)).toThrow(
    expect.objectContaining({ code: "config_invalid" }),
  );
});

test("the host is told that edits of our keys replace nothing", () => {
  const { api, registered } = apiDouble();
  keepRunningOnEdits(api);
  expect(registered.reloads).toEqual([{ noopPrefixes: [`plugins.entries.${ID}.config`] }]);
});
