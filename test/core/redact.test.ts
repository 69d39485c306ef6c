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

const key64 = base64 + mixed + "Ab/+";
const listed = (line: (text: string, n: number) => string): string =>
  pem("RSA PRIVATE KEY")
    .split("\n")
    .map((text, n) => line(text, n + 1))
    .join("\n");

/** Kinds that were once shown, each as people and programs write it. */
const KINDS: readonly (readonly [string, string])[] = [
  [`https://api.telegram.org/bot987654321:AA${mixed}${"abcdefghi"}/getMe`, mixed],
  [`bot987654321%3AAA${mixed}${"abcdefghi"}`, mixed],
  [listed((text, n) => `${String(n).padStart(6)}\t${text}`), base64],
  [listed((text, n) => `${String(n).padStart(5)}→${text}`), base64],
  [listed((text, n) => `${n} | ${text}`), base64],
  [JSON.stringify(listed((text, n) => `${String(n).padStart(6)}\t${text}`)), base64],
  [listed((text) => `> ${text}`), base64],
  [listed((text) => `  | ${text}`), base64],
  [listed((text, n) => `src/server.pem:${n}:${text}`), base64],
  [listed((text, n) => `src/server.pem-${n}-${text}`), base64],
  [listed((text) => `keys/server.pem:${text}`), base64],
  [`id_rsa-12-ghp_${mixed}${mixed.slice(0, 12)}`, mixed],
  [`.env:12:API_KEY=${mixed}`, mixed],
  [`https://x.blob.core.windows.net/c/b?sv=2022-11-02&sig=${base64}%2B${hex}%3D`, base64],
  [`SharedAccessSignature sr=x&sig=${base64}%3D&se=1700000000`, base64],
  [`https://b.s3.amazonaws.com/o?X-Amz-Signature=${hex}${hex}&x=1`, hex],
  [`GOCSPX-${mixed}-abcd`, mixed],
  [`hvs.${mixed}${base64}`, base64],
  [`1//0gabc${mixed}-${base64}`, base64],
  [`ya29.a0Ab${base64}_${mixed}`, base64],
  [`Cookie: theme=dark; session=${mixed}; lang=en`, mixed],
  [`Set-Cookie: sid=s%3A${mixed}.${base64}; Path=/; HttpOnly`, mixed],
  [`curl -b 'cookie: auth=${mixed}' https://x`, mixed],
  [`.example.com\tTRUE\t/\tTRUE\t1893456000\tsession\t${mixed}`, mixed],
  [`xoxc-${"123456789012"}-${mixed}`, mixed],
  [`xoxd-${mixed}%2F${base64}%3D`, base64],
  [`xoxe.xoxp-1-${mixed}`, mixed],
  [`dp.pt.${mixed}${mixed}`, mixed],
  [`lin_api_${mixed}${mixed}`, mixed],
  [`dapi${hex}`, hex],
  [`{"auths":{"r.example.com":{"auth":"${"dXNlcjpwYXNzd29yZA"}=="}}}`, "dXNlcjpwYXNzd29yZA"],
  [`{"auth":"${"dXNlcjpodW50ZXI"}"}`, "dXNlcjpodW50ZXI"],
  [`//registry.npmjs.org/:_auth=${"dXNlcjpwYXNzd29yZA"}==`, "dXNlcjpwYXNzd29yZA"],
  [`    client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo${key64}`, key64],
  [`client-key-data: "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg${key64.repeat(100)}"`, key64],
  [`base64 key.pem\nLS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUg\n${key64}\n${mixed}==`, key64],
  [`machine api.example.com login me password hunter2x`, "hunter2x"],
  [`machine api.example.com\n  login me\n  password hunter`, "hunter"],
  [`curl -u admin:hunter2 https://x`, "hunter2"],
  [`curl -sSu 'admin:hunter2' https://x`, "hunter2"],
  [`curl https://x \\\n  --user admin:hunter2`, "hunter2"],
  [`http -a admin:hunter2 example.com`, "hunter2"],
  [`sshpass -p 'hunter' ssh me@host`, "hunter"],
  [`mysql -u root -phunter app`, "hunter"],
  [`redis-cli -h x -a hunter ping`, "hunter"],
  [`docker login -u me -p hunter r.example.com`, "hunter"],
  [`openssl rsa -passin pass:hunter -in k`, "hunter"],
  [`Authorization: Bot ${mixed}.abc123`, mixed],
  [`Authorization: SSWS ${mixed}`, mixed],
  [`Credential=AKIA${"IOSFODNN7EXAMPLE"}/20130524/x, Signature=${hex}${hex}`, hex],
  [`PresharedKey = ${base64}abcdefg=`, base64],
  [`sentry sntrys_${mixed}_${base64}`, base64],
  [`dckr_pat_${mixed}abc`, mixed],
  [`glsa_${mixed}${mixed}_12345678`, mixed],
  [`PMAK-${hex.slice(0, 24)}-${hex}ab`, hex],
  [`abc8Q~${base64.slice(0, 34)}`, base64.slice(4, 30)],
  [`admin:$2y$10$${mixed}${mixed}abcde`, mixed],
  [`root:$6$saltsalt$${base64}${base64}:19000:0`, base64],
  [`https://open.feishu.cn/open-apis/bot/v2/hook/3f2504e0-4f89-41d3-9a0c-0305e82c3301`, "0305e82c3301"],
  [`LTAI${mixed.slice(0, 20)}`, mixed.slice(0, 20)],
  [`https://x/?next=%3Dghp_${mixed}${mixed.slice(0, 12)}`, mixed],
  [`https://maps.example.com/api?key=${mixed}&v=1`, mixed],
  [`sk-${mixed.slice(0, 12)}\u001b[0m\u001b[1m${mixed.slice(12)}`, mixed.slice(12)],
  [`ghp_${mixed.slice(0, 9)}\u200b${mixed.slice(9)}abcdefghijkl`, mixed.slice(9)],
  [`api_key=${mixed.slice(0, 10)}\u2060${mixed.slice(10)}`, mixed.slice(10)],
  [`glpat-${mixed.slice(0, 6)}\u001b]0;x\u0007${mixed.slice(6)}`, mixed.slice(6)],
];

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
  ...KINDS,
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
  "a1b2c3d (HEAD -> main, origin/main) Merge branch 'fix/token-expiry-2024'",
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  dist/index.js",
  "index 9f86d08..3b5d5c3 100644",
  '"integrity": "sha512-q7Zk0m2uY5tR9wXe3VbN8cLs1PjH6gFd4aTiq7Zk0m2uY5tR9wXe3VbN8cLs1PjH6gFd4aTi=="',
  "docker run -u 1000:1000 --user root:root alpine@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "curl -sS -u $USER:$PASSWORD https://example.com",
  "curl -fsSL https://example.com/install.sh | sh -s -- --user me",
  "mysql -u root -p app < dump.sql && mysql --protocol=tcp -P 3306",
  "mkdir -p src/a && cp -pr a b",
  "git log --author=me --since=2024-01-01 -p src/secret-shape.ts",
  "src/core/redact.ts:12:export function redactSecrets(text: string): string {",
  "    12\tconst key = cache.get(id);",
  "machine learning, default password policy, login form password field",
  "the default login page and password reset are in src/login",
  "Cookie: theme=dark; lang=en-GB",
  "set-cookie is a header; cookie: a small text",
  "const cookie = document.cookie;",
  "auth: required, auth = await login(), auth: 'none'",
  'import { auth } from "./auth-middleware-v2.ts";',
  "?key=value&code=404&sig=none&page=2",
  "foreign_key: user_id, sort_key=created_at, cache_key: users-2024",
  "/home/me/.cache/pnpm/v3/files/9f/86d081884c7d659a2feaa0c55ad015a3bf4f1b",
  "/usr/lib/x86_64-linux-gnu/libssl.so.3 12345678 bytes",
  "CRUD API on http://127.0.0.1:8080/api/v1/users/3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
  "certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM1ekNDQWMrZ0F3SUJBZ0lCQURBTkJna3Foa2lHOXcw",
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@host",
  "desk-lamp-2024-black-edition12 task-sk-learn-2024 xs-12-abc",
  "price $1$ and $6 for 12 items",
  "oAuth2AuthorizationCodeAuthMethod: OAuth2AuthorizationCodeAuthMethod,",
  "const password = security?.basic.password;",
  "export declare function derive(password: Uint8Array, salt: Uint8Array): Uint8Array;",
  "emoji 👨‍👩‍👧‍👦 and \u001b[31mred\u001b[0m and é stay",
  "SKU SK123456 dapper dapi key-value LTAI",
  "ran http -v get example.com:8080",
];

