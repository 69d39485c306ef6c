import { describe, expect, test } from "vitest";
import { readFailure } from "../../src/agent/model-error.ts";

const internal = (details: string) => ({ code: -32603, message: `Internal Error: ${details}`, data: { details } });

describe("errors of the agent in readable words", () => {
  test.each([
    [
      internal(
        `generate data error: HTTP error! status: 500, body: {"error":{"message":"overloaded","type":"x"}} TraceID: `,
      ),
      "The model's server failed (HTTP 500): overloaded",
    ],
    [
      internal(
        `generate data error: HTTP error! status: 401, body: {"error":{"message":"Incorrect API key"}} TraceID: abc`,
      ),
      "The model's server refused the API key (HTTP 401): Incorrect API key",
    ],
    [
      internal("generate data error: HTTP error! status: 429, body: slow down TraceID: "),
      "The model's server is limiting the rate (HTTP 429): slow down",
    ],
    [
      internal(
        `generate data error: HTTP error! status: 429, body: {"error":{"message":"Too many requests. The system will retry."}} TraceID: `,
      ),
      "The model's server is limiting the rate (HTTP 429): Too many requests.",
    ],
    [
      internal("generate data error: HTTP error! status: 418, body:  TraceID: "),
      "The model's server answered (HTTP 418).",
    ],
    [
      internal("This model has reached the platform rate limit, try later"),
      "This model has reached the platform rate limit, try later",
    ],
    [
      internal("generate data error: fetch failed:Headers Timeout Error"),
      "The model's server gave no answer in time (generate data error: fetch failed:Headers Timeout Error).",
    ],
    [
      internal("generate data error: fetch failed: connect ECONNREFUSED 127.0.0.1:9"),
      "The model's server cannot be reached (generate data error: fetch failed: connect ECONNREFUSED 127.0.0.1:9).",
    ],
    [
      internal("SERVER_OAUTH2_REQUIRED: open URL: https://example.org"),
      "The agent wants a login in a browser; run it once in a terminal and log in.",
    ],
    [{ code: -32000, message: "Authentication required" }, "The agent is not authenticated (Authentication required)."],
    [
      { code: -32602, message: "Invalid params", data: { details: "cwd is required" } },
      "Invalid params: cwd is required",
    ],
    [{ code: -32603, message: "Internal Error: plain" }, "plain"],
    [{}, "no reason was given"],
    ["a text", "no reason was given"],
    [null, "no reason was given"],
  ])("%j", (error, message) => {
    expect(readFailure(error).message).toBe(message);
  });

  test("[E4] whether somebody has to log in again is told apart from every other failure", () => {
    const refusedKey = internal(`generate data error: HTTP error! status: 401, body: {"message":"expired"} TraceID: `);
    const login = [refusedKey, internal("SERVER_OAUTH2_REQUIRED: open URL"), { code: -32_000, message: "no" }];
    expect(login.map((error) => readFailure(error).needsLogin)).toEqual([true, true, true]);
    const other = [internal("generate data error: HTTP error! status: 429, body: x"), internal("plain"), {}, null];
    expect(other.map((error) => readFailure(error).needsLogin)).toEqual([false, false, false, false]);
  });

  test("it is never longer than 600 characters", () => {
    expect(readFailure(internal("x".repeat(5_000))).message.length).toBe(600);
  });
});
