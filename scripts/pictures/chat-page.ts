/**
 * A chat as a web page, made from the messages that the local Bot API has kept of a real run: phones side by side, each with the
 * messages of one moment, scrolled to the last.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TelegramMessage } from "../../test/gateway/harness/telegram-api.ts";
import { ROOT } from "../tool.ts";

const STYLE = `
  * { box-sizing: border-box; }
  :root { color-scheme: light; --frame: #d0d4da; --page: #e7ecf2; --bar: #ffffff; --line: #dde1e6; --bot: #ffffff; --me: #d8f0cf; --ink: #1c1f24;
    --soft: #737b87; --code: #f1f3f6; --button: #c9d6e4; --link: #1f6fb5; }
  :root.dark { color-scheme: dark; --frame: #3a4250; --page: #10151c; --bar: #1a212b; --line: #262f3b; --bot: #1f2732; --me: #2b5378; --ink: #eef1f5;
    --soft: #8f9aa8; --code: #151b24; --button: #2c3848; --link: #7fbdf2; }
  body { margin: 0; background: transparent; color: var(--ink); font: 13.5px/1.36 Inter, system-ui, sans-serif, "Noto Color Emoji"; }
  main { display: inline-flex; gap: 28px; padding: 6px; }
  .phone { width: 384px; height: 736px; border: 5px solid var(--frame); border-radius: 34px; background: var(--page); overflow: hidden;
    display: flex; flex-direction: column; }
  header { display: flex; align-items: center; gap: 10px; padding: 9px 18px; background: var(--bar); border-bottom: 1px solid var(--line); }
  header img { width: 34px; height: 34px; border-radius: 50%; }
  header b { display: block; font-weight: 600; line-height: 1.2; } header small { color: var(--soft); }
  section { flex: 1; min-height: 0; display: flex; flex-direction: column; overflow: hidden; padding: 10px 12px; gap: 7px;
    justify-content: flex-end; }
  .said { max-width: 96%; flex: none; }
  .bot { align-self: flex-start; width: 96%; } .me { align-self: flex-end; max-width: 84%; }
  .text { padding: 8px 12px; border-radius: 14px; white-space: pre-wrap; overflow-wrap: anywhere; }
  .bot .text { background: var(--bot); border-bottom-left-radius: 4px; } .me .text { background: var(--me); border-bottom-right-radius: 4px; }
  code { font: 12px/1.4 "DejaVu Sans Mono", ui-monospace, monospace; }
  pre { margin: 4px 0; padding: 7px 9px; border-radius: 8px; background: var(--code); line-height: 1.2; white-space: pre; overflow: hidden; }
  pre code { font-size: 10.5px; line-height: 1.3; }
  .command { color: var(--link); }
  .buttons { display: flex; gap: 5px; margin-top: 5px; }
  .buttons span { flex: 1 1 auto; text-align: center; padding: 7px 6px; border-radius: 9px; background: var(--button); font-weight: 500; font-size: 13px; }
  footer { display: flex; align-items: center; padding: 8px 18px 11px; background: var(--bar); border-top: 1px solid var(--line); color: var(--soft); }
`;

function bubble({ fromBot, html, buttons }: TelegramMessage): string {
  // A block stands on lines of its own.
  const lines = (html.at(-1) ?? "").trim().replaceAll(/\n?(<pre>[^]*?)\n?(<\/code><\/pre>)\n?/g, "$1$2");
  const text = lines.replaceAll(/(^|\s)(\/iflow\w*)/g, '$1<span class="command">$2</span>');
  const rows = buttons.map(
    (row) => `<div class="buttons">${row.map((one) => `<span>${one.text}</span>`).join("")}</div>`,
  );
  return `<div class="said ${fromBot ? "bot" : "me"}"><div class="text">${text}</div>${rows.join("")}</div>`;
}

function phone(messages: readonly TelegramMessage[], icon: string): string {
  return `<div class="phone"><header><img src="${icon}" alt=""><div><b>OpenClaw</b><small>bot</small></div></header>
    <section>${messages.map(bubble).join("")}</section><footer>Message</footer></div>`;
}

/** `moments`: what the chat showed, one phone each. */
export function chatPage(moments: readonly (readonly TelegramMessage[])[], scheme: "light" | "dark"): string {
  const icon = `data:image/png;base64,${readFileSync(join(ROOT, "assets", "icon.png")).toString("base64")}`;
  const phones = moments.map((messages) => phone(messages, icon)).join("");
  return `<!doctype html><html class="${scheme}"><head><meta charset="utf-8"><style>${STYLE}</style></head><body><main>${phones}</main></body></html>`;
}
