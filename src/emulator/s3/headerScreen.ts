import { notImplemented } from "../awsError.ts";
import type { EmulatorRequest } from "../http.ts";
import { invalidArgument } from "./errors.ts";

/** Headers that ask for what this endpoint does not do: refused, because ignoring them would change what the caller gets. */
const REFUSED_HEADERS = new Set([
  "x-amz-server-side-encryption-customer-algorithm",
  "x-amz-server-side-encryption-customer-key",
  "x-amz-server-side-encryption-customer-key-md5",
  "x-amz-copy-source-server-side-encryption-customer-algorithm",
  "x-amz-copy-source-server-side-encryption-customer-key",
  "x-amz-copy-source-server-side-encryption-customer-key-md5",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-context",
  "x-amz-object-lock-mode",
  "x-amz-object-lock-retain-until-date",
  "x-amz-object-lock-legal-hold",
  "x-amz-website-redirect-location",
  "x-amz-mfa",
  "x-amz-write-offset-bytes",
  "x-amz-rename-source",
  "x-amz-grant-full-control",
  "x-amz-grant-read",
  "x-amz-grant-read-acp",
  "x-amz-grant-write",
  "x-amz-grant-write-acp",
]);

/** Throws NotImplemented 501 naming the header, InvalidArgument 400 for an unknown encryption. */
export function screenHeaders(request: EmulatorRequest): void {
  const { headers } = request;
  for (const name in headers) {
    if (!name.startsWith("x-amz-")) continue;
    if (REFUSED_HEADERS.has(name)) throw notImplemented(`the S3 header ${name}`);
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
  if (String(headers["x-amz-bucket-object-lock-enabled"] ?? "false").toLowerCase() !== "false") {
    throw notImplemented("the S3 header x-amz-bucket-object-lock-enabled");
  }
}
