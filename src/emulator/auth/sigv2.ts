import { createHmac } from "node:crypto";
import type { Caller } from "../access.ts";
import { AwsError } from "../awsError.ts";
import type { EmulatorRequest } from "../http.ts";
import { type Authentication, admitKey, requestFacts } from "./keys.ts";
import { isoSeconds, signatureMismatch } from "./refusals.ts";
import { sameText } from "./sigv4.ts";

/**
 * Presigned URLs of Signature Version 2, which AWS CLI version 1 still makes in us-east-1. The header form is refused, as
 * AWS refuses it for new buckets.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 */

/** Parameters that are part of the signed resource. */
const SUBRESOURCES = new Set(
  (
    "acl accelerate analytics cors delete encryption intelligent-tiering inventory legal-hold lifecycle location logging " +
    "metrics notification object-lock ownershipControls partNumber policy policyStatus publicAccessBlock replication " +
    "requestPayment restore retention select select-type tagging torrent uploadId uploads versionId versioning versions " +
    "website response-cache-control response-content-disposition response-content-encoding response-content-language " +
    "response-content-type response-expires"
  ).split(" "),
);

/** Throws   AwsError 403 AccessDenied (missing or expired), InvalidAccessKeyId, SignatureDoesNotMatch */
export function authenticateSigV2Query(request: EmulatorRequest, dependencies: Authentication): Caller {
  const { query } = request;
  const accessKeyId = query.get("AWSAccessKeyId");
  const signature = query.get("Signature");
  const expiresText = query.get("Expires");
  if (!accessKeyId || !signature || !expiresText) {
    throw new AwsError(
      "AccessDenied",
      "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
      403,
    );
  }
  const expires = Number(expiresText);
  if (!/^\d{1,12}$/.test(expiresText)) {
    throw new AwsError("AccessDenied", `Invalid date (should be seconds since epoch): ${expiresText}`, 403);
  }
  const token = query.get("x-amz-security-token") ?? undefined;
  const key = admitKey(accessKeyId, token, "s3", dependencies);
  const now = dependencies.now();
  if (now > expires * 1000) {
    throw new AwsError("AccessDenied", "Request has expired", 403, {
      details: { Expires: isoSeconds(expires * 1000), ServerTime: isoSeconds(now) },
    });
  }
  const texts = resources(request).map((resource) => signedText(request, expiresText, resource));
  const matches = texts.some((text) =>
    sameText(createHmac("sha1", key.secretAccessKey).update(text).digest("base64"), signature),
  );
  if (!matches) throw signatureMismatch("s3", { accessKeyId, stringToSign: texts[0]!, signature });
  return {
    ...key.caller,
    ...requestFacts(request),
    signature: {
      signingKey: Buffer.alloc(0),
      seed: "",
      timestamp: "",
      scope: "",
      payloadHash: "UNSIGNED-PAYLOAD",
      presigned: true,
    },
  };
}

/** "/bucket/key" as signed; with a bucket in the host name, the bucket is put in front. */
function resources({ path, host }: EmulatorRequest): string[] {
  const label = host.indexOf(".");
  return label > 0 ? [path, `/${host.slice(0, label)}${path}`] : [path];
}

function signedText({ method, headers, query }: EmulatorRequest, expires: string, resource: string): string {
  // Presigners put headers into the query, where whoever uses the URL need not know them.
  const sent: Record<string, string | string[] | undefined> = { ...Object.fromEntries(query), ...headers };
  const amzLines = Object.entries(sent)
    .filter(([name]) => name.startsWith("x-amz-"))
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : (value ?? "").trim()])
    .sort(([left], [right]) => (left! < right! ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`)
    .join("");
  const subresources = [...query]
    .filter(([name]) => SUBRESOURCES.has(name))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .join("&");
  const suffix = subresources === "" ? "" : `?${subresources}`;
  return `${method}\n${sent["content-md5"] ?? ""}\n${sent["content-type"] ?? ""}\n${expires}\n${amzLines}${resource}${suffix}`;
}
