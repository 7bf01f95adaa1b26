import { describe, expect, it } from "vitest";
import { parseFilterPattern } from "../../../../src/emulator/logs/filterPattern.ts";

const matches = (pattern: string, message: string) => parseFilterPattern(pattern)(message);

describe("terms", () => {
  it.each([
    ["", "anything", true],
    ["ERROR", "[ERROR] bad request", true],
    ["ERROR", "error", false],
    ["ERROR request", "ERROR in the request", true],
    ["ERROR request", "ERROR", false],
    ["?ERROR ?WARN", "WARN low memory", true],
    ["?ERROR ?WARN", "INFO", false],
    ["?nothing ERROR", "ERROR", true],
    ["ERROR -timeout", "ERROR timeout", false],
    ["ERROR -timeout", "ERROR other", true],
    ["-timeout", "all is well", true],
    ['"bad request"', "ERROR bad request", true],
    ['"bad request"', "request bad", false],
    ['-"bad request" ERROR', "ERROR bad request", false],
    ['"say \\"hi\\""', 'they say "hi"', true],
    ["%ERR[A-Z]+ \\d{3}%", "ERROR 404", true],
    ["%^ERR%", "no ERR", false],
    ['"RequestId:" 123', "REPORT RequestId: 123\tDuration", true],
    ["%^[a-z]+@host_1/x;y,z#=-.*$%", "root@host_1/x;y,z#=-!", true],
  ])("%s on %s: %s", (pattern, message, expected) => {
    expect(matches(pattern, message)).toBe(expected);
  });
});

describe("JSON", () => {
  const event = JSON.stringify({
    level: "ERROR",
    n: 3.5,
    text: "400",
    ok: true,
    none: null,
    user: { id: 7, "e.mail": "a@example.com", roles: ["admin", "dev"] },
    list: [{ x: 1 }, { x: 20 }],
    "a b": "c",
  });
  it.each([
    ['{ $.level = "ERROR" }', true],
    ["{ $.level = ERROR }", true],
    ["{ $.level = ERR* }", true],
    ['{ $.level = "*ROR" }', true],
    ['{ $.level = "error" }', false],
    ['{ $.level != "INFO" }', true],
    ['{ $.missing != "INFO" }', false],
    ["{ $.n > 3 }", true],
    ["{ $.n >= 3.5 && $.n <= 3.5 }", true],
    ["{ $.n < 3 }", false],
    ["{ $.n = 35e-1 }", true],
    ["{ $.text = 400 }", true],
    ["{ $.ok IS TRUE }", true],
    ["{ $.ok IS FALSE }", false],
    ["{ $.none IS NULL }", true],
    ["{ $.missing IS NULL }", false],
    ["{ $.missing NOT EXISTS }", true],
    ["{ $.none NOT EXISTS }", false],
    ["{ $.user.id EXISTS }", true],
    ["{ $.user.id = 7 && ($.level = INFO || $.n > 3) }", true],
    ["{ $.level = INFO && $.n > 3 || $.user.id = 7 }", true],
    ["{ $.level = INFO && ($.n > 3 || $.user.id = 7) }", false],
    ["{ ($.level = ERROR) }", true],
    ['{ $.user.roles[1] = "dev" }', true],
    ['{ $.user.roles[0] = "dev" }', false],
    ["{ $.list[*].x > 10 }", true],
    ["{ $.list[*].x > 100 }", false],
    ["{ $.user['e.mail'] = \"a@*\" }", true],
    ["{ $.['a b'] = c }", true],
    ["{ $.level = %^ERR% }", true],
    ["{ $.level != %^ERR% }", false],
    ["{ $.user = 7 }", false],
  ])("%s: %s", (pattern, expected) => {
    expect(matches(pattern, event)).toBe(expected);
    expect(matches(pattern, `${event}\n`)).toBe(expected);
  });

  it("takes only messages that are a JSON object", () => {
    expect(matches("{ $.a NOT EXISTS }", "INFO {}")).toBe(false);
    expect(matches("{ $.a NOT EXISTS }", "[1]")).toBe(false);
    expect(matches("{ $.a NOT EXISTS }", '{"a')).toBe(false);
    expect(matches("{ $.a NOT EXISTS }", "{}")).toBe(true);
  });
});

describe("space-delimited", () => {
  const event = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534';
  it.each([
    ["[ip, user, username, timestamp, request, status_code, bytes]", true],
    ["[ip, user, username, timestamp, request]", false],
    ["[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes > 1000]", true],
    ["[ip, user, username, timestamp, request, status_code = 404 || status_code = 410, bytes]", true],
    ["[..., status_code = 200, bytes]", false],
    ["[..., status_code = 4* && status_code != 403, bytes]", true],
    ["[ip = 127.0.0.*, ...]", true],
    ["[ip = %127\\.0\\.0\\.[1-9]%, ...]", true],
    ['[ip, ..., request = "GET /index.html HTTP/1.0", s, b]', true],
    ["[ip != 127.0.0.1, ...]", false],
    ["[a, b, c, d, e, f, g, h, ...]", false],
  ])("%s: %s", (pattern, expected) => {
    expect(matches(pattern, event)).toBe(expected);
  });
});

describe("what cannot be read", () => {
  it.each([
    '"open',
    "%[%",
    "{ $.a = }",
    "{ a = 1 }",
    "{ $.a = 1",
    "{ $.a > text }",
    "{ ($.a = 1 }",
    "{ $.a = 1 $.b = 2 }",
    "[a, b",
    "[..., a, ...]",
    "[a ~ 3]",
    "[..., status_code = 4* && bytes > 1000]",
    "foo:bar",
    "2024-05-01",
    "-a/b",
    "%(a+)+%",
    "%something!%",
    "{ $.a = %(x)% }",
    "[a = %x% && a = %y% && a = %z%]",
    "x".repeat(1025),
  ])("%s is refused", (pattern) => {
    expect(() => parseFilterPattern(pattern)).toThrow(
      expect.objectContaining({ code: "InvalidParameterException", status: 400 }),
    );
  });

  it.each([
    ["foo:bar", "Invalid character(s) in term 'foo:bar'"],
    ["%(a)%", "Invalid character(s) in term '(a)'"],
    ["{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"],
    ["[a", "If a filter pattern starts with '[' it must end with ']'"],
  ])("%s, in AWS's words", (pattern, message) => {
    expect(() => parseFilterPattern(pattern)).toThrow(expect.objectContaining({ message }));
  });
});
