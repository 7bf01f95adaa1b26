import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { AwsError } from "../../awsError.ts";
import { releaseMemory } from "../../releaseMemory.ts";
import { header, type S3Call, type S3Context } from "../call.ts";
import { decodeBase64, decodeDigest, type PromisedChecksum, promisedChecksum } from "../checksumHeaders.ts";
import { type ChecksumAlgorithm, checksumHeader, digestOf, loadHashers } from "../checksums.ts";
import {
  entityTooLarge,
  headerNotImplemented,
  incompleteBody,
  invalidArgument,
  invalidRequest,
  malformedTrailer,
  messageTooLong,
  missingContentLength,
} from "../errors.ts";
import { AwsChunkedDecoder } from "./awsChunked.ts";
import { BodySink, type Digests } from "./sink.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** Up to here a body lives in the database, which takes it in half the time that a file of its own would. */
export const MAX_INLINE_BYTES = 64 * 1024;

/** The header that documents need by which S3 deletes and tags. */
export const ANY_DIGEST = "Content-MD5 OR x-amz-checksum-*";

/** A body that arrived whole and was verified; not yet part of the store. */
export interface ReceivedBody {
  size: number;
  md5: Buffer;
  checksum: { algorithm: ChecksumAlgorithm; digest: Buffer };
  /** What the client sent, which may be of another algorithm. */
  sent?: { algorithm: ChecksumAlgorithm; digest: Buffer };
  content: { bytes: Buffer } | { blob: string };
}

/** What the headers say about the body to come. */
interface Announcement {
  /** Decoded length in bytes. */
  size: number;
  decoder?: { signed: boolean; trailers: boolean };
  /** What the request's signature covers: a hex digest, where the body is to be accepted. */
  sha256?: string;
  contentMd5?: Buffer;
  promised?: PromisedChecksum;
}

/**
 * Reads and verifies the body of a request: Content-MD5, signed payload hash, checksum header or trailer, aws-chunked framing.
 *
 * stored      the checksum to keep; undefined: the client's own, or CRC64NVME when it sends none
 * expected    the client's own checksum must be of this algorithm, if it sends one; with `mustBeSent` it has to
 * asFile      even a small body goes into a file
 * Throws      BadDigest, InvalidDigest, XAmzContentSHA256Mismatch, IncompleteBody, EntityTooLarge 400; nothing is left behind then
 */
