/**
 * Two projects: `unit` runs files side by side; `gateway` (one real OpenClaw gateway a file, 800 MB each) runs them
 * one after another, after all others.
 */
import { defineConfig } from "vitest/config";

const GATEWAY_TESTS = ["test/gateway/**/*.test.ts", "test/demo/**/*.test.ts"];

export default defineConfig({
  test: {
    maxWorkers: 2,
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: GATEWAY_TESTS,
          pool: "forks",
          testTimeout: 400_000,
          hookTimeout: 400_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "gateway",
          include: GATEWAY_TESTS,
          pool: "forks",
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 900_000,
          // Limits catch what hangs; a busy machine is several times slower now and then.
          expect: { poll: { timeout: 180_000 } },
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
