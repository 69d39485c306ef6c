/**
 * Secrets that are known by how they begin.
 * Owns: the table of their beginnings, and where such a token stands in a run of characters.
 * Linear: every character belongs to one run, and of what follows a beginning a bounded part is looked at.
 */

/** A run of token characters; `%` for what is written as in an address. */
const RUN = /[A-Za-z0-9_.%-]{16,}/g;
const BOT_TOKEN =
  /(?<!\d)(\d{8,12}(?::|%3A))(AA[A-Za-z0-9_-]{30,40}|(?<=bot\d{8,12}:)[A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])/g;
/** Their middle or their end tells them: keys of Azure applications, refresh tokens of Google, hashes of passwords, keys as base64. */
const OTHERS =
  /(?<![\w~.-])[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w~.-])|(?<![\w/])1\/\/0[\w-]{30,200}|\$(?:2[abxy]\$\d\d|apr1|[156y]|argon2(?:id?|d)|scrypt)\$[A-Za-z0-9./$,=+-]{20,200}|LS0tLS1CRUdJTi(?!BDRVJUSUZJQ0FUR|BQVUJMSUMg)[A-Za-z0-9+/]{20,}(?:\r?\n[A-Za-z0-9+/]{16,})*={0,2}/g;

/** Beginning and the least length of the rest; the rest must look random. */
const PREFIXES: Readonly<Record<string, number>> = {
  "sk-": 16,
  sk_live_: 16,
  sk_test_: 16,
  rk_live_: 16,
  rk_test_: 16,
  whsec_: 16,
  ghp_: 20,
  gho_: 20,
  ghu_: 20,
  ghs_: 20,
  ghr_: 20,
  github_pat_: 20,
  "glpat-": 16,
  "gldt-": 16,
  "glrt-": 16,
  "glptt-": 16,
  "glft-": 16,
  "glcbt-": 16,
  "glsoat-": 16,
  "glimt-": 16,
  "glagent-": 16,
  npm_: 20,
  "pypi-": 30,
  "xoxa-": 12,
  "xoxb-": 12,
  "xoxc-": 12,
  "xoxd-": 12,
  "xoxe-": 12,
  "xoxo-": 12,
  "xoxp-": 12,
  "xoxr-": 12,
  "xoxs-": 12,
  "xapp-": 12,
  AIza: 30,
  "GOCSPX-": 20,
  hf_: 20,
  gsk_: 20,
  "xai-": 20,
  "pplx-": 20,
  "nvapi-": 20,
  r8_: 20,
  "tvly-": 16,
  lsv2_pt_: 20,
  lsv2_sk_: 20,
  "fc-": 30,
  dop_v1_: 20,
  doo_v1_: 20,
  dor_v1_: 20,
  shpat_: 20,
  shpca_: 20,
  shppa_: 20,
  shpss_: 20,
  "AGE-SECRET-KEY-": 20,
  lin_api_: 20,
  lin_oauth_: 20,
  dckr_pat_: 16,
  dckr_oat_: 16,
  "PMAK-": 20,
  ATATT3: 20,
  ATCTT3: 20,
  ATBB: 20,
  sntrys_: 20,
  sntryu_: 20,
  sbp_: 20,
  sb_secret_: 16,
  figd_: 20,
  ntn_: 20,
  rnd_: 20,
  sgp_: 20,
  "CFPAT-": 20,
  "sq0csp-": 20,
  "sq0atp-": 20,
  glc_: 20,
  glsa_: 20,
  "NRAK-": 16,
  "tskey-": 16,
  fo1_: 20,
  fm2_: 20,
  pscale_tkn_: 16,
  pscale_pw_: 16,
  pscale_oauth_: 16,
  rubygems_: 20,
  "pul-": 30,
  ops_: 30,
  "xkeysib-": 20,
  duffel_: 20,
  ABSK: 30,
  EAAC: 40,
  "bce-v3": 20,
};
const ANY_PREFIX = Object.keys(PREFIXES).join("|");
const BEGINNING = new RegExp(`(?<![A-Za-z0-9]|%[0-9A-F])(?:${ANY_PREFIX})`, "g");
const BEGINNING_IN_ADDRESS = new RegExp(`(?<=%[0-9A-F]{2})(?:${ANY_PREFIX})`, "g");
/** One that was cut off: too short to be known otherwise. */
const CUT_OFF = new RegExp(
  String.raw`(?<![A-Za-z0-9])(?:(?:${ANY_PREFIX}|eyJ|hv[sbr]\.|dp\.[a-z]{2,5}\.|SG\.|ya29\.|AKIA|ASIA|dapi|LTAI)([A-Za-z0-9_.%-]{4,200})|(?<=\d{8,12}(?::|%3A))AA([A-Za-z0-9_-]{4,40})|LS0tLS1CRUdJTi([A-Za-z0-9+/]{0,40}))(?=…)`,
  "g",
);
/** Whole words of one shape. */
const WHOLE =
  /(?<![A-Za-z0-9])(?:(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|AKID[A-Za-z0-9]{32}|LTAI[A-Za-z0-9]{12,24}|dapi[0-9a-f]{32}(?:-\d)?|key-[0-9a-f]{32}|SK[0-9a-f]{32})(?![A-Za-z0-9])/;
/** Beginnings with dots behind them: how many parts belong together. */
const DOTTED: readonly { readonly first: RegExp; readonly parts: number; readonly least: number }[] = [
  { first: /(?:^|[^A-Za-z0-9])hv[sbr]$/, parts: 2, least: 20 },
  { first: /(?:^|[^A-Za-z0-9])ya29$/, parts: 2, least: 20 },
  { first: /(?:^|[^A-Za-z0-9])SG$/, parts: 3, least: 16 },
  { first: /(?:^|[^A-Za-z0-9])dp$/, parts: 3, least: 2 },
  { first: /(?:^|[^A-Za-z0-9])pat[A-Za-z0-9]{14}$/, parts: 2, least: 40 },
  { first: /(?:^|[^A-Za-z0-9])[MNO][\w-]{23,27}$/, parts: 3, least: 6 },
];
/** So much of a rest is looked at. */
const JUDGED_LENGTH = 80;
const LEAST_JWT_LENGTH = 12;
/** The part of a token that was drawn. */
const LEAST_LAST_LENGTH = 14;
const LEAST_DRAWN_LENGTH = 10;
const DRAWN = /[A-Za-z0-9]{10,}/g;
const MOST_DRAWN = 16;

export function withoutTokens(text: string, mark: string): string {
  const cutOff = text.includes("…")
    ? text.replace(CUT_OFF, (whole, ...rests: readonly unknown[]) => (looksCutOff(rests) ? mark : whole))
    : text;
  return cutOff
    .replace(BOT_TOKEN, (_whole, id: string) => id + mark)
    .replace(OTHERS, mark)
    .replace(RUN, (run: string) => withoutToken(run, mark));
}

/** `sk-ant-…` in a sentence says how keys begin. */
function looksCutOff(rests: readonly unknown[]): boolean {
  const rest = rests.slice(0, 3).find((one) => typeof one === "string");
  return typeof rest === "string" && (/\d/.test(rest) || /[a-z][A-Z]/.test(rest));
}

function withoutToken(run: string, mark: string): string {
  const parts = run.split(".");
  const shown: string[] = [];
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i] ?? "";
    const span = dottedToken(part, parts[i + 1] ?? "", parts[i + 2] ?? "");
    const at = span > 0 ? part.search(/[A-Za-z0-9]+$|eyJ|[MNO][\w-]{23,27}$/) : tokenAt(part);
    shown.push(at === undefined ? part : part.slice(0, at) + mark);
    if (span > 0) i += span - 1;
  }
  return shown.join(".");
}