export async function receiveBody(
  context: S3Context,
  call: S3Call,
  options: { stored?: ChecksumAlgorithm; expected?: ChecksumAlgorithm; mustBeSent?: boolean; asFile?: boolean } = {},
): Promise<ReceivedBody> {
  if (call.request.headers["content-length"] === undefined && call.request.headers["transfer-encoding"] === undefined) {
    throw missingContentLength();
  }
  const announced = announcement(call);
  const sent = announced.promised?.algorithm;
  const { expected, mustBeSent } = options;
  if (expected && sent !== expected && (sent || mustBeSent)) {
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${sent?.toLowerCase() ?? "null"}`,
    );
  }
  const stored = options.stored ?? sent ?? "CRC64NVME";
  if (announced.size <= MAX_INLINE_BYTES && !options.asFile) return receiveSmall(call, announced, stored);
  return receiveLarge(context, call, announced, stored);
}

/**
 * A whole small document, such as a configuration. Throws `tooLarge`, MaxMessageLengthExceeded 400 unless told otherwise, beyond `maxBytes`.
 *
 * digestRequired       a Content-MD5 or checksum must come with it, or InvalidRequest 400 in these words
 * checksumIsOfObject   the checksum header speaks of the object that the document completes
 */
export async function receiveDocument(
  call: S3Call,
  maxBytes: number,
  options: { digestRequired?: string; checksumIsOfObject?: boolean; tooLarge?: () => AwsError } = {},
): Promise<Buffer> {
  const announced = announcement(call, !options.checksumIsOfObject);
  if (announced.size > maxBytes) throw options.tooLarge?.() ?? messageTooLong(maxBytes);
  if (options.digestRequired && !announced.promised && !announced.contentMd5) {
    throw invalidRequest(`Missing required header for this request: ${options.digestRequired}`);
  }
  const received = await receiveSmall(call, announced, "CRC32");
  return (received.content as { bytes: Buffer }).bytes;
}

function announcement(call: S3Call, hasChecksum = true): Announcement {
  const payload = header(call, "x-amz-content-sha256");
  const isPresigned = call.caller.signature?.presigned ?? false;
  const isStreaming = payload?.startsWith("STREAMING-") ?? false;
  if (payload === "UNSIGNED-PAYLOAD") refuseAwsChunked(header(call, "content-encoding"));
  // A presigned URL's body is taken as it comes, whatever its headers say about chunks.
  const isChunked = isStreaming && !isPresigned;
  const size = announcedSize(call, isChunked);
  if (size > MAX_PUT_BYTES) throw entityTooLarge(size, MAX_PUT_BYTES);
  if (isStreaming && isPresigned) {
    const decoded = Number(header(call, "x-amz-decoded-content-length"));
    if (decoded !== size) throw incompleteBody(decoded, size);
  }
  return {
    size,
    ...(isChunked && {
      decoder: {
        signed: payload!.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        trailers: payload!.endsWith("-TRAILER"),
      },
    }),
    ...(payload !== undefined && payload !== "UNSIGNED-PAYLOAD" && !isChunked && { sha256: payload }),
    contentMd5: contentMd5(call),
    promised: hasChecksum ? promisedChecksum(call) : undefined,
  };
}

/** Throws InvalidArgument 400, MissingContentLength 411, NotImplemented 501. */
function announcedSize(call: S3Call, isChunked: boolean): number {
  const text = header(call, isChunked ? "x-amz-decoded-content-length" : "content-length");
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  if (isChunked) throw missingContentLength();
  if (header(call, "transfer-encoding") !== undefined) throw headerNotImplemented("Transfer-Encoding");
  return 0;
}

function refuseAwsChunked(encoding: string | undefined): void {
  if (encoding === undefined || !/(^|,)\s*aws-chunked\s*(,|$)/i.test(encoding)) return;
  throw invalidArgument(
    "aws-chunked encoding is not supported when x-amz-content-sha256 UNSIGNED-PAYLOAD is supplied.",
    "Content-Encoding",
    encoding,
  );
}

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
    if (size > announced.size) throw incompleteBody(announced.size, size);
    pieces.push(piece);
    return true;
  };
  const trailers = announced.size > 0 || announced.decoder ? await readStream(call, announced, take) : undefined;
  if (size !== announced.size) throw incompleteBody(announced.size, size);
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
  const md5 = createHash("md5").update(bytes).digest();
  const digests: Digests = { md5, checksums: new Map() };
  const needed = neededAlgorithms(announced, algorithm);
  const loading = loadHashers(needed);
  if (loading) await loading;
  for (const one of needed) {
    digests.checksums.set(one, one === "MD5" ? md5 : digestOf(one, bytes));
  }
  verify(announced, digests, trailers);
  return {
    size,
    md5: digests.md5,
    ...checksumsOf(announced, digests, algorithm),
    content: { bytes },
  };
}

async function receiveLarge(
  context: S3Context,
  call: S3Call,
  announced: Announcement,
  algorithm: ChecksumAlgorithm,
): Promise<ReceivedBody> {
  const needed = neededAlgorithms(announced, algorithm);
  await loadHashers(needed);
  const sink = new BodySink(context.store.blobs, needed, announced.size);
  try {
    sink.onDrain = () => call.request.stream.resume();
    const take = (piece: Buffer) => {
      const size = sink.size + piece.length;
      if (size > announced.size) throw incompleteBody(announced.size, size);
      return sink.write(piece);
    };
    const trailers = await readStream(call, announced, take, sink.copies);
    if (sink.size !== announced.size) throw incompleteBody(announced.size, sink.size);
    const digests = await sink.finish();
    verify(announced, digests, trailers);
    return {
      size: sink.size,
      md5: digests.md5,
      ...checksumsOf(announced, digests, algorithm),
      content: { blob: sink.blob },
    };
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

function checksumsOf({ promised }: Announcement, { checksums }: Digests, stored: ChecksumAlgorithm) {
  const of = (algorithm: ChecksumAlgorithm) => ({ algorithm, digest: checksums.get(algorithm)! });
  return { checksum: of(stored), ...(promised && { sent: of(promised.algorithm) }) };
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
  const decoder = makeDecoder(call, announced, (piece) => {
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

function makeDecoder(call: S3Call, { decoder, size }: Announcement, onData: (bytes: Buffer) => void) {
  const { signed, trailers } = decoder!;
  const { signature, accessKeyId } = call.caller;
  if (signed && !signature)
    throw new AwsError("AccessDenied", "A body with signed chunks needs a signed request.", 403);
  const signer = signed ? { ...signature!, accessKeyId } : undefined;
  return new AwsChunkedDecoder({ signer, trailers, size, onData });
}

function verify(announced: Announcement, digests: Digests, trailers: ReadonlyMap<string, string> | undefined): void {
  const { sha256, contentMd5: expectedMd5, promised } = announced;
  if (sha256 !== undefined && digests.checksums.get("SHA256")!.toString("hex") !== sha256.toLowerCase()) {
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
  const awaited = promised && !promised.value ? checksumHeader(promised.algorithm) : undefined;
  for (const name of trailers?.keys() ?? []) if (name !== awaited) throw malformedTrailer();
  if (!promised) return;
  verifyChecksum(promised, digests.checksums.get(promised.algorithm)!, awaited && trailers?.get(awaited));
}

/** Throws MalformedTrailerError, InvalidRequest, BadDigest 400. */
function verifyChecksum({ algorithm, value: sent }: PromisedChecksum, computed: Buffer, trailer?: string): void {
  if (!sent && trailer === undefined) throw malformedTrailer();
  const value = sent ?? decodeDigest(algorithm, trailer!, "trailing header");
  if (!value.equals(computed)) {
    throw new AwsError("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
  }
}
