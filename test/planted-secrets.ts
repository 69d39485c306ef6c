/**
 * Secrets as they come in prompts, files and output, made up and put together here, so that no scanner takes this file for a leak.
 * Owns: one of each kind. `secret` is what must be found nowhere; `text` is how it is written where it is written.
 */

import { bared } from "../src/core/fence.ts";

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
  "Ks4Lp9Xw2Nv6Bq1Zt8Ym3Rc7",
  "3gTz6Hn1Jx8Pd5Fw2Vk9Qa4L",
  "Uy7Gi2Dh5Sx9Wb4Mo1Ke6Nr8",
  "c5Vt8Xn3Ql7Zp2Jd6Rg9Wk1H",
  "Bn6Ym1Kf4Tc8Zr3Lx7Sv2Pw9",
  "8dJq2Gw5Ns9Hx3Tb7Vz1Mk6R",
  "Fa9Lr4Cz7Qk2Xy6Wn1Pt5Jv8",
  "t2Hs7Bm3Gx9Kd5Rq1Vn8Zw4C",
  "Zx5Pb8Jt1Wf6Lm3Yn9Dk2Sq7",
  "6rNc1Vh8Mt4Gy9Xs3Kp7Lz2B",
  "Ew3Kz8Fn5Jb1Qt7Rx4Mg9Hd6",
  "o9Sp4Yv7Ld2Cn8Wg5Xh1Tk3Z",
  "Mh2Rd6Xv9Pw3Bs7Fz1Nk8Tq5",
  "5yQf9Wc2Zn6Tx1Gs8Jr4Lv7K",
  "Gv8Nj3Ty6Hm1Rw9Kc4Xp7Bz2",
  "1kXd7Sz4Vq9Lf2Pn6Yt8Gm3W",
  "Tn7Cw1Mx5Zd8Jp3Vk6Rh9Fs2",
] as const;
const HEX = ["9f86d081884c7d659a2feaa0c55ad015", "3b5d5c3712955042212316173ccf37be"] as const;
const LONG = "q7Zk0m2uY5tR9wXe3VbN8cLs1PjH6gFd4aTi";

function bit(n: number): string {
  return BITS[n] ?? "";
}

const pem = (words: readonly string[], end: string): string =>
  [`-----BEGIN RSA ${"PRIVATE"} KEY-----`, ...words, `-----END RSA ${"PRIVATE"} KEY-----`].join(end);

/** As a listing shows a key, in one line of a script. */
const dressed = (dress: (line: string, n: number) => string, word: string): string =>
  pem([word + LONG, LONG + word], "\n")
    .split("\n")
    .map((line, n) => dress(line, n + 1))
    .join("\\n");

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
  {
    kind: "a bot token in an address",
    text: `https://t.example/bot987654321:AA${bit(16)}${"abcdefghi"}/x`,
    secret: bit(16),
  },
  { kind: "a private key with numbers", text: dressed((line, n) => `    ${n}→${line}`, bit(17)), secret: bit(17) },
  { kind: "a private key as a quote", text: dressed((line) => `> ${line}`, bit(18)), secret: bit(18) },
  {
    kind: "a private key that was searched",
    text: dressed((line, n) => `a.pem:${n}:${line}`, bit(19)),
    secret: bit(19),
  },
  { kind: "a signed address", text: `https://a.example/c?sv=2022&sig=${bit(20)}%2BAb%3D`, secret: bit(20) },
  { kind: "a client secret", text: `GOCSPX-${bit(21)}`, secret: bit(21) },
  { kind: "a vault's token", text: `hvs.${bit(22)}`, secret: bit(22) },
  { kind: "a cookie", text: `Cookie: sid=${bit(23)}`, secret: bit(23) },
  { kind: "a token of a browser's chat", text: `xoxc-${"123456789012"}-${bit(24)}`, secret: bit(24) },
  { kind: "a token with dots", text: `dp.pt.${bit(25)}`, secret: bit(25) },
  { kind: "a tracker's key", text: `lin_api_${bit(26)}`, secret: bit(26) },
  { kind: "a login of a registry", text: `{"auths": {"r.example": {"auth": "${bit(27)}=="}}}`, secret: bit(27) },
  { kind: "a cluster's key", text: `client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt${bit(28)}`, secret: bit(28) },
  { kind: "a file of logins", text: `machine a.example login me password ${bit(29)}`, secret: bit(29) },
  { kind: "a login on a command line", text: `curl -u me:${bit(30)} https://a.example`, secret: bit(30) },
  {
    kind: "a token in colours",
    text: `glpat-${bit(31).slice(0, 7)}\u001b[0m\u001b[1m${bit(31).slice(7)}`,
    secret: bit(31),
  },
  {
    kind: "a token with invisible characters",
    text: `ghp_${bit(32).slice(0, 9)}\u200b${bit(32).slice(9)}Ab1`,
    secret: bit(32),
  },
  { kind: "a private key", text: pem([LONG + bit(13), bit(13) + LONG, "Ab3="], "\\n"), secret: bit(13) },
];

/**
 * What of the planted secrets is in a text: their kinds. A third of a secret counts, so that a cut one is found too, and one that is
 * whole for whoever takes colours and invisible characters out.
 */
export function foundIn(text: string, planted: readonly Planted[] = PLANTED): readonly string[] {
  const piece = (secret: string): readonly string[] => {
    const length = Math.ceil(secret.length / 3);
    return [secret.slice(0, length), secret.slice(length, 2 * length), secret.slice(-length)];
  };
  const unescaped = text.replaceAll(/\\+u([0-9a-f]{4})/g, (_all, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  const shown = `${text}\n${bared(unescaped)}`;
  return planted.filter(({ secret }) => piece(secret).some((part) => shown.includes(part))).map(({ kind }) => kind);
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
