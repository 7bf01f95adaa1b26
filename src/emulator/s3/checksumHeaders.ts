import { notImplemented } from "../awsError.ts";
import { header, type S3Call } from "./call.ts";
import { CHECKSUM_ALGORITHMS, CHECKSUM_BYTES, type ChecksumAlgorithm, checksumHeader } from "./checksums.ts";
import { invalidRequest } from "./errors.ts";

const PREFIX = "x-amz-checksum-";
const BY_HEADER = new Map(CHECKSUM_ALGORITHMS.map((algorithm) => [checksumHeader(algorithm), algorithm]));
const NOT_VALUES = new Set(["x-amz-checksum-mode", "x-amz-checksum-algorithm", "x-amz-checksum-type"]);

/** A checksum that the client promises: with its value in a header, or later in a trailer. */
export interface PromisedChecksum {
  algorithm: ChecksumAlgorithm;
  /** Undefined: it comes in the trailer of this name. */
  value?: Buffer;
}

/** Throws InvalidRequest 400 for several checksums, or one that is no digest of its algorithm. */
export function promisedChecksum(call: S3Call): PromisedChecksum | undefined {
  const found = checksumInHeaders(call);
  if (found) return found;
  for (const name of (header(call, "x-amz-trailer") ?? "").split(",")) {
    const trailer = name.trim().toLowerCase();
    if (trailer.startsWith(PREFIX)) return { algorithm: algorithmOfHeader(trailer) };
  }
  if (header(call, "x-amz-sdk-checksum-algorithm") !== undefined && isBodyAnnounced(call)) {
    throw invalidRequest(
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  }
  return undefined;
}

const isBodyAnnounced = (call: S3Call) => header(call, "content-md5") === undefined;

/** The checksum whose value a header holds. */
export function checksumInHeaders(call: S3Call): { algorithm: ChecksumAlgorithm; value: Buffer } | undefined {
  let found: { algorithm: ChecksumAlgorithm; value: Buffer } | undefined;
  for (const name in call.request.headers) {
    if (!name.startsWith(PREFIX) || NOT_VALUES.has(name)) continue;
    if (found) {
      throw invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    }
    const algorithm = algorithmOfHeader(name);
    found = { algorithm, value: decodeDigest(algorithm, header(call, name)!, name) };
  }
  return found;
}

function algorithmOfHeader(name: string): ChecksumAlgorithm {
  const algorithm = BY_HEADER.get(name);
  if (!algorithm) throw notImplemented(`the S3 checksum ${name}`);
  return algorithm;
}

/** Throws InvalidRequest 400 for what is not the base64 form of a digest of this algorithm. */
export function decodeDigest(algorithm: ChecksumAlgorithm, text: string, name = checksumHeader(algorithm)): Buffer {
  const digest = decodeBase64(text);
  if (digest?.length !== CHECKSUM_BYTES[algorithm]) throw invalidRequest(`Value for ${name} header is invalid.`);
  return digest;
}

/** Undefined for what is not canonical base64. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** The algorithm that `x-amz-checksum-algorithm` asks for. Throws InvalidRequest 400 for an unknown one. */
export function requestedAlgorithm(call: S3Call): ChecksumAlgorithm | undefined {
  const asked = header(call, "x-amz-checksum-algorithm")?.toUpperCase();
  if (asked === undefined) return undefined;
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === asked);
  if (!algorithm) {
    throw invalidRequest(
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${CHECKSUM_ALGORITHMS.join(", ")}]`,
    );
  }
  return algorithm;
}
