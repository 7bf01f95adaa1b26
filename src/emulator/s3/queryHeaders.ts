import type { Caller } from "../access.ts";
import type { EmulatorRequest } from "../http.ts";

/** Parameters that are about the signature, not about the request. */
const OF_THE_SIGNATURE = new Set(
  "algorithm content-sha256 credential date expires security-token signature signedheaders user-agent"
    .split(" ")
    .map((name) => `x-amz-${name}`),
);

/**
 * What S3 reads from headers alone: in a presigned URL these are covered by the signature and have no effect. Presigners put the
 * checksum of an empty body there.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
 * https://github.com/aws/aws-sdk-go-v2/pull/1017
 */
const WITHOUT_EFFECT = /^x-amz-(checksum-.*|sdk-checksum-algorithm|tagging)$/;

/**
 * Presigners move headers into the query, such as `x-amz-meta-a=1` and `x-amz-storage-class=STANDARD_IA`, so that who uses the URL need
 * not send them: they count as if they had been sent. A header that was sent outranks its parameter.
 */
export function withHeadersOfQuery(request: EmulatorRequest, caller: Caller): EmulatorRequest {
  if (!caller.signature?.presigned) return request;
  let headers = request.headers;
  for (const [parameter, value] of request.query) {
    const name = parameter.toLowerCase();
    if (!name.startsWith("x-amz-") || OF_THE_SIGNATURE.has(name) || WITHOUT_EFFECT.test(name)) continue;
    headers = { [name]: value, ...headers };
  }
  return headers === request.headers ? request : { ...request, headers };
}
