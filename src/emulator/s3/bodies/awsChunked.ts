import { createHash, createHmac, type Hash } from "node:crypto";
import { signatureMismatch } from "../../auth/refusals.ts";
import { AwsError } from "../../awsError.ts";
import { incompleteBody, malformedTrailer } from "../errors.ts";

/** What is needed to verify signed chunks: the request's own signature is the first link of the chain. */
export interface ChunkSigner {
  signingKey: Buffer;
  /** Hex signature of the request. */
  seed: string;
  /** YYYYMMDDTHHMMSSZ */
  timestamp: string;
  scope: string;
  /** What a refusal tells beside the chunk's own: whose key it was, and the request that began the chain. */
  accessKeyId?: string | undefined;
  canonicalRequest?: string | undefined;
}

export interface AwsChunkedOptions {
  /** Present for the two signed forms. */
  signer?: ChunkSigner | undefined;
  /** The body may end with trailers, and a signed one must. */
  trailers: boolean;
  /** Decoded length in bytes that the client announced. */
  size: number;
  /** Receives decoded bytes as they come, before their chunk's signature is known to be right. */
  onData: (bytes: Buffer) => void;
}

const EMPTY_SHA256 = createHash("sha256").digest("hex");
/** All chunks with data but the last must have this size. */
const MIN_CHUNK_BYTES = 8192;
/** A chunk header is a hex length and a signature; trailers are few and short. */
const MAX_LINE_BYTES = 4096;
const MAX_TRAILERS = 20;

const CR = 13;
const LF = 10;

/**
 * Decodes a body in S3's `aws-chunked` encoding, fed in pieces of any size.
 *
 *     HEXLENGTH[;chunk-signature=HEX]\r\n DATA \r\n … 0[;chunk-signature=HEX]\r\n [name:value\r\n]… \r\n
 *
 * Signed trailers end with x-amz-trailer-signature, which may have a blank line before it.
 *
 * Throws IncompleteBody 400 for a body that breaks off, has another length than was announced or another form, InvalidChunkSizeError 403
 * for a small chunk that others follow, SignatureDoesNotMatch 403 for a wrong signature of a chunk or of the trailers,
 * MalformedTrailerError 400.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * Refusals as recorded from AWS in 2026: https://github.com/justincormack/argmin/blob/main/crates/s3-tests/tests/chunked.rs
 */
export class AwsChunkedDecoder {
  readonly #options: AwsChunkedOptions;
  readonly trailers = new Map<string, string>();
  #state: "header" | "data" | "dataEnd" | "trailer" | "trailerSignature" | "end" = "header";
  #line: Buffer[] = [];
  #lineBytes = 0;
  /** Of the chunk that is being read. */
  #left = 0;
  #chunkSize = 0;
  #chunkNumber = 0;
  #total = 0;
  #signature = "";
  #previous: string;
  #hash: Hash | undefined;
  #trailerText = "";
  #trailerSignature = "";

  constructor(options: AwsChunkedOptions) {
    this.#options = options;
    this.#previous = options.signer?.seed ?? "";
  }

