import { createHash, createHmac, type Hash } from "node:crypto";
import { AwsError } from "../../awsError.ts";
import { incompleteBody, invalidRequest } from "../errors.ts";

/** What is needed to verify signed chunks: the request's own signature is the first link of the chain. */
export interface ChunkSigner {
  signingKey: Buffer;
  /** Hex signature of the request. */
  seed: string;
  /** YYYYMMDDTHHMMSSZ */
  timestamp: string;
  scope: string;
}

export interface AwsChunkedOptions {
  /** Present for the two signed forms. */
  signer?: ChunkSigner | undefined;
  /** The body ends with trailers. */
  trailers: boolean;
  /** Receives decoded bytes as they come, before their chunk's signature is known to be right. */
  onData: (bytes: Buffer) => void;
}

const EMPTY_SHA256 = createHash("sha256").digest("hex");
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
 * Throws IncompleteBody 400 for a body that breaks off, SignatureDoesNotMatch 403 for a wrong signature of a chunk or of the trailers,
 * InvalidRequest 400 for a body in another form.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export class AwsChunkedDecoder {
  readonly #options: AwsChunkedOptions;
  readonly trailers = new Map<string, string>();
  #state: "header" | "data" | "dataEnd" | "trailer" | "trailerSignature" | "end" = "header";
  #line: Buffer[] = [];
  #lineBytes = 0;
  #left = 0;
  #isLast = false;
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
    if (this.#state === "trailerSignature") throw signatureDoesNotMatch();
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
    if (this.#state === "end") throw invalidRequest("The body goes on after the last chunk.");
    const found = piece.indexOf(LF, start);
    const end = found < 0 ? piece.length : found + 1;
    const part = piece.subarray(start, end);
    // The piece is gone by the time that the rest of the line comes.
    this.#line.push(found < 0 ? Buffer.from(part) : part);
    this.#lineBytes += end - start;
    if (this.#lineBytes > MAX_LINE_BYTES) throw invalidRequest("A line of the aws-chunked body is too long.");
    if (found < 0) return end;
    const whole = this.#line.length === 1 ? this.#line[0]! : Buffer.concat(this.#line);
    this.#line = [];
    this.#lineBytes = 0;
    const isTrailer = this.#state === "trailer" || this.#state === "trailerSignature";
    // Clients end trailers with \n or \r\n; chunk headers and chunks always with \r\n.
    const hasCr = whole.length >= 2 && whole[whole.length - 2] === CR;
    if (!hasCr && !isTrailer) throw invalidRequest("A line of the aws-chunked body does not end with CRLF.");
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
    if (!/^[0-9a-fA-F]{1,12}$/.test(size)) throw invalidRequest("The length of a chunk is not a hexadecimal number.");
    this.#left = Number.parseInt(size, 16);
    this.#isLast = this.#left === 0;
    if (this.#options.signer) {
      const named = extensions.find((extension) => extension.startsWith("chunk-signature="));
      if (named === undefined) throw signatureDoesNotMatch();
      this.#signature = named.slice("chunk-signature=".length);
      this.#hash = createHash("sha256");
    }
    if (!this.#isLast) this.#state = "data";
    else {
      this.#endChunk();
      this.#state = "trailer";
    }
  }

  #endChunk(): void {
    this.#state = "header";
    const { signer } = this.#options;
    if (!signer) return;
    const expected = sign(signer, "AWS4-HMAC-SHA256-PAYLOAD", [
      this.#previous,
      EMPTY_SHA256,
      this.#hash!.digest("hex"),
    ]);
    if (expected !== this.#signature) throw signatureDoesNotMatch();
    this.#previous = expected;
  }

  #addTrailer(line: string): void {
    const colon = line.indexOf(":");
    if (colon <= 0 || !this.#options.trailers || this.trailers.size >= MAX_TRAILERS) {
      throw new AwsError(
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
      );
    }
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
    const hash = createHash("sha256").update(this.#trailerText, "latin1").digest("hex");
    if (sign(signer, "AWS4-HMAC-SHA256-TRAILER", [this.#previous, hash]) !== this.#trailerSignature) {
      throw signatureDoesNotMatch();
    }
  }
}

function sign(signer: ChunkSigner, algorithm: string, parts: string[]): string {
  const text = [algorithm, signer.timestamp, signer.scope, ...parts].join("\n");
  return createHmac("sha256", signer.signingKey).update(text).digest("hex");
}

const signatureDoesNotMatch = () =>
  new AwsError(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    403,
  );