describe("redactSecrets", () => {
  it.each(SECRETS)("[G3] hides the secret in %j", (text, secret) => {
    const shown = redactSecrets(text);
    expect(shown).not.toContain(secret);
    expect(shown).toContain("[redacted]");
  });

  it.each(ORDINARY)("[G3] leaves %j as it is", (text) => {
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
    "-----END PRIVATE KEY-----",
    "-----END RSA PRIVATE KEY-----\n",
    "A-----END PRIVATE KEY-----",
    "\n12\tAAAAAAAAAAAAAAAAAAAA",
    "\na.pem:AAAAAAAAAAAAAAAA",
    "\n-a:\n-a-1-",
    "=",
    `token="${"=".repeat(4_000)}x`,
    "curl -u a",
    "curl \\\n",
    "mysql -p",
    "machine a login b password ",
    "machine ",
    "Cookie: a=b; ",
    "cookie:a=",
    "sig=",
    "?key=",
    "$1$",
    "1//0",
    "LS0tLS1CRUdJTi",
    "LS0tLS1CRUdJTiAAAAAAAAAAAAAAAAAAAA\n",
    "8Q~",
    "hvs.",
    "dp.pt.",
    "%2Fsk-",
    "a.a.",
    "auth=",
    "Authorization: x ",
    "\u001b[",
    "\u001b]",
    "\u001b]0;x",
    "\u200b",
    "a\tTRUE\t",
    "'",
    '"',
    "(",
  ];

  it.each(HOSTILE)("[G2] costs in proportion to its length for %j again and again", (unit) => {
    const cost = growth(250_000, (size) => void redactSecrets(unit.repeat(Math.ceil(size / unit.length))));
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
