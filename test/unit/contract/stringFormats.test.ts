import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StringFormat } from "../../../src/contract/compiledContract.ts";
import { STRING_FORMATS } from "../../../src/contract/stringFormats.ts";

function isFormat(format: StringFormat, text: string): boolean {
  const { pattern, maxLength } = STRING_FORMATS[format];
  return (maxLength === undefined || text.length <= maxLength) && pattern.test(text);
}

describe("string formats", () => {
  test.each<[StringFormat, string[], string[]]>([
    [
      "email",
      ["ana@example.com", "a.b+c@x.co", "o'neil@x", `${"a".repeat(64)}@x`],
      ["ana", "@x", "a@", ".a@x", "a.@x", "a..b@x", "a@b@c", "a b@x", "zoë@x", "a@-x", "a@x.", `${"a".repeat(65)}@x`],
    ],
    [
      "uuid",
      ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
      [
        "123e4567e89b12d3a456426614174000",
        "{123e4567-e89b-12d3-a456-426614174000}",
        "123e4567-e89b-12d3-a456-42661417400g",
      ],
    ],
    [
      "uri",
      ["https://example.com/a?b=c#d", "mailto:ana@example.com", "urn:x:1", "s3://bucket/%20"],
      ["example.com", "/a", "http:", "http://a b", "http://é", "http://x/%2", "1x:y"],
    ],
    [
      "hostname",
      ["localhost", "a.b-c.example", "1.2.3.4", "a".repeat(63)],
      ["", ".a", "a.", "a..b", "-a", "a-", "a_b", "a".repeat(64), `${"a.".repeat(127)}a`],
    ],
    ["ipv4", ["0.0.0.0", "255.255.255.255"], ["1.2.3", "1.2.3.4.5", "256.1.1.1", "01.1.1.1", "1.1.1.1/8"]],
    [
      "ipv6",
      ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::"],
      ["", ":", "1:2", "::1%eth0", "1:::2", "[::1]"],
    ],
  ])("%s", (format, right, wrong) => {
    expect(right.filter((text) => !isFormat(format, text))).toEqual([]);
    expect(wrong.filter((text) => isFormat(format, text))).toEqual([]);
    // A cell is the format as a whole, line breaks included.
    expect(right.filter((text) => isFormat(format, `${text}\n`) || isFormat(format, ` ${text}`))).toEqual([]);
  });

  test("addresses as Node sees them", () => {
    const alphabet = fc.constantFrom("0", "1", "9", "a", "F", "ff", "12ab", ":", "::", ".", "255", "256", "1.2.3.4");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6(),
          fc.array(alphabet, { maxLength: 16 }).map((parts) => parts.join("")),
        ),
        (text) => {
          expect(isFormat("ipv4", text)).toBe(isIPv4(text));
          expect(isFormat("ipv6", text)).toBe(isIPv6(text));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("addresses of the Web that fast-check makes are addresses", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.webUrl({ withQueryParameters: true }), fc.domain(), (uuid, url, domain) => {
        expect(isFormat("uuid", uuid)).toBe(true);
        expect(isFormat("hostname", domain)).toBe(true);
        expect(isFormat("uri", url)).toBe(/^[\x21-\x7e]*$/.test(url));
      }),
      { numRuns: 300 },
    );
  });
});