/** How many parts a token with dots takes; 0 for none. */
function dottedToken(first: string, second: string, third: string): number {
  if (second.length >= 8 && first.length >= LEAST_JWT_LENGTH && isJwtHeader(first)) return third === "" ? 2 : 3;
  if (second.length < LEAST_LAST_LENGTH && third.length < LEAST_LAST_LENGTH) return 0;
  const found = DOTTED.find((one) => second.length >= one.least && one.first.test(first.slice(-JUDGED_LENGTH)));
  if (found === undefined) return 0;
  const last = found.parts === 2 ? second : third;
  return last.length >= LEAST_LAST_LENGTH && drawnIn(last).length > 0 ? found.parts : 0;
}

function isJwtHeader(word: string): boolean {
  const at = word.search(/(?<![A-Za-z0-9])eyJ/);
  return at !== -1 && word.length - at >= LEAST_JWT_LENGTH;
}

/** Where in this word a token begins; it goes to the word's end. */
function tokenAt(word: string): number | undefined {
  if (word.length < LEAST_LAST_LENGTH) return undefined;
  const drawn = drawnIn(word);
  if (drawn.length === 0) return undefined;
  const whole = WHOLE.exec(word);
  if (whole !== null) return whole.index;
  const begins = [...word.matchAll(BEGINNING), ...(word.includes("%") ? word.matchAll(BEGINNING_IN_ADDRESS) : [])];
  for (const { index, 0: beginning } of begins) {
    const start = index + beginning.length;
    const isLong = word.length - start >= (PREFIXES[beginning] ?? Number.POSITIVE_INFINITY);
    if (
      isLong &&
      drawn.some(({ from, to }) => to - Math.max(from, start) >= LEAST_DRAWN_LENGTH && from < start + JUDGED_LENGTH)
    )
      return index;
  }
  return undefined;
}

/** Letters mixed with digits, as they are drawn by a machine: at most the first few in a word. */
function drawnIn(word: string): readonly { readonly from: number; readonly to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const { index, 0: part } of word.matchAll(DRAWN)) {
    if (/\d/.test(part) && /[A-Za-z]/.test(part)) found.push({ from: index, to: index + part.length });
    if (found.length >= MOST_DRAWN) break;
  }
  return found;
}
