/** The other half of the random lives. */
import { describe } from "vitest";
import { testLives } from "./lives.ts";

describe("[S5] [S6] [S11] the model", () => {
  testLives(2);
});
