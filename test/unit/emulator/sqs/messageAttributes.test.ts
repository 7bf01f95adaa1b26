import { describe, expect, it } from "vitest";
import {
  attributesMd5,
  readMessageAttributes,
  selectAttributes,
} from "../../../../src/emulator/sqs/messageAttributes.ts";

describe("attributesMd5", () => {
  it("equals the digests that AWS answered", () => {
    const trace = Buffer.from("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01");
    expect(attributesMd5({ attr1: { DataType: "Binary", BinaryValue: trace.toString("base64") } })).toBe(
      "8cbe4db156db8a94db8b801b7addb984",
    );
    expect(
      attributesMd5({
        c: { DataType: "Binary", BinaryValue: Buffer.from([0, 1]).toString("base64") },
        b: { DataType: "Number", StringValue: "200" },
        a: { DataType: "String", StringValue: "xyz" },
      }),
    ).toBe("8a2769f171ccf0bbc63a480ba08decaf");
    expect(attributesMd5({})).toBeUndefined();
  });
});

describe("readMessageAttributes", () => {
  it("refuses by name what the store would not give back", () => {
    const attributes: unknown = JSON.parse('{"__proto__":{"DataType":"String","StringValue":"v"}}');
    expect(() => readMessageAttributes({ MessageAttributes: attributes })).toThrow(
      expect.objectContaining({ code: "NotImplemented", message: expect.stringContaining("__proto__") }),
    );
  });
});

describe("binary values", () => {
  it.each(["AA==", "AAE=", "AAEC", "+/+/"])("%s is base64", (BinaryValue) => {
    const attributes = { a: { DataType: "Binary", BinaryValue } };
    expect(readMessageAttributes({ MessageAttributes: attributes })).toEqual(attributes);
  });

  it.each(["*", "AAE", "AA=A", "A A=", "AAE=\n"])("%j is not", (BinaryValue) => {
    const attributes = { a: { DataType: "Binary", BinaryValue } };
    expect(() => readMessageAttributes({ MessageAttributes: attributes })).toThrow(
      expect.objectContaining({ code: "SerializationException", status: 400 }),
    );
  });
});

describe("selectAttributes", () => {
  const attributes = {
    "a.b": { DataType: "String", StringValue: "1" },
    a: { DataType: "String", StringValue: "2" },
    b: { DataType: "String", StringValue: "3" },
  };
  it.each([
    [[], []],
    [["All"], ["a.b", "a", "b"]],
    [[".*"], ["a.b", "a", "b"]],
    [["a.*"], ["a.b", "a"]],
    [["b", "none"], ["b"]],
  ])("%j selects %j", (wanted, selected) => {
    expect(Object.keys(selectAttributes(attributes, wanted))).toEqual(selected);
  });
});
