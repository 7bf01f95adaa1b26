import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { AwsError } from "../../awsError.ts";
import { header, type S3Call, type S3Context } from "../call.ts";
import { decodeBase64, decodeDigest, type PromisedChecksum, promisedChecksum } from "../checksumHeaders.ts";
import { type ChecksumAlgorithm, checksumHeader, digestOf } from "../checksums.ts";
import { entityTooLarge, headerNotImplemented, incompleteBody, invalidRequest } from "../errors.ts";
import { AwsChunkedDecoder } from "./awsChunked.ts";
import { releaseMemory } from "./releaseMemory.ts";
import { BodySink, type Digests } from "./sink.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** Up to here a body lives in the database, which takes it in half the time that a file of its own would. */
export const MAX_INLINE_BYTES = 64 * 1024;

/** A body that arrived whole and was verified; not yet part of the store. */
export interface ReceivedBody {
  size: number;
  md5: Buffer;
  checksum: { algorithm: ChecksumAlgorithm; digest: Buffer };
  content: { bytes: Buffer } | { blob: string };
}

/** What the headers say about the body to come. */
interface Announcement {
  /** Decoded length in bytes. */
  size: number;
  decoder?: { signed: boolean; trailers: boolean };
  /** Hex digest that the request's signature covers. */
  sha256?: string;
  contentMd5?: Buffer;
  promised?: PromisedChecksum;
}

/**
 * Reads and verifies the body of a request: Content-MD5, signed payload hash, checksum header or trailer, aws-chunked framing.
 *
 * stored     the checksum to keep; undefined: the client's own, or `fallback` when it sends none
 * fallback   default CRC64NVME
 * required   the client's own checksum must be of this algorithm, if it sends one
 * asFile     even a small body goes into a file
 * Throws     BadDigest, InvalidDigest, XAmzContentSHA256Mismatch, IncompleteBody, EntityTooLarge 400; nothing is left behind then
 */
