/**
 * Secrets that are known by where they stand: in an address, behind a header's name, as an option of a program, in a file of logins.
 * Owns: those places. Does not own: names with a value (redact.ts), what a token begins with (secret-token.ts).
 * Linear: each search is anchored at a literal and looks a bounded distance around it; a place whose words are nowhere is not searched.
 */
import { looksRandom, placeholder } from "./secret-shape.ts";

interface Place {
  /** One of them is in every text that has it, in small letters. */
  readonly words: readonly string[];
  /** What stands in front of the secret, and the secret. */
  readonly at: RegExp;
  readonly isSecret: (value: string, start: string, next: string) => boolean;
}

export function withoutPlaced(text: string, mark: string): string {
  const small = text.toLowerCase();
  let shown = text;
  for (const { words, at, isSecret } of PLACES) {
    if (!words.some((word) => small.includes(word))) continue;
    const before = shown;
    shown = before.replace(at, (whole, start: string, value: string, index: number) =>
      isSecret(value, start, before[index + whole.length] ?? "") ? start + mark : whole,
    );
  }
  return small.includes("cookie") ? withoutCookies(shown, mark) : shown;
}

const always = (): boolean => true;
const isNoReference = (value: string): boolean => !isReference(value);

/** A name that stands for a value. Of a value that was cut off, what is left of it. */
function isReference(value: string): boolean {
  return placeholder(value.endsWith("…") && value.length > 4 ? value.slice(0, -1) : value);
}

/** `Bearer token` in a sentence is a word; a value has digits, mixed case or is long. */
function isHeaderValue(value: string): boolean {
  return !placeholder(value) && (isMixed(value) || value.length >= 24);
}

function isMixed(value: string): boolean {
  return /\d/.test(value) || /[a-z][A-Z]|[A-Z][a-z]+[A-Z]/.test(value);
}

const SCHEME = /(?:bearer|basic|token|digest|apikey)\s+$/i;
const LEAST_LOGIN_LENGTH = 12;

/** A name and a password as base64. */
function isLogin(value: string, next: string): boolean {
  if (next === "…" && isMixed(value)) return true;
  if (value.length < LEAST_LOGIN_LENGTH) return false;
  if (value.endsWith("=") || looksRandom(value)) return true;
  return value.length % 4 !== 1 && value.length <= 400 && /^[\x20-\x7e]{1,100}:[\x20-\x7e]{1,200}$/.test(atob(value));
}

