import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  combineCrc,
  createHasher,
  digestOf,
  loadHashers,
} from "../../../../src/emulator/s3/checksums.ts";

beforeAll(() => loadHashers(CHECKSUM_ALGORITHMS));

/** CRC64NVME("x") is a value recorded from AWS; the XXHash ones are those of AWS's own library (awscrt), which the SDKs send. */
const VECTORS: Record<string, Partial<Record<ChecksumAlgorithm, string>>> = {
  "": {
    CRC32: "AAAAAA==",
    CRC32C: "AAAAAA==",
    CRC64NVME: "AAAAAAAAAAA=",
    SHA1: "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
    SHA256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    MD5: "1B2M2Y8AsgTpgAmY7PhCfg==",
    XXHASH64: "70bbN1HY6Zk=",
    XXHASH3: "LQaABTjTlMI=",
    XXHASH128: "maoG0wFHmNhgAcMkRo1Jfw==",
  },
  "hello world": {
    CRC32: "DUoRhQ==",
    CRC32C: "yZRlqg==",
    CRC64NVME: "jSnVw/bqjr4=",
    SHA1: "Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
    SHA256: "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
    MD5: "XrY7u+Ae7tCTyyK7j1rNww==",
    XXHASH64: "RatnNLIeaWg=",
    XXHASH3: "1Eex6kDmmIs=",
    XXHASH128: "340J6T+HSQCpm4d1zBW2xw==",
  },
  "123456789": {
    CRC32: "y/Q5Jg==",
    CRC32C: "4waSgw==",
    CRC64NVME: "rosUhgp5mIg=",
    XXHASH64: "jLhB20DmroM=",
    XXHASH3: "ctyxi2ehff8=",
    XXHASH128: "MxGUd+3l3NXpcWQnaB1YYA==",
  },
  x: { CRC64NVME: "Lb1nAmRU5LE=" },
};

describe.each(CHECKSUM_ALGORITHMS)("%s", (algorithm) => {
  test("has AWS's values", () => {
    for (const [text, values] of Object.entries(VECTORS)) {
      const expected = values[algorithm];
      if (expected) expect(digestOf(algorithm, Buffer.from(text)).toString("base64")).toBe(expected);
    }
  });

  test("is the same in pieces, with another hash in between", () => {
    const one = createHasher(algorithm);
    const other = createHasher(algorithm);
    one.update(Buffer.from("hello"));
    other.update(Buffer.from("1234"));
    one.update(Buffer.from(" world"));
    other.update(Buffer.from("56789"));
    expect(one.digest()).toEqual(digestOf(algorithm, Buffer.from("hello world")));
    expect(other.digest()).toEqual(digestOf(algorithm, Buffer.from("123456789")));
  });
});

test.each(["CRC32", "CRC32C", "CRC64NVME"] as const)("%s of parts combines to the one of the whole", (algorithm) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (a, b) => {
      const combined = combineCrc(algorithm, digestOf(algorithm, a), digestOf(algorithm, b), b.length);
      expect(combined).toEqual(digestOf(algorithm, Buffer.concat([a, b])));
    }),
    { numRuns: 100 },
  );
});