export async function receiveBody(
  context: S3Context,
  call: S3Call,
  options: {
    stored?: ChecksumAlgorithm;
    fallback?: ChecksumAlgorithm;
    required?: ChecksumAlgorithm;
    asFile?: boolean;
  } = {},
): Promise<ReceivedBody> {
  const announced = announcement(call);
  const sent = announced.promised?.algorithm;
  const { required } = options;
  if (required && sent && sent !== required) {
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${required.toLowerCase()}, actual checksum Type: ${sent.toLowerCase()}`,
    );
  }
  const stored = options.stored ?? sent ?? options.fallback ?? "CRC64NVME";
  if (announced.size <= MAX_INLINE_BYTES && !options.asFile) return receiveSmall(call, announced, stored);
  return receiveLarge(context, call, announced, stored);
}

/**
 * A whole small document, such as a configuration. Throws `tooLarge` beyond `maxBytes`.
 *
 * digestRequired       a Content-MD5 or checksum must come with it, or InvalidRequest 400
 * checksumIsOfObject   the checksum header speaks of the object that the document completes
 */
export async function receiveDocument(
  call: S3Call,
  maxBytes: number,
  tooLarge: () => AwsError,
  options: { digestRequired?: boolean; checksumIsOfObject?: boolean } = {},
): Promise<Buffer> {
  const announced = announcement(call);
  if (options.checksumIsOfObject) announced.promised = undefined;
  if (announced.size > maxBytes) throw tooLarge();
  if (options.digestRequired && !announced.promised && !announced.contentMd5) {
    throw invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  const received = await receiveSmall(call, announced, "CRC32");
  return (received.content as { bytes: Buffer }).bytes;
}

function announcement(call: S3Call): Announcement {
  const payload = header(call, "x-amz-content-sha256");
  const streaming = payload?.startsWith("STREAMING-") ?? false;
  const chunked = streaming || hasAwsChunked(header(call, "content-encoding"));
  const size = announcedSize(call, chunked);
  if (size > MAX_PUT_BYTES) throw entityTooLarge(size, MAX_PUT_BYTES);
  return {
    size,
    ...(chunked && {
      decoder: {
        signed: payload?.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD") ?? false,
        trailers: header(call, "x-amz-trailer") !== undefined,
      },
    }),
    ...(payload !== undefined && /^[0-9a-f]{64}$/.test(payload) && { sha256: payload }),
    contentMd5: contentMd5(call),
    promised: promisedChecksum(call),
  };
}

function announcedSize(call: S3Call, chunked: boolean): number {
  const text = header(call, chunked ? "x-amz-decoded-content-length" : "content-length");
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  if (chunked) {
    throw new AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);
  }
  if (header(call, "transfer-encoding") !== undefined) throw headerNotImplemented("Transfer-Encoding");
  return 0;
}

const hasAwsChunked = (encoding: string | undefined) =>
  encoding?.split(",").some((one) => one.trim().toLowerCase() === "aws-chunked") ?? false;

function contentMd5(call: S3Call): Buffer | undefined {
  const text = header(call, "content-md5");
  if (text === undefined) return undefined;
  const digest = decodeBase64(text.trim());
  if (digest?.length !== 16) {
    throw new AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", 400, {
      details: { "Content-MD5": text },
    });
  }
  return digest;
}

async function receiveSmall(
  call: S3Call,
  announced: Announcement,
  algorithm: ChecksumAlgorithm,
): Promise<ReceivedBody> {
  const pieces: Buffer[] = [];
  let size = 0;
  const take = (piece: Buffer): boolean => {
    size += piece.length;
    if (size > announced.size) throw incompleteBody();
    pieces.push(piece);
    return true;
  };
  const trailers = announced.size > 0 || announced.decoder ? await readStream(call, announced, take) : undefined;
  if (size !== announced.size) throw incompleteBody();
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
  const digests: Digests = {
    md5: createHash("md5").update(bytes).digest(),
    checksums: new Map(),
  };
  for (const one of neededAlgorithms(announced, algorithm)) digests.checksums.set(one, digestOf(one, bytes));
  verify(announced, digests, trailers);
  return {
    size,
    md5: digests.md5,
    checksum: { algorithm, digest: digests.checksums.get(algorithm)! },
    content: { bytes },
  };
}

async function receiveLarge(
  context: S3Context,
  call: S3Call,
  announced: Announcement,
  algorithm: ChecksumAlgorithm,
): Promise<ReceivedBody> {
  const sink = new BodySink(context.store.blobs, neededAlgorithms(announced, algorithm), announced.size);
  try {
    sink.onDrain = () => call.request.stream.resume();
    const take = (piece: Buffer) => {
      if (sink.size + piece.length > announced.size) throw incompleteBody();
      return sink.write(piece);
    };
    const trailers = await readStream(call, announced, take, sink.copies);
    if (sink.size !== announced.size) throw incompleteBody();
    const digests = await sink.finish();
    verify(announced, digests, trailers);
    return {
      size: sink.size,
      md5: digests.md5,
      checksum: { algorithm, digest: digests.checksums.get(algorithm)! },
      content: { blob: sink.blob },
    };
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

function neededAlgorithms({ sha256, promised }: Announcement, stored: ChecksumAlgorithm): Set<ChecksumAlgorithm> {
  const needed = new Set([stored]);
  if (promised) needed.add(promised.algorithm);
  if (sha256 !== undefined) needed.add("SHA256");
  return needed;
}

/**
 * Feeds the decoded body to `take`, pausing the sender when that returns false. Resolves with the trailers.
 * `isCopied`: what `take` was given is not kept once it has returned true.
 */
async function readStream(
  call: S3Call,
  announced: Announcement,
  take: (piece: Buffer) => boolean,
  isCopied = false,
): Promise<ReadonlyMap<string, string> | undefined> {
  const { stream } = call.request;
  const releasing = (feed: (piece: Buffer) => boolean) => (piece: Buffer) => {
    const goOn = feed(piece);
    if (goOn && isCopied) releaseMemory(piece);
    return goOn;
  };
  if (!announced.decoder) {
    await pump(stream, releasing(take));
    return undefined;
  }
  let wantsMore = true;
  const decoder = makeDecoder(call, announced.decoder, (piece) => {
    wantsMore = take(piece) && wantsMore;
  });
  const decode = (piece: Buffer) => {
    wantsMore = true;
    decoder.push(piece);
    return wantsMore;
  };
  await pump(stream, releasing(decode));
  decoder.finish();
  return decoder.trailers;
}

/**
 * Feeds what a client sends to `take`, as it comes, pausing the client when that returns false; `stream.resume()` ends the pause.
 * Rejects with what `take` throws, and with IncompleteBody 400 when the client goes away.
 */
export function pump(stream: IncomingMessage, take: (piece: Buffer) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed) return reject(incompleteBody());
    const stop = () => stream.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
    const onData = (piece: Buffer) => {
      try {
        if (!take(piece)) stream.pause();
      } catch (error) {
        stop();
        reject(error);
      }
    };
    const onEnd = () => {
      stop();
      resolve();
    };
    const onGone = () => {
      stop();
      reject(incompleteBody());
    };
    stream.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
  });
}

function makeDecoder(call: S3Call, form: { signed: boolean; trailers: boolean }, onData: (bytes: Buffer) => void) {
  const { signature } = call.caller;
  if (form.signed && !signature) {
    throw new AwsError("AccessDenied", "A body with signed chunks needs a signed request.", 403);
  }
  return new AwsChunkedDecoder({ signer: form.signed ? signature : undefined, trailers: form.trailers, onData });
}

function verify(announced: Announcement, digests: Digests, trailers: ReadonlyMap<string, string> | undefined): void {
  const { sha256, contentMd5: expectedMd5, promised } = announced;
  if (sha256 !== undefined && digests.checksums.get("SHA256")?.toString("hex") !== sha256) {
    throw new AwsError(
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      400,
      {
        details: {
          ClientComputedContentSHA256: sha256,
          S3ComputedContentSHA256: digests.checksums.get("SHA256")!.toString("hex"),
        },
      },
    );
  }
  if (expectedMd5 && !expectedMd5.equals(digests.md5)) {
    throw new AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.", 400, {
      details: { CalculatedDigest: digests.md5.toString("base64"), ExpectedDigest: expectedMd5.toString("base64") },
    });
  }
  if (promised) verifyChecksum(promised, digests.checksums.get(promised.algorithm)!, trailers);
}

function verifyChecksum(
  promised: PromisedChecksum,
  computed: Buffer,
  trailers: ReadonlyMap<string, string> | undefined,
): void {
  let { value } = promised;
  if (!value) {
    const name = checksumHeader(promised.algorithm);
    const trailer = trailers?.get(name);
    if (trailer === undefined) {
      throw new AwsError(
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
      );
    }
    value = decodeDigest(promised.algorithm, trailer, name);
  }
  if (!value.equals(computed)) {
    throw new AwsError("BadDigest", `The ${promised.algorithm} you specified did not match the calculated checksum.`);
  }
}

/** Reads what is left of a request whose answer is already known, so that the client can read that answer. */
export function drain(stream: IncomingMessage): void {
  if (!stream.readableEnded && !stream.destroyed) stream.resume();
}
