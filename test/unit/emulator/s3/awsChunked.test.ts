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

function decode(pieces: Iterable<Buffer>, options: { signer?: ChunkSigner; trailers?: boolean; size?: number } = {}) {
  const out: Buffer[] = [];
  const decoder = new AwsChunkedDecoder({
    signer: options.signer,
    trailers: options.trailers ?? false,
    size: options.size ?? 66_560,
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
    [
      "a chunk without signature",
      signedBody(SIGNED.chunks).toString("latin1").replace(";chunk-signature=0055", ";x=0055"),
    ],
    ["a trailer where none may be", signedBody(SIGNED.chunks, "x-amz-checksum-crc32:AAAAAA==\r\n").toString("latin1")],
  ])("%s is no whole body", (_what, wire) => {
    const run = () => decode([Buffer.from(wire, "latin1")], { signer: signer(SIGNED.seed) });
    expect(errorOf(run)).toEqual({ code: "IncompleteBody", status: 400 });
  });

  test.each([
    ["without a signature", WITH_TRAILER.trailer.replace(/x-amz-trailer-signature.*/s, "")],
    ["without a signature before the last line", WITH_TRAILER.trailer.replace(/x-amz-trailer-signature.*\r\n/, "")],
    ["with a second one in place of the signature", separated.replace("x-amz-trailer-signature", "x-amz-other")],
  ])("a trailer %s is no whole body", (_what, trailer) => {
    const wire = signedBody(WITH_TRAILER.chunks, trailer);
    const run = () => decode([wire], { signer: signer(WITH_TRAILER.seed), trailers: true });
    expect(errorOf(run)).toEqual({ code: "IncompleteBody", status: 400 });
  });

  test.each([
    ["a changed trailer", WITH_TRAILER.trailer.replace("sOO8", "sOO9")],
    ["a changed trailer before a blank line", separated.replace("sOO8", "sOO9")],
  ])("%s is refused", (_what, trailer) => {
    const wire = signedBody(WITH_TRAILER.chunks, trailer);
    const run = () => decode([wire], { signer: signer(WITH_TRAILER.seed), trailers: true });
    expect(errorOf(run)).toEqual({ code: "SignatureDoesNotMatch", status: 403 });
  });
});

describe("unsigned chunks with a trailer", () => {
  const first = `${"hello\r\n0\r\n".repeat(820)}`.slice(0, 8192);
  const expected = `${first}world\r\n1\r\n`;
  const size = expected.length;
  const wire = Buffer.from(
    `2000\r\n${first}\r\n00A\r\nworld\r\n1\r\n\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\nx-amz-other: b \r\n\r\n`,
  );

  test("decode the same at every split in two, and byte by byte", () => {
    for (let at = 0; at <= wire.length; at++) {
      const { body, trailers } = decode([wire.subarray(0, at), wire.subarray(at)], { trailers: true, size });
      expect(body.toString() === expected).toBe(true);
      expect([...trailers].join()).toBe("x-amz-checksum-crc32,DUoRhQ==,x-amz-other,b");
    }
    const bytes = Array.from(wire, (byte) => Buffer.from([byte]));
    expect(decode(bytes, { trailers: true, size }).body.toString()).toBe(expected);
  });

  test("a body cut off anywhere is an error", () => {
    for (let at = 0; at < wire.length; at++) {
      expect(errorOf(() => decode([wire.subarray(0, at)], { trailers: true, size }))?.code).toBe("IncompleteBody");
    }
  });

  test.each([
    ["a length that is no number", "zz\r\nhello\r\n0\r\n\r\n"],
    ["a chunk longer than its length", "3\r\nhello\r\n0\r\n\r\n"],
    ["bytes after the end", "5\r\nhello\r\n0\r\n\r\nmore"],
    ["a trailer where none may be", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"],
    ["a header without an end", `${"1".repeat(5000)}`],
    ["fewer bytes than announced", "4\r\nhell\r\n0\r\n\r\n"],
    ["more bytes than announced", "6\r\nhello!\r\n0\r\n\r\n"],
  ])("%s is refused", (_what, text) => {
    const run = () => decode([Buffer.from(text)], { size: 5 });
    expect(errorOf(run)).toEqual({ code: "IncompleteBody", status: 400 });
  });

  test("a trailer without a name is refused, one without a value ends the body too early", () => {
    const run = (trailer: string) => () =>
      decode([Buffer.from(`5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`)], { trailers: true, size: 5 });
    expect(errorOf(run(":AAAAAA=="))).toEqual({ code: "MalformedTrailerError", status: 400 });
    expect(errorOf(run("x-amz-checksum-crc32"))).toEqual({ code: "IncompleteBody", status: 400 });
  });

  test("only the last chunk with data may be small", () => {
    const run = (bytes: number) => () =>
      decode([Buffer.from(`${bytes.toString(16)}\r\n${"a".repeat(bytes)}\r\n1\r\nb\r\n0\r\n\r\n`)], {
        size: bytes + 1,
      });
    expect(errorOf(run(8192))).toBeUndefined();
    expect(errorOf(run(8191))).toEqual({ code: "InvalidChunkSizeError", status: 403 });
  });
});