const PLACES: readonly Place[] = [
  // Addresses.
  {
    words: ["://"],
    at: /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)([^\s/:@"'`<>]{0,200})(?=@)/gi,
    isSecret: looksRandom,
  },
  {
    words: ["://"],
    at: /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'`<>]{0,200}:)([^\s/@"'`<>]{1,200})(?=@)/gi,
    isSecret: (value) => !placeholder(value),
  },
  {
    words: ["…"],
    at: /(:\/\/[^\s/:@"'`<>]{0,200}:)(?!\d{1,5}…)([^\s/@"'`<>…]{1,200})(?=…)/g,
    isSecret: isNoReference,
  },
  {
    words: ["hook"],
    at: /(hooks\.slack\.com\/(?:services|workflows|triggers)\/|discord(?:app)?\.com\/api\/webhooks\/|hooks\.zapier\.com\/hooks\/catch\/|webhook\.office\.com\/webhookb2\/|open\.(?:feishu\.cn|larksuite\.com)\/open-apis\/bot\/v2\/hook\/|qyapi\.weixin\.qq\.com\/cgi-bin\/webhook\/send\?key=)([A-Za-z0-9_/@-]{20,300})/gi,
    isSecret: always,
  },
  {
    words: ["…"],
    at: /([?&](?:amp;)?(?:sig|signature|key|auth|code|hmac)=)([A-Za-z0-9%/+_.~-]{4,16})(?=…)/gi,
    isSecret: isMixed,
  },
  {
    words: ["?", "&", "sig="],
    at: /([?&](?:amp;)?(?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|key|auth|code|hmac|assertion|client_assertion)=|(?<![\w.-])sig=)([A-Za-z0-9%/+_.~-]{16,4096}={0,2})/gi,
    isSecret: (value, start) => looksRandom(value) || (/sig/i.test(start) && isMixed(value)),
  },
  // Headers.
  {
    words: ["authorization"],
    at: /(authorization["'\\]{0,8}\s{0,3}[:=]\s{0,3}["'\\]{0,8}[a-z][\w-]{1,30}\s{1,3})([^\s"'`\\<>,;)]{4,4096})/gi,
    isSecret: (value, start) =>
      (value.endsWith("…") && isMixed(value)) || (SCHEME.test(start) ? isHeaderValue(value) : looksRandom(value)),
  },
  { words: ["bearer"], at: /(\bbearer\s{1,3})([A-Za-z0-9._~+/-]{16,4096}={0,2})/gi, isSecret: looksRandom },
  { words: ["…"], at: /(\bbearer\s{1,3})([A-Za-z0-9._~+/-]{4,16})(?=…)/gi, isSecret: isMixed },
  { words: ["signature="], at: /(\bSignature=)([0-9a-f]{64})\b/g, isSecret: always },
  // A line of a browser's or curl's file of cookies.
  {
    words: ["\ttrue\t", "\tfalse\t"],
    at: /^(\S{1,255}\t(?:TRUE|FALSE)\t\S{1,200}\t(?:TRUE|FALSE)\t\d{1,12}\t\S{1,200}\t)(\S{6,4096})$/gm,
    isSecret: always,
  },
  // Logins.
  {
    words: ["password"],
    at: /((?:\bmachine\s{1,16}\S{1,255}|\bdefault)\s{1,16}(?:(?:login|account)\s{1,16}\S{1,255}\s{1,16}){1,2}password\s{1,16})([^\s"'`\\]{1,255})/g,
    isSecret: isNoReference,
  },
  {
    words: ["curl", "wget", "http", "xh"],
    at: /(\b(?:curl|wget|https?|xh)\s(?:[^\n\\]|\\.|\\\n){0,500}?(?<=\s)(?:-[A-Za-z]{0,6}[uaU]|--user|--auth|--proxy-user)[ =]?["']?[^\s:"'/]{1,100}:)([^\s"'/\\]{1,200})/g,
    isSecret: isNoReference,
  },
  { words: ["sshpass"], at: /(\bsshpass\s{1,4}-p\s{0,4}["']?)([^\s"']{1,200})/g, isSecret: isNoReference },
  {
    words: ["mysql"],
    at: /(\bmysql(?:dump|admin|import)?\s[^\n]{0,200}?(?<=\s)-p["']?)([^\s"'=-][^\s"']{2,100})/g,
    isSecret: isNoReference,
  },
  {
    words: ["redis-cli"],
    at: /(\bredis-cli\s[^\n]{0,200}?(?<=\s)-a\s{1,4}["']?)([^\s"']{3,200})/g,
    isSecret: isNoReference,
  },
  {
    words: ["docker"],
    at: /(\bdocker\s{1,4}login\s[^\n]{0,200}?(?<=\s)-p\s{1,4}["']?)([^\s"']{3,200})/g,
    isSecret: isNoReference,
  },
  { words: ["pass:"], at: /(\s-pass(?:in|out)?\s{1,4}pass:)([^\s"'`\\]{1,200})/g, isSecret: isNoReference },
  {
    words: ["/user:"],
    at: /(\bnet\s{1,4}use\s[^\n]{0,200}?\/user:\S{1,100}\s{1,4})([^\s"'`\\]{3,100})/gi,
    isSecret: isNoReference,
  },
  {
    words: ["auth"],
    at: /((?<![\w.-])_?auth["'\\]{0,8}\s{0,3}[:=]\s{0,3}["'\\]{0,8})([A-Za-z0-9+/]{4,4096}={0,2})(?![\w+/=.(])/g,
    isSecret: (value, _start, next) => isLogin(value, next),
  },
];

// ---------------------------------------------------------------- cookies

const COOKIES =
  /(\b(?:set-)?cookie["'\\]{0,8}\s{0,3}[:=]\s{0,3}["'\\]{0,8})([^\s"'`\\;,=]{1,200}=[^\r\n"'`\\]{1,4096})/gi;
const COOKIE = /([^\s;=]{1,200}=)([^\s;]{4,4096})/g;
const ATTRIBUTE = /^(?:path|domain|expires|max-age|samesite)=$/i;

function withoutCookies(text: string, mark: string): string {
  return text.replace(
    COOKIES,
    (_whole, start: string, pairs: string) =>
      start +
      pairs.replace(COOKIE, (pair: string, name: string, value: string) =>
        ATTRIBUTE.test(name) || !isCookieValue(name, value) ? pair : name + mark,
      ),
  );
}

function isCookieValue(name: string, value: string): boolean {
  if (value.endsWith("…")) return isMixed(value);
  if (placeholder(value)) return false;
  return looksRandom(value) || (/\d/.test(value) && /sess|sid|auth|token|jwt|csrf|login|remember/i.test(name));
}
