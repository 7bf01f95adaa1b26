import type { Caller } from "../access.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import type { EmulatorRequest, ServiceName } from "../http.ts";
import { authenticateHeader } from "./header.ts";
import { type Authentication, requestFacts } from "./keys.ts";
import { authenticateQuery, isPresigned } from "./presigned.ts";
import { missingToken } from "./refusals.ts";
import { authenticateSigV2Query } from "./sigv2.ts";

const ANONYMOUS: Caller = { kind: "anonymous", accountId: "", arn: "", userId: "" };

/** Federation brings a token of another kind in the place of a signature. */
const FEDERATION = /(?:^|&)Action=(AssumeRoleWith(?:SAML|WebIdentity))(?:&|$)/;

/**
 * Who signed this request, by its Authorization header or its presigned URL.
 *
 * Every region is accepted in the scope. For S3 the body is still to come: `caller.signature` is what S3 needs to verify
 * it; for the others the hash of the body read is part of what must match.
 * Throws   AwsError 400 or 403 in the words of the service that was called
 */
export function authenticate(request: EmulatorRequest, service: ServiceName, dependencies: Authentication): Caller {
  const authorization = request.headers.authorization;
  const { rawQuery } = request;
  const presigned = rawQuery !== "" && rawQuery.includes("X-Amz-") && isPresigned(request);
  if (authorization === undefined) {
    if (presigned) return authenticateQuery(request, service, dependencies);
    if (service !== "s3") throw unsigned(request, service);
    if (rawQuery.includes("Signature=") || rawQuery.includes("AWSAccessKeyId=")) {
      return authenticateSigV2Query(request, dependencies);
    }
    return { ...ANONYMOUS, ...requestFacts(request) };
  }
  if (presigned && service === "s3") {
    throw new AwsError(
      "InvalidArgument",
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter " +
        "or the Authorization header should be specified",
      400,
      { details: { ArgumentName: "Authorization", ArgumentValue: authorization } },
    );
  }
  return authenticateHeader(request, service, authorization, dependencies);
}

function unsigned({ rawQuery, body }: EmulatorRequest, service: ServiceName): AwsError {
  const federation = service === "sts" ? FEDERATION.exec(`${rawQuery}&${body.toString("latin1")}`) : null;
  return federation ? notImplemented(`sts:${federation[1]}`) : missingToken(service);
}
