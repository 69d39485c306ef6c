import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactSecrets } from "../../src/core/redact.ts";
import { growth, LINEAR } from "../growth.ts";

/** Made-up secrets, put together here so that no scanner takes this file for a leak. */
const hex = "9f86d081884c7d659a2feaa0c55ad015";
const mixed = "aB3dE5fG7hJ9kL2mN4pQ6rS8";
const base64 = "q7Zk0m2uY5tR9wXe3VbN8cLs1PjH6gFd4aTi";
const pem = (kind: string): string =>
  [`-----BEGIN ${kind}-----`, base64 + mixed, mixed + base64, "Ab3=", `-----END ${kind}-----`].join("\n");
const jwt = `eyJ${"hbGciOiJIUzI1NiJ9"}.eyJ${"zdWIiOiIxMjM0NTY3ODkwIn0"}.${base64}`;

/** Text with a secret, and the secret that must not be in what is shown. */
const SECRETS: readonly (readonly [string, string])[] = [
  [`export OPENAI_API_KEY=sk-${mixed}${mixed}`, mixed],
  [`key is sk-proj-${mixed}_${mixed} and more`, mixed],
  [`sk-ant-api03-${mixed}-${mixed}AA`, mixed],
  [`token ghp_${mixed}${mixed.slice(0, 12)}.`, mixed],
  [`git clone https://github_pat_${mixed}_${base64}@github.com/a/b`, base64],
  [`GITLAB: glpat-${mixed}`, mixed],
  [`//registry/:_authToken=npm_${mixed}${mixed.slice(0, 12)}`, mixed],
  [`slack xoxb-${"123456789012"}-${mixed}`, mixed],
  [`aws_access_key_id = AKIA${"IOSFODNN7EXAMPLE"}`, "IOSFODNN7"],
  [`aws_secret_access_key = ${base64}ab12`, base64],
  [`AIza${base64.slice(0, 35)}`, base64.slice(0, 20)],
  [`hf_${mixed}${mixed}`, mixed],
  [`stripe: sk_live_${mixed}`, mixed],
  [`bot 123456789:AA${mixed}${"abcdefghi"}`, mixed],
  [`cookie jwt ${jwt} end`, base64],
  [`Authorization: Bearer ${mixed}`, mixed],
  [`"Authorization": "Basic dXNlcjpwYXNzd29yZA=="`, "dXNlcjpwYXNzd29yZA"],
  [`curl -H 'authorization: token ${hex}'`, hex],
  [`-H "Authorization: Bearer ${jwt}" https://x`, base64],
  [`the Bearer ${mixed} was refused`, mixed],
  [pem("RSA PRIVATE KEY"), base64],
  [pem("PRIVATE KEY"), base64],
  [pem("OPENSSH PRIVATE KEY").replaceAll("\n", "\\n"), base64],
  [pem("EC PRIVATE KEY").replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,9F86D0\n\n"), base64],
  [`-----BEGIN PRIVATE KEY-----\n${base64}${base64}\n${base64}`, base64],
  [`@@ -3,3 +3,3 @@\n ${mixed}${base64}\n Ab3=\n${pem("RSA PRIVATE KEY").split("\n").at(-1) ?? ""}\n+x`, base64],
  [pem("RSA PRIVATE KEY").replaceAll("\n", "\n-"), base64],
  [pem("RSA PRIVATE KEY").replaceAll("\n", "\n+"), base64],
  [`postgres://admin:hunter2@db.example.com:5432/app`, "hunter2"],
  [`redis://:s3cr3t-pass@127.0.0.1:6379`, "s3cr3t-pass"],
  [`https://x-access-token:${hex}@github.com/a/b.git`, hex],
  [`amqp://guest:g%40uest@host`, "g%40uest"],
  [`https://hooks.slack.com/services/T0001/B0002/${mixed}`, mixed],
  [`{"apiKey": "${mixed}"}`, mixed],
  [`{\\"apiKey\\": \\"${mixed}\\"}`, mixed],
  [`password: hunter2`, "hunter2"],
  [`DB_PASSWORD=hunter22`, "hunter22"],
  [`"password": "P@ssw0rd!",`, "P@ssw0rd!"],
  [`mysql --password hunter2x -u root`, "hunter2x"],
  [`client_secret=${hex}&grant_type=x`, hex],
  [`config["secretKey"] = '${mixed}';`, mixed],
  [`access_token: ${base64}`, base64],
  [`PRIVATE_KEY=0x${hex}${hex}`, hex],
  [`?api_key=${hex}&page=2`, hex],
  [`SG.${mixed}.${base64}`, base64],
];

const ORDINARY: readonly string[] = [
  "The token expired, so log in again with your password.",
  "Set the password: it must have 8 characters.",
  "const token = await fetchToken(user);",
  "const apiKey = process.env.OPENAI_API_KEY;",
  "apiKey: string;",
  "password?: string",
  "if (token === undefined) return;",
  "export DB_PASSWORD=$POSTGRES_PASSWORD",
  "secrets: ${{ secrets.GITHUB_TOKEN }}",
  "Authorization: Bearer <token>",
  "Authorization: Bearer ${token}",
  "Authorization: Bearer token",
  "basic authentication is not supported",
  '"max_tokens": 4096, "tokenizer": "cl100k_base"',
  "tokens used: 12345678",
  "git commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
  "sha256-q7Zk0m2uY5tR9wXe3VbN8cLs1PjH6gFd4aTi=",
  "id 3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  "https://example.com/docs/passwords?page=2#tokens",
  "http://localhost:3000/@scope/pkg",
  "ssh://git@github.com/owner/repo.git",
  "mailto:someone@example.com",
  "npm install sk-learn-style-guide",
  'class="sk-folding-cube sk-cube-container-wrapper"',
  "import { redactSecrets } from './redact-secrets-2024.ts';",
  "SECRET_FILE=/etc/app/secret-2024.pem",
  "tokenEndpoint: https://login.example.com/oauth2/token",
  "password_reset_tokens_path = /var/lib/app2/tokens",
  "the file begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----.",
  "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQsw\n-----END CERTIFICATE-----",
  "function tokenize(source: string, tokens: Token[]): void {}",
  "passwordless login was added in v2",
  "credentials: 'include', mode: 'cors'",
  "The secret is to write tests first, then code.",
  "token: TokenKind.Identifier2",
  "this.password = options.password2",
  "请把密码: 放在环境变量里，token 由服务器生成。",
  "▸ npm test [current working directory /w/app] (run the tests)",
  "diff --git a/src/auth/token-store.ts b/src/auth/token-store.ts",
  'expect(redact("password: [redacted]")).toBe("password: [redacted]")',
  "api_key: YOUR_API_KEY_HERE",
  "max-token-budget=32000",
];

describe("redactSecrets", () => {
  it.each(SECRETS)("hides the secret in %j", (text, secret) => {
    const shown = redactSecrets(text);
    expect(shown).not.toContain(secret);
    expect(shown).toContain("[redacted]");
  });

  it.each(ORDINARY)("leaves %j as it is", (text) => {
    expect(redactSecrets(text)).toBe(text);
  });

  it("has a corpus of at least 40 each", () => {
    expect(SECRETS.length).toBeGreaterThanOrEqual(40);
    expect(ORDINARY.length).toBeGreaterThanOrEqual(40);
  });

  it("keeps what is around a secret", () => {
    expect(redactSecrets(`a postgres://u:hunter2@h/db b`)).toBe("a postgres://u:[redacted]@h/db b");
    expect(redactSecrets(`{"apiKey": "${mixed}", "name": "x"}`)).toBe(`{"apiKey": "[redacted]", "name": "x"}`);
    expect(redactSecrets(`Authorization: Bearer ${mixed}\nAccept: */*`)).toBe(
      "Authorization: Bearer [redacted]\nAccept: */*",
    );
    expect(redactSecrets(`before\n${pem("RSA PRIVATE KEY")}\nafter`)).toBe("before\n[redacted]\nafter");
    expect(redactSecrets(`The key is sk-${mixed}.`)).toBe("The key is [redacted].");
  });

  it("stops a key without an end at the words after it", () => {
    const text = `-----BEGIN PRIVATE KEY-----\n${base64}${base64}\nAnd here is a sentence.`;
    expect(redactSecrets(text)).toBe("[redacted]\nAnd here is a sentence.");
  });

  it("hides a secret wherever it stands", () => {
    const [, secret] = SECRETS[0] as readonly [string, string];
    for (const [before, after] of [
      ["(", ")"],
      ['"', '"'],
      ["`", "`"],
      ["=", "\n"],
      ["，", "。"],
      [">", "<"],
      ["\u001b[31m", "\u001b[0m"],
    ]) {
      expect(redactSecrets(`${before}sk-${secret}${secret}${after}`)).not.toContain(secret);
    }
  });

  const HOSTILE: readonly string[] = [
    "a",
    "-",
    " ",
    "sk-",
    "eyJ.",
    "eyJ",
    "token=",
    'token="',
    "token='token=\"",
    "password:",
    "secret ",
    "a://",
    "a://b:c",
    "a://b:",
    "@",
    "bearer ",
    "authorization:",
    "Authorization: Bearer ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\nA",
    `-----BEGIN PRIVATE KEY-----${base64}`,
    "-----BEGIN ",
    "xoxb-1",
    "1234567890:AA",
    "AKIA",
    '\\"apiKey\\":\\"',
    "--token ",
    "key_".repeat(10),
    "aA1".repeat(5),
    "\n",
    "\ud800",
    "密码=",
  ];

  it.each(HOSTILE)("costs in proportion to its length for %j again and again", (unit) => {
    const cost = growth(1_000_000, (size) => void redactSecrets(unit.repeat(Math.ceil(size / unit.length))));
    expect(cost).toBeLessThan(LINEAR);
  });

  const fragment = fc.oneof(
    fc.constantFrom(...SECRETS.map(([text]) => text)),
    fc.constantFrom(...HOSTILE, "[redacted]", "=", ":", "@", '"', "'", "\\", ".", "-", "_"),
    fc.constantFrom(hex, mixed, base64, "hunter2", "P@ssw0rd!"),
    fc.string({ maxLength: 8 }),
  );

  it("is idempotent for any mixture", () => {
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (parts) => {
        const once = redactSecrets(parts.join(""));
        expect(redactSecrets(once)).toBe(once);
      }),
      { numRuns: 3_000 },
    );
  });
});