  push(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#state === "data") at = this.#takeData(piece, at);
      else at = this.#takeLine(piece, at);
    }
  }

  /** To be called when the body has ended. */
  finish(): void {
    if (this.#state !== "end") throw incompleteBody();
  }

  #takeData(piece: Buffer, start: number): number {
    const end = Math.min(piece.length, start + this.#left);
    const bytes = piece.subarray(start, end);
    this.#hash?.update(bytes);
    this.#left -= bytes.length;
    if (this.#left === 0) this.#state = "dataEnd";
    this.#options.onData(bytes);
    return end;
  }

  #takeLine(piece: Buffer, start: number): number {
    if (this.#state === "end") throw incompleteBody();
    const found = piece.indexOf(LF, start);
    const end = found < 0 ? piece.length : found + 1;
    const part = piece.subarray(start, end);
    // The piece is gone by the time that the rest of the line comes.
    this.#line.push(found < 0 ? Buffer.from(part) : part);
    this.#lineBytes += end - start;
    if (this.#lineBytes > MAX_LINE_BYTES) throw incompleteBody();
    if (found < 0) return end;
    const whole = this.#line.length === 1 ? this.#line[0]! : Buffer.concat(this.#line);
    this.#line = [];
    this.#lineBytes = 0;
    const isTrailer = this.#state === "trailer" || this.#state === "trailerSignature";
    // Clients end trailers with \n or \r\n; chunk headers and chunks always with \r\n.
    const hasCr = whole.length >= 2 && whole[whole.length - 2] === CR;
    if (!hasCr && !isTrailer) throw incompleteBody();
    this.#endLine(whole.toString("latin1", 0, whole.length - (hasCr ? 2 : 1)));
    return end;
  }

  #endLine(line: string): void {
    if (this.#state === "header") this.#startChunk(line);
    else if (this.#state === "dataEnd") {
      if (line !== "") throw incompleteBody();
      this.#endChunk();
    } else if (line !== "") this.#addTrailer(line);
    else if (this.#state === "trailer" && this.#isSignatureDue()) this.#state = "trailerSignature";
    else this.#endTrailers();
  }

  #startChunk(line: string): void {
    const [size = "", ...extensions] = line.split(";");
    if (!/^[0-9a-fA-F]{1,12}$/.test(size)) throw incompleteBody();
    const before = this.#chunkSize;
    this.#chunkSize = Number.parseInt(size, 16);
    this.#chunkNumber += 1;
    const isLast = this.#chunkSize === 0;
    if (!isLast && this.#chunkNumber > 1 && before < MIN_CHUNK_BYTES) throw chunkTooSmall(this.#chunkNumber, before);
    this.#total += this.#chunkSize;
    const { signer, size: announced } = this.#options;
    if (this.#total > announced || (isLast && this.#total < announced)) throw incompleteBody(announced, this.#total);
    this.#left = this.#chunkSize;
    if (signer) {
      const named = extensions.find((extension) => extension.startsWith("chunk-signature="));
      if (named === undefined) throw incompleteBody();
      this.#signature = named.slice("chunk-signature=".length);
      this.#hash = createHash("sha256");
    }
    if (!isLast) this.#state = "data";
    else {
      this.#endChunk();
      this.#state = "trailer";
    }
  }

  #endChunk(): void {
    this.#state = "header";
    const { signer } = this.#options;
    if (!signer) return;
    const parts = [this.#previous, EMPTY_SHA256, this.#hash!.digest("hex")];
    this.#previous = checkSignature(signer, "AWS4-HMAC-SHA256-PAYLOAD", parts, this.#signature);
  }

  #addTrailer(line: string): void {
    const colon = line.indexOf(":");
    if (!this.#options.trailers || colon < 0) throw incompleteBody();
    if (colon === 0 || this.trailers.size >= MAX_TRAILERS) throw malformedTrailer();
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === "x-amz-trailer-signature") this.#trailerSignature = value;
    else {
      this.trailers.set(name, value);
      this.#trailerText += `${name}:${value}\n`;
    }
  }

  #isSignatureDue(): boolean {
    const { signer, trailers } = this.#options;
    return signer !== undefined && trailers && this.#trailerSignature === "" && this.trailers.size > 0;
  }

  #endTrailers(): void {
    this.#state = "end";
    const { signer, trailers } = this.#options;
    if (!signer || !trailers) return;
    if (this.#trailerSignature === "") throw incompleteBody();
    const hash = createHash("sha256").update(this.#trailerText, "latin1").digest("hex");
    checkSignature(signer, "AWS4-HMAC-SHA256-TRAILER", [this.#previous, hash], this.#trailerSignature);
  }
}

/** The signature, once it is known to be right. Throws SignatureDoesNotMatch 403. */
function checkSignature(signer: ChunkSigner, algorithm: string, parts: string[], given: string): string {
  const { timestamp, scope, signingKey, accessKeyId = "", canonicalRequest } = signer;
  const stringToSign = [algorithm, timestamp, scope, ...parts].join("\n");
  const expected = createHmac("sha256", signingKey).update(stringToSign).digest("hex");
  if (expected === given) return expected;
  throw signatureMismatch("s3", { accessKeyId, stringToSign, signature: given, canonicalRequest });
}

/** S3 names the chunk that follows the small one. */
const chunkTooSmall = (chunk: number, size: number) =>
  new AwsError("InvalidChunkSizeError", "Only the last chunk is allowed to have a size less than 8192 bytes", 403, {
    details: { Chunk: String(chunk), BadChunkSize: String(size) },
  });
