/** Words of an agent on their way to a channel: whole, and without effect. */
import { describe, expect, it } from "vitest";
import { inertText } from "../../src/core/inert-text.ts";

describe("inertText", () => {
  it.each([
    ["no marks at all, 1 < 2 and a <= b", "no marks at all, 1 < 2 and a <= b"],
    ["Use Array<string> here", "Use Array`<string>` here"],
    ['<div class="x">hi</div>', '`<div class="x">`hi`</div>`'],
    ["<Button\n  on={x}>", "`<Button`\n  on={x}>"],
    ["see <https://a.b/c>", "see <https://a.b/c>"],
    ["MEDIA:/etc/passwd", "`MEDIA:`/etc/passwd"],
    ["  media: ~/.ssh/id_rsa", "  `media:` ~/.ssh/id_rsa"],
    ["in prose MEDIA: is nothing", "in prose MEDIA: is nothing"],
    ["![x](http://evil/?q)", "`!`[x](http://evil/?q)"],
    ["[[reply_to:12]] hello [[ reply_to_current ]]", "`[[`reply_to:12]] hello `[[` reply_to_current ]]"],
    ["[[audio_as_voice]]", "`[[`audio_as_voice]]"],
    ["matrix[[1, 2]]", "matrix[[1, 2]]"],
  ])("%j", (text, inert) => {
    expect(inertText(text)).toBe(inert);
  });

  it("leaves code alone, also where its fence is long or of tildes", () => {
    const text = "a `<b>` c\n```html\n<div>\nMEDIA:/x\n```\n~~~~\n<i>\n```\n<u>\n~~~~\nend";
    expect(inertText(text)).toBe(text);
  });

  it("its mark pairs with none of the text's own", () => {
    expect(inertText("an odd ` and <b>")).toBe("an odd ` and ``<b>``");
    expect(inertText("`a` ``b`` ` <b>")).toBe("`a` ``b`` ` ```<b>```");
  });

  it("after a fence that is never closed nothing is touched; what follows a closed one is", () => {
    expect(inertText("```\n<a>\n```\n<a>")).toBe("```\n<a>\n```\n`<a>`");
    expect(inertText("```\n<a>\n``\n<a>")).toBe("```\n<a>\n``\n<a>");
  });
});
