/**
 * Secrets as they come in prompts, files and output, made up and put together here, so that no scanner takes this file for a leak.
 * Owns: one of each kind. `secret` is what must be found nowhere; `text` is how it is written where it is written.
 */

export interface Planted {
  readonly kind: string;
  readonly text: string;
  readonly secret: string;
}

const BITS = [
  "aB3dE5fG7hJ9kL2mN4pQ6rS8",
  "Zq8Wn3Xv6Bt1Ky5Mc9Rf2Hp7",
  "T4gY7uJ2kM9nB6vC3xZ8lQ5w",
  "9fK2mQ7xLr4TzV8bNc3WyHd6",
  "hU6jI3oP9aS2dF5gK8lZ1xCv",
  "7wE4rT1yU8iO5pL2kJ9hG6fD",
  "mN3bV6cX9zA2sD5fG8hJ1kL4",
  "Qx5Ws8Ed2Rf6Tg9Yh3Uj7Ik1",
  "pL0oK9iJ8uH7yG6tF5rD4eS3",
  "Vb7Nm4Qa1Zx8Sw5Ed2Cr9Ft6",
  "kD8sJ3fH6gL1aP4oI7uY2tR5",
  "Xc2Vb5Nm8Lk1Jh4Gf7Ds9Pa3",
  "rE6wQ3tY8uI1oP5aS9dF2gH7",
  "Jm4Nb8Vc1Xz5Lk9Hj2Gf6Ds3",
  "2bT6yN9mK3jU7hV1gC5fX8dZ",
  "Wd1Qs7Az4Xe8Cr2Fv5Tg9Bn3",
] as const;
const HEX = ["9f86d081884c7d659a2feaa0c55ad015", "3b5d5c3712955042212316173ccf37be"] as const;
const LONG = "q7Zk0m2uY5tR9wXe3VbN8cLs1PjH6gFd4aTi";

function bit(n: number): string {
  return BITS[n] ?? "";
}

const pem = (words: readonly string[], end: string): string =>
  [`-----BEGIN RSA ${"PRIVATE"} KEY-----`, ...words, `-----END RSA ${"PRIVATE"} KEY-----`].join(end);

export const PLANTED: readonly Planted[] = [
  { kind: "an API key", text: `sk-proj-${bit(0)}`, secret: bit(0) },
  { kind: "another vendor's API key", text: `sk-ant-api03-${bit(1)}-AA`, secret: bit(1) },
  { kind: "an access token", text: `ghp_${bit(2)}${"0a1B2c3D4e5F"}`, secret: bit(2) },
  { kind: "a project token", text: `glpat-${bit(3)}`, secret: bit(3) },
  { kind: "a chat token", text: `xoxb-${"123456789012"}-${bit(4)}`, secret: bit(4) },
  { kind: "a cloud key", text: `AKIA${"QX7ZK2M9RT4W8YB3"}`, secret: "QX7ZK2M9RT4W8YB3" },
  { kind: "a bot token", text: `123456789:AA${bit(5)}${"abcdefghi"}`, secret: bit(5) },
  { kind: "a session token", text: `eyJ${"hbGciOiJIUzI1NiJ9"}.eyJ${"zdWIiOiIxMjM0NSJ9"}.${LONG}`, secret: LONG },
  { kind: "a bearer header", text: `Authorization: Bearer ${bit(6)}`, secret: bit(6) },
  { kind: "a basic header", text: `"Authorization": "Basic ${bit(7)}=="`, secret: bit(7) },
  { kind: "a variable of the environment", text: `MY_SERVICE_API_KEY=${bit(8)}`, secret: bit(8) },
  { kind: "a line of JSON", text: `{"clientSecret": "${bit(9)}"}`, secret: bit(9) },
  { kind: "a line of YAML", text: `access_token: ${bit(10)}`, secret: bit(10) },
  { kind: "an option", text: `--password ${bit(11)}`, secret: bit(11) },
  { kind: "a query", text: `https://api.example.com/v1?api_key=${HEX[0]}&page=2`, secret: HEX[0] },
  { kind: "an address with a password", text: `postgres://app:${bit(12)}@db.example.com/app`, secret: bit(12) },
  { kind: "a signing key", text: `signing_key = '${HEX[1]}'`, secret: HEX[1] },
  { kind: "a private key in JSON in JSON", text: pem([bit(14) + LONG, LONG + bit(14)], "\\\\\\\\n"), secret: bit(14) },
  { kind: "a private key", text: pem([LONG + bit(13), bit(13) + LONG, "Ab3="], "\\n"), secret: bit(13) },
];

/** What of the planted secrets is in a text: their kinds. A third of a secret counts, so that a cut one is found too. */
export function foundIn(text: string, planted: readonly Planted[] = PLANTED): readonly string[] {
  const piece = (secret: string): readonly string[] => {
    const length = Math.ceil(secret.length / 3);
    return [secret.slice(0, length), secret.slice(length, 2 * length), secret.slice(-length)];
  };
  return planted.filter(({ secret }) => piece(secret).some((part) => text.includes(part))).map(({ kind }) => kind);
}

/** The same for a value: where in it, and which. */
export function placesIn(value: unknown, path = ""): readonly string[] {
  if (typeof value === "string") return foundIn(value).map((kind) => `${path}: ${kind}`);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => placesIn(inner, `${path}.${key}`));
}

/** A choice ends at `|`, its explanation begins at `=`. */
export const ASKED = PLANTED.filter(({ text }) => !/[|=]/.test(text));

/** For the demo agent: each in what it says and thinks, in arguments of tools, in what commands print, in files, lists and questions. */
export const PLANTED_SCRIPT: readonly string[] = [
  ...PLANTED.flatMap(({ text }, n) => [
    `say: found ${text} here\\n`,
    `think: ${text}`,
    `write out/f${n}.txt: ${text}`,
    `run: true # ${text}`,
  ]),
  "run: cat planted.txt",
  "env SOME_TOKEN",
  `todo: ${PLANTED.map(({ text }) => text).join("; ")}`,
  ...ASKED.map(({ text }) => `ask: Take ${text}? | yes ${text} | no`),
  `end-question: Shall I use ${PLANTED.map(({ text }) => text).join(" and ")}?`,
];

/** What stands in `planted.txt`. */
export const PLANTED_FILE = PLANTED.map(({ text }) => `${text}\n`).join("");
