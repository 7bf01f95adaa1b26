import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeKey, sign } from "../../../handler/s3/signature.ts";

/** SHA-256 in the form that the SDK's signer asks for. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string);
  }
  update(data: Uint8Array | string): void {
    this.#hash.update(data as string);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

test("requests are signed as the AWS SDK signs them, whatever the key", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({
        unit: fc.constantFrom("a", "/", ".", " ", "+", "é", "%", "'", "(", "*", "😀", "~", "="),
        minLength: 1,
        maxLength: 20,
      }),
      fc.option(fc.constant("token/+="), { nil: undefined }),
      async (key, sessionToken) => {
        const credentials = {
          accessKeyId: "AKIDEXAMPLE",
          secretAccessKey: "secret",
          ...(sessionToken ? { sessionToken } : {}),
        };
        const now = new Date("2026-11-23T12:34:56Z");
        const path = `/bucket/${encodeKey(key)}`;
        const query = { partNumber: "2", uploadId: "a b+/=" };
        const headers: Record<string, string> = {
          host: "s3.us-east-1.amazonaws.com",
          "x-amz-checksum-crc32": "AAAAAA==",
        };
        const theirs = await new SignatureV4({
          credentials,
          region: "us-east-1",
          service: "s3",
          sha256: Sha256 as never,
          uriEscapePath: false,
        }).sign(
          {
            method: "PUT",
            protocol: "https:",
            hostname: "s3.us-east-1.amazonaws.com",
            path,
            query,
            headers: { ...headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
          } as never,
          { signingDate: now },
        );
        sign({ method: "PUT", path, query, headers, region: "us-east-1", credentials, now });
        expect(headers.authorization).toBe(
          (theirs as unknown as { headers: Record<string, string> }).headers.authorization,
        );
      },
    ),
    { numRuns: 200 },
  );
});

test("keys are kept as they are: no slash is folded, no dot resolved", () => {
  expect(encodeKey("a//b/../c d+é~.csv")).toBe("a//b/../c%20d%2B%C3%A9~.csv");
  expect(encodeKey("!'()*")).toBe("%21%27%28%29%2A");
});
