import { AwsError } from "../awsError.ts";
import type { ServiceName } from "../http.ts";

/**
 * AWS's words for a request whose sender cannot be established. S3 has codes of its own; the query services and SQS
 * say InvalidClientTokenId where the JSON services say UnrecognizedClientException.
 */

type Wire = "s3" | "query" | "json";

const WIRE: Record<ServiceName, Wire> = {
  s3: "s3",
  iam: "query",
  sts: "query",
  sqs: "query",
  monitoring: "query",
  lambda: "json",
  logs: "json",
};

/** Services whose only path is "/" and whose body is JSON answer 400 to every mistake of the caller. */
const forbidden = (service: ServiceName) => (service === "logs" ? 400 : 403);

export function unknownKey(service: ServiceName, accessKeyId: string): AwsError {
  if (WIRE[service] !== "s3") return invalidClientToken(service);
  return new AwsError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403, {
    details: { AWSAccessKeyId: accessKeyId },
  });
}

export function invalidToken(service: ServiceName, token: string): AwsError {
  if (WIRE[service] !== "s3") return invalidClientToken(service);
  return new AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400, {
    details: { "Token-0": token },
  });
}

function invalidClientToken(service: ServiceName): AwsError {
  const code = WIRE[service] === "query" ? "InvalidClientTokenId" : "UnrecognizedClientException";
  return new AwsError(code, "The security token included in the request is invalid.", forbidden(service));
}

export function expiredToken(service: ServiceName, token: string): AwsError {
  if (WIRE[service] === "s3") {
    return new AwsError("ExpiredToken", "The provided token has expired.", 400, { details: { "Token-0": token } });
  }
  const code = WIRE[service] === "query" ? "ExpiredToken" : "ExpiredTokenException";
  return new AwsError(code, "The security token included in the request is expired", forbidden(service));
}

export function missingToken(service: ServiceName): AwsError {
  return WIRE[service] === "query"
    ? new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    : new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", forbidden(service));
}

/** `why` continues S3's sentence; the others quote `said` as AWS does for an incomplete header. */
export function malformedHeader(service: ServiceName, why: string, said: string): AwsError {
  if (WIRE[service] === "s3") {
    return new AwsError("AuthorizationHeaderMalformed", `The authorization header is malformed; ${why}`, 400);
  }
  const code = WIRE[service] === "query" ? "IncompleteSignature" : "IncompleteSignatureException";
  return new AwsError(code, said, 400);
}

/** A signature that was understood and is not accepted, for a reason other than its value. */
export function signatureRefused(service: ServiceName, message: string): AwsError {
  const code = WIRE[service] === "json" ? "InvalidSignatureException" : "SignatureDoesNotMatch";
  return new AwsError(code, message, forbidden(service));
}

/** How much older or newer than the endpoint's clock a signed request may be; the JSON services allow less. */
export const maxSkewMinutes = (service: ServiceName) => (WIRE[service] === "json" ? 5 : 15);

export function signatureMismatch(
  service: ServiceName,
  compared: { accessKeyId: string; stringToSign: string; signature: string; canonicalRequest?: string | undefined },
): AwsError {
  if (WIRE[service] !== "s3") {
    return signatureRefused(
      service,
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access " +
        "Key and signing method. Consult the service documentation for details.",
    );
  }
  const { accessKeyId, stringToSign, signature, canonicalRequest } = compared;
  const details: Record<string, string> = {
    AWSAccessKeyId: accessKeyId,
    StringToSign: stringToSign,
    SignatureProvided: signature,
    StringToSignBytes: hexBytes(stringToSign),
  };
  if (canonicalRequest !== undefined) {
    details.CanonicalRequest = canonicalRequest;
    details.CanonicalRequestBytes = hexBytes(canonicalRequest);
  }
  return new AwsError(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    403,
    { details },
  );
}

const hexBytes = (text: string) => (Buffer.from(text, "utf8").toString("hex").match(/../g) ?? []).join(" ");

export function unsignedHeaders(names: string[]): AwsError {
  return new AwsError("AccessDenied", "There were headers present in the request which were not signed", 403, {
    details: { HeadersNotSigned: names.join(", ") },
  });
}

export function badQueryAuthentication(message: string): AwsError {
  return new AwsError("AuthorizationQueryParametersError", message, 400);
}

/** ISO 8601 without milliseconds, as these errors print times. */
export const isoSeconds = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
