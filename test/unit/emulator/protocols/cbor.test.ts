import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CborError, decodeCbor, encodeCbor } from "../../../../src/emulator/protocols/cbor.ts";

const decode = (hex: string) => decodeCbor(Buffer.from(hex, "hex"));

describe("decodeCbor", () => {
  // Appendix A of RFC 8949.
  it.each<[string, unknown]>([
    ["00", 0],
    ["17", 23],
    ["1818", 24],
    ["1903e8", 1000],
    ["1a000f4240", 1_000_000],
    ["1b000000e8d4a51000", 1_000_000_000_000],
    ["1bffffffffffffffff", 2 ** 64],
    ["20", -1],
    ["3903e7", -1000],
    ["f90001", 2 ** -24],
    ["f90400", 0.00006103515625],
    ["f93c00", 1],
    ["f93e00", 1.5],
    ["f97bff", 65504],
    ["f9c400", -4],
    ["fa47c35000", 100_000],
    ["fb3ff199999999999a", 1.1],
    ["fb7e37e43c8800759c", 1e300],
    ["f97c00", Number.POSITIVE_INFINITY],
    ["f9fc00", Number.NEGATIVE_INFINITY],
    ["f97e00", Number.NaN],
    ["f4", false],
    ["f5", true],
    ["f6", null],
    ["f7", null],
    ["c11a514b67b0", new Date("2013-03-21T20:04:00Z")],
    ["c1fb41d452d9ec200000", new Date("2013-03-21T20:04:00.500Z")],
    ["4401020304", Buffer.of(1, 2, 3, 4)],
    ["60", ""],
    ["62c3bc", "ü"],
    ["64f0908591", "𐅑"],
    ["83010203", [1, 2, 3]],
    ["8301820203820405", [1, [2, 3], [4, 5]]],
    ["a26161016162820203", { a: 1, b: [2, 3] }],
    ["5f42010243030405ff", Buffer.of(1, 2, 3, 4, 5)],
    ["7f657374726561646d696e67ff", "streaming"],
    ["9fff", []],
    ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
    ["bf61610161629f0203ffff", { a: 1, b: [2, 3] }],
    ["bf6346756ef563416d7421ff", { Fun: true, Amt: -2 }],
  ])("reads %s", (hex, value) => {
    expect(decode(hex)).toEqual(value);
  });

  it("keeps a byte order mark and a key that is called __proto__", () => {
    expect(decode("63efbbbf")).toBe("\ufeff");
    const value = decode("a1695f5f70726f746f5f5fa1616101");
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect((value as { a?: unknown }).a).toBeUndefined();
  });

  it.each([
    ["nothing", ""],
    ["two values", "0000"],
    ["a list that is cut off", "8301"],
    ["a list longer than all memory", "9bffffffffffffffff"],
    ["a text longer than what is there", "7bffffffffffffffff61"],
    ["a list without its end", "9f01"],
    ["an end without a list", "ff"],
    ["a reserved length", "1c"],
    ["an integer of no length", "1f"],
    ["a reserved simple value", "f8ff"],
    ["a text that is not UTF-8", "62c328"],
    ["a text in parts that are bytes", "7f4101ff"],
    ["a text in parts within parts", "7f7f6161ffff"],
    ["a key that is a number", "a10102"],
    ["a key without a value", "bf6161ff"],
    ["a key that is there twice", "a2616101616102"],
    ["a time that is a text", "c16161"],
    ["a time that is not a number", "c1f97e00"],
    ["a time beyond the calendar", "c1fb7e37e43c8800759c"],
    ["a tag for a big number", "c249010000000000000000"],
    ["lists in lists in lists", "81".repeat(100_000)],
    ["tags on tags on tags", "c1".repeat(100_000)],
    ["more values than any request holds", `9f${"a0".repeat(1_100_000)}ff`],
    ["more parts than any text has", `7f${"60".repeat(1_100_000)}ff`],
  ])("refuses %s", (_what, hex) => {
    expect(() => decode(hex)).toThrow(CborError);
  });

  it("either reads or refuses any bytes, and no longer reads what is cut off", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeCbor(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CborError);
          return;
        }
        for (let length = 0; length < bytes.length; length++) {
          expect(() => decodeCbor(bytes.subarray(0, length))).toThrow(CborError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.boolean(),
    // Beyond that, seconds as a double do not hold every millisecond.
    fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }),
    fc.array(tie("value"), { maxLength: 30 }),
    fc.dictionary(fc.string(), tie("value")),
  ),
}));

describe("encodeCbor", () => {
  it("writes what decodeCbor reads", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(decodeCbor(encodeCbor(value))).toEqual(value);
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeInteger(), (number) => {
        const bytes = encodeCbor({ n: number, f: number }, (member) => member === "n");
        expect(decodeCbor(bytes)).toEqual({ n: number, f: number });
      }),
    );
  });

  it.each<[unknown, string]>([
    [{ Period: 60 }, "a166506572696f64183c"],
    [{ Period: -1 }, "a166506572696f6420"],
    [{ Period: 100_000 }, "a166506572696f641a000186a0"],
    [{ Period: 2 ** 40 }, "a166506572696f641b0000010000000000"],
    [{ Value: 60 }, "a16556616c7565fb404e000000000000"],
    [new Date(1_000_000_000_000), "c11a3b9aca00"],
    [new Date(1_000_000_000_500), "c1fb41cdcd6500400000"],
    [{ a: undefined, b: [true, ""] }, "a1616282f560"],
    [new Map([["p50", 1.1]]), "a163703530fb3ff199999999999a"],
  ])("writes %j: doubles, and integers where they are asked for", (value, hex) => {
    expect(encodeCbor(value, (member) => member === "Period").toString("hex")).toBe(hex);
  });
});
