/** One half of the random lives, beside the other on a second core. */
import { describe } from "vitest";
import { testLives } from "./lives.ts";

describe("[S5] [S6] [S11] the model", () => {
  testLives(1);
});
