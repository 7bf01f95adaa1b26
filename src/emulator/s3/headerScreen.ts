import { notImplemented } from "../awsError.ts";
import type { EmulatorRequest } from "../http.ts";
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, checksumHeader } from "./checksums.ts";
import { invalidArgument } from "./errors.ts";
import type { S3Operation } from "./routing.ts";

/**
 * The x-amz- headers that this endpoint acts on, or that change nothing, beside x-amz-meta-* and x-amz-checksum-<algorithm>.
 * All others are refused, because ignoring them would change what the caller gets.
 * x-amz-checksum-<algorithm> is judged where bodies are received.
 */
const KNOWN_HEADERS = new Set([
  // Signing, transport and forms.
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
  "x-amz-decoded-content-length",
  "x-amz-trailer",
  "x-amz-te",
  "x-amz-user-agent",
  "x-amz-api-version",
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-signature",
  // Whose buckets are meant. The owner pays for all requests here, so the promise to pay changes nothing.
  "x-amz-expected-bucket-owner",
  "x-amz-source-expected-bucket-owner",
  "x-amz-request-payer",
  // Buckets.
  "x-amz-acl",
  "x-amz-object-ownership",
  "x-amz-confirm-remove-self-bucket-access",
  "x-amz-skip-destination-validation",
  "x-amz-transition-default-minimum-object-size",
  // Objects.
  "x-amz-server-side-encryption",
  "x-amz-storage-class",
  "x-amz-tagging",
  "x-amz-tagging-directive",
  "x-amz-metadata-directive",
  "x-amz-copy-source",
  "x-amz-copy-source-range",
  "x-amz-copy-source-if-match",
  "x-amz-copy-source-if-none-match",
  "x-amz-copy-source-if-modified-since",
  "x-amz-copy-source-if-unmodified-since",
  "x-amz-if-match-last-modified-time",
  "x-amz-if-match-size",
  "x-amz-mp-object-size",
  "x-amz-sdk-checksum-algorithm",
  "x-amz-object-attributes",
  "x-amz-max-parts",
  "x-amz-part-number-marker",
]);

/** Headers of which these values, here in lower case, ask for what is done anyway. */
const HARMLESS_VALUES: Readonly<Record<string, readonly string[]>> = {
  "x-amz-bucket-object-lock-enabled": ["false"],
  "x-amz-bypass-governance-retention": ["false"],
  "x-amz-server-side-encryption-bucket-key-enabled": ["false"],
  "x-amz-bucket-namespace": ["global"],
  // No object has annotations here. The AWS CLI 2 sends it with every copy.
  "x-amz-object-annotation-directive": ["copy", "exclude"],
};

/** Operations that take a body whose checksum the client may send, but none of another kind. */
const SINGLE_WRITES = new Set<S3Operation>(["PutObject", "UploadPart"]);

/** Throws NotImplemented 501 naming the header, InvalidArgument 400 for an unknown encryption. */
export function screenHeaders(request: EmulatorRequest, operation: S3Operation): void {
  const { headers } = request;
  for (const name in headers) {
    if (!name.startsWith("x-amz-") || KNOWN_HEADERS.has(name) || name.startsWith("x-amz-meta-")) continue;
    if (name.startsWith("x-amz-checksum-")) {
      if (SINGLE_WRITES.has(operation)) screenChecksumHeader(headers, name, operation);
    } else if (!isHarmless(name, String(headers[name]))) {
      throw notImplemented(`the S3 header ${name}`);
    }
  }
  const encryption = headers["x-amz-server-side-encryption"];
  if (encryption !== undefined && encryption !== "AES256") {
    if (encryption === "aws:kms" || encryption === "aws:kms:dsse") {
      throw notImplemented(`the S3 header x-amz-server-side-encryption: ${encryption}`);
    }
    throw invalidArgument(
      "The encryption method specified is not supported",
      "x-amz-server-side-encryption",
      String(encryption),
    );
  }
}

const isHarmless = (name: string, value: string) =>
  Object.hasOwn(HARMLESS_VALUES, name) && HARMLESS_VALUES[name]!.includes(value.toLowerCase());

/**
 * The checksum of a single write is what the client sent, of the full object: a wish for another one is refused. When it sent none,
 * PutObject computes what was wished for, or CRC64NVME.
 */
function screenChecksumHeader(headers: EmulatorRequest["headers"], name: string, operation: S3Operation): void {
  const wish = String(headers[name]).toUpperCase();
  if (name === "x-amz-checksum-type" && wish !== "FULL_OBJECT") throw notImplemented(`the S3 header ${name}: ${wish}`);
  if (name !== "x-amz-checksum-algorithm" || wish === "CRC64NVME") return;
  const sent = CHECKSUM_ALGORITHMS.map(checksumHeader).filter(
    (value) => headers[value] !== undefined || String(headers["x-amz-trailer"] ?? "").includes(value),
  );
  if (sent.length === 0 && operation === "PutObject") return;
  const value = checksumHeader(wish as ChecksumAlgorithm);
  if (!sent.includes(value)) throw notImplemented(`the S3 header ${name} without ${value}`);
}
