import { header, type S3Call } from "./call.ts";
import {
  CHECKSUM_ALGORITHMS,
  CHECKSUM_BYTES,
  type ChecksumAlgorithm,
  type ChecksumType,
  checksumHeader,
} from "./checksums.ts";
import { invalidArgument, invalidRequest } from "./errors.ts";

const PREFIX = "x-amz-checksum-";
const SDK_ALGORITHM = "x-amz-sdk-checksum-algorithm";
const BY_HEADER: ReadonlyMap<string, ChecksumAlgorithm> = new Map(
  CHECKSUM_ALGORITHMS.map((algorithm) => [checksumHeader(algorithm), algorithm]),
);
const NOT_VALUES = new Set(["x-amz-checksum-mode", "x-amz-checksum-algorithm", "x-amz-checksum-type"]);

/** A checksum that the client promises: with its value in a header, or later in a trailer. */
export interface PromisedChecksum {
  algorithm: ChecksumAlgorithm;
  /** Undefined: it comes in the trailer of this name. */
  value?: Buffer;
}

/**
 * Throws InvalidRequest 400 for several checksums, one that is no digest of its algorithm, one of another algorithm than
 * `x-amz-sdk-checksum-algorithm` names, or none where that names one.
 */
export function promisedChecksum(call: S3Call): PromisedChecksum | undefined {
  const found = checksumInHeaders(call);
  const trailing = trailingAlgorithm(call);
  if (found && trailing) throw invalidRequest("Expecting a single x-amz-checksum- header");
  const promised = found ?? (trailing && { algorithm: trailing });
  const named = header(call, SDK_ALGORITHM)?.toUpperCase();
  if (named !== undefined) {
    if (promised && promised.algorithm !== named) throw invalidRequest(`Value for ${SDK_ALGORITHM} header is invalid.`);
    if (!promised && header(call, "content-md5") === undefined) {
      throw invalidRequest(
        `${SDK_ALGORITHM} specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.`,
      );
    }
  }
  return promised;
}

/** The checksum that the trailer will bring. */
function trailingAlgorithm(call: S3Call): ChecksumAlgorithm | undefined {
  const text = header(call, "x-amz-trailer");
  if (text === undefined) return undefined;
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  const algorithms = names.map((name) => BY_HEADER.get(name));
  if (algorithms.includes(undefined)) {
    throw invalidRequest("The value specified in the x-amz-trailer header is not supported");
  }
  if (algorithms.length > 1) throw multipleChecksums();
  return algorithms[0];
}

const multipleChecksums = () =>
  invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");

/** The checksum whose value a header holds. Throws InvalidRequest 400. */
export function checksumInHeaders(call: S3Call): { algorithm: ChecksumAlgorithm; value: Buffer } | undefined {
  const found = checksumHeaderOf(call);
  return found && { algorithm: found.algorithm, value: decodeDigest(found.algorithm, found.text) };
}

/** The header that holds a checksum, its value as it came. Throws InvalidRequest, InvalidArgument 400 for several, and for unknown algorithms. */
export function checksumHeaderOf(call: S3Call): { algorithm: ChecksumAlgorithm; text: string } | undefined {
  let found: { algorithm: ChecksumAlgorithm; text: string } | undefined;
  for (const name in call.request.headers) {
    if (!name.startsWith(PREFIX) || NOT_VALUES.has(name)) continue;
    if (found) throw multipleChecksums();
    const algorithm = BY_HEADER.get(name);
    if (!algorithm) throw invalidRequest("The algorithm type you specified in x-amz-checksum- header is invalid.");
    const text = header(call, name)!;
    const [, second] = text.split(/,\s*/);
    if (second !== undefined) throw invalidArgument("Only one value may be specified.", name, second);
    found = { algorithm, text };
  }
  return found;
}

/** Throws InvalidRequest 400 for what is not the base64 form of a digest of this algorithm. */
export function decodeDigest(
  algorithm: ChecksumAlgorithm,
  text: string,
  place: "header" | "trailing header" = "header",
): Buffer {
  if (!isDigest(algorithm, text)) throw invalidRequest(`Value for ${checksumHeader(algorithm)} ${place} is invalid.`);
  return Buffer.from(text, "base64");
}

export const isDigest = (algorithm: ChecksumAlgorithm, text: string): boolean =>
  decodeBase64(text)?.length === CHECKSUM_BYTES[algorithm];

/** Undefined for what is not canonical base64. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** The algorithm that `x-amz-checksum-algorithm` asks for. Throws InvalidRequest 400 for an unknown one. */
export function requestedAlgorithm(call: S3Call): ChecksumAlgorithm | undefined {
  const asked = header(call, "x-amz-checksum-algorithm")?.toUpperCase();
  if (asked === undefined) return undefined;
  if (asked.includes(",")) throw invalidRequest("Invalid types are specified in x-amz-checksum-algorithm header.");
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === asked);
  if (!algorithm) {
    throw invalidRequest(
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${CHECKSUM_ALGORITHMS.join(", ")}]`,
    );
  }
  return algorithm;
}

/** The checksum type that a request names. Throws InvalidRequest 400 for an unknown one. */
export function requestedChecksumType(call: S3Call): ChecksumType | undefined {
  const asked = header(call, "x-amz-checksum-type")?.toUpperCase();
  if (asked === undefined || asked === "COMPOSITE" || asked === "FULL_OBJECT") return asked;
  throw invalidRequest("Value for x-amz-checksum-type header is invalid.");
}
