import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { AwsError } from "../../../../src/emulator/awsError.ts";
import { AwsChunkedDecoder, type ChunkSigner } from "../../../../src/emulator/s3/bodies/awsChunked.ts";

/** AWS's published example: AKIAIOSFODNN7EXAMPLE, 2013-05-24, us-east-1, 66,560 bytes of "a" in chunks of 64 KiB and 1 KiB. */
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const signingKey = hmac(
  hmac(hmac(hmac("AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524"), "us-east-1"), "s3"),
  "aws4_request",
);
const signer = (seed: string): ChunkSigner => ({
  signingKey,
  seed,
  timestamp: "20130524T000000Z",
  scope: "20130524/us-east-1/s3/aws4_request",
});

const SIGNED = {
  seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  chunks: [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
  ],
};
const WITH_TRAILER = {
  seed: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
  chunks: [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
  ],
  trailer:
    "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
};

function signedBody(chunks: readonly string[], trailer = ""): Buffer {
  const [first, second, last] = chunks;
  return Buffer.from(
    `10000;chunk-signature=${first}\r\n${"a".repeat(65536)}\r\n` +
      `400;chunk-signature=${second}\r\n${"a".repeat(1024)}\r\n` +
      `0;chunk-signature=${last}\r\n${trailer}\r\n`,
  );
}

function decode(pieces: Iterable<Buffer>, options: { signer?: ChunkSigner; trailers?: boolean } = {}) {
  const out: Buffer[] = [];
  const decoder = new AwsChunkedDecoder({
    signer: options.signer,
    trailers: options.trailers ?? false,
    onData: (bytes) => out.push(Buffer.from(bytes)),
  });
  for (const piece of pieces) {
    // The memory of a piece is given back as soon as the decoder has seen it.
    const lent = Buffer.from(piece);
    decoder.push(lent);
    lent.fill(0);
  }
  decoder.finish();
  return { body: Buffer.concat(out), trailers: decoder.trailers };
}

function errorOf(run: () => unknown): { code: string; status: number } | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof AwsError) return { code: error.code, status: error.status };
    throw error;
  }
  return undefined;
}

describe("signed chunks", () => {
  test("AWS's example decodes to its 66,560 bytes", () => {
    const { body } = decode([signedBody(SIGNED.chunks)], { signer: signer(SIGNED.seed) });
    expect(createHash("sha256").update(body).digest("hex")).toBe(
      createHash("sha256").update("a".repeat(66560)).digest("hex"),
    );
  });

  test("AWS's example with a trailer gives body and trailer", () => {
    const wire = signedBody(WITH_TRAILER.chunks, WITH_TRAILER.trailer);
    const { body, trailers } = decode([wire], { signer: signer(WITH_TRAILER.seed), trailers: true });
    expect(body.length).toBe(66560);
    expect([...trailers]).toEqual([["x-amz-checksum-crc32c", "sOO8/Q=="]]);
  });

  test.each([
    ["a changed byte of data", (wire: string) => wire.replace("aaa\r\n400", "aab\r\n400")],
    ["a changed chunk signature", (wire: string) => wire.replace("0055627c", "1055627c")],
    ["a changed signature of the last chunk", (wire: string) => wire.replace("b6c6ea8a", "b6c6ea8b")],
    ["a chunk without signature", (wire: string) => wire.replace(";chunk-signature=0055", ";x=0055")],
  ])("%s is refused", (_what, change) => {
    const wire = Buffer.from(change(signedBody(SIGNED.chunks).toString("latin1")), "latin1");
    expect(errorOf(() => decode([wire], { signer: signer(SIGNED.seed) }))).toEqual({
      code: "SignatureDoesNotMatch",
      status: 403,
    });
  });

  // So MinIO's Go client writes it, after the wording of AWS's documentation.
  const separated = WITH_TRAILER.trailer.replace("\r\nx-amz-trailer-signature", "\n\r\nx-amz-trailer-signature");

  test("a blank line may stand between the trailer and its signature", () => {
    const wire = signedBody(WITH_TRAILER.chunks, separated);
    for (let at = wire.length - 150; at <= wire.length; at++) {
      const pieces = [wire.subarray(0, at), wire.subarray(at)];
      const { body, trailers } = decode(pieces, { signer: signer(WITH_TRAILER.seed), trailers: true });
      expect(body.length).toBe(66560);
      expect([...trailers]).toEqual([["x-amz-checksum-crc32c", "sOO8/Q=="]]);
    }
  });

  test.each([
    ["a changed trailer", WITH_TRAILER.trailer.replace("sOO8", "sOO9")],
    ["a changed trailer before a blank line", separated.replace("sOO8", "sOO9")],
    ["a trailer without signature", WITH_TRAILER.trailer.replace(/x-amz-trailer-signature.*\r\n/, "")],
    ["a second trailer in place of the signature", separated.replace("x-amz-trailer-signature", "x-amz-other")],
  ])("%s is refused", (_what, trailer) => {
    const wire = signedBody(WITH_TRAILER.chunks, trailer);
    const run = () => decode([wire], { signer: signer(WITH_TRAILER.seed), trailers: true });
    expect(errorOf(run)).toEqual({ code: "SignatureDoesNotMatch", status: 403 });
  });
});

describe("unsigned chunks with a trailer", () => {
  const wire = Buffer.from(
    "5\r\nhello\r\n1\r\n \r\n00A\r\nworld\r\n1\r\n\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\nx-amz-other: b \r\n\r\n",
  );
  const expected = "hello world\r\n1\r\n";

  test("decode the same at every split in two, and byte by byte", () => {
    for (let at = 0; at <= wire.length; at++) {
      const { body, trailers } = decode([wire.subarray(0, at), wire.subarray(at)], { trailers: true });
      expect(body.toString()).toBe(expected);
      expect([...trailers]).toEqual([
        ["x-amz-checksum-crc32", "DUoRhQ=="],
        ["x-amz-other", "b"],
      ]);
    }
    const bytes = Array.from(wire, (byte) => Buffer.from([byte]));
    expect(decode(bytes, { trailers: true }).body.toString()).toBe(expected);
  });

  test("a body cut off anywhere is an error", () => {
    for (let at = 0; at < wire.length; at++) {
      expect(errorOf(() => decode([wire.subarray(0, at)], { trailers: true }))?.status).toBe(400);
    }
  });

  test.each([
    ["a length that is no number", "zz\r\nhello\r\n0\r\n\r\n", "InvalidRequest"],
    ["a chunk longer than its length", "3\r\nhello\r\n0\r\n\r\n", "InvalidRequest"],
    ["bytes after the end", "0\r\n\r\nmore", "InvalidRequest"],
    ["a trailer that was not announced", "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "MalformedTrailerError"],
    ["a header without an end", `${"1".repeat(5000)}`, "InvalidRequest"],
  ])("%s is refused", (_what, text, code) => {
    const error = errorOf(() => decode([Buffer.from(text)]));
    expect(error?.status).toBe(400);
    expect([code, "IncompleteBody"]).toContain(error?.code);
  });
});
