import { createHmac } from "node:crypto";
import type { Caller } from "../access.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import { type Authentication, admitKey } from "./keys.ts";
import { signatureMismatch } from "./refusals.ts";
import { ALGORITHM, parseCredential, sameText, sign } from "./sigv4.ts";

/**
 * Who signed the policy of a browser-style POST upload. Field names are compared without case.
 * The policy itself (its expiration and conditions) is S3's to hold the form against.
 *
 * Returns  the anonymous caller when the form carries neither policy nor signature
 * Throws   AwsError 400 InvalidArgument for a missing field, 403 as for every signature
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
 */
export function authenticatePostPolicy(form: ReadonlyMap<string, string>, dependencies: Authentication): Caller {
  const fields = new Map<string, string>();
  for (const [name, value] of form) fields.set(name.toLowerCase(), value);
  const policy = fields.get("policy");
  const v2Signature = fields.get("signature");
  const v4 = fields.has("x-amz-algorithm") || fields.has("x-amz-signature") || fields.has("x-amz-credential");
  if (policy === undefined && !v4 && v2Signature === undefined && !fields.has("awsaccesskeyid")) {
    return { kind: "anonymous", accountId: "", arn: "", userId: "" };
  }
  if (policy === undefined) throw missingField("Policy");
  return v4 ? bySigV4(fields, policy, dependencies) : bySigV2(fields, policy, dependencies);
}

function bySigV4(fields: Map<string, string>, policy: string, dependencies: Authentication): Caller {
  const need = (name: string) => {
    const value = fields.get(name.toLowerCase());
    if (!value) throw missingField(name);
    return value;
  };
  const algorithm = need("X-Amz-Algorithm");
  if (algorithm === "AWS4-ECDSA-P256-SHA256") throw notImplemented("SigV4A signatures");
  if (algorithm !== ALGORITHM) {
    throw new AwsError("InvalidArgument", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"', 400, {
      details: { ArgumentName: "X-Amz-Algorithm", ArgumentValue: algorithm },
    });
  }
  const given = need("X-Amz-Credential");
  const timestamp = need("X-Amz-Date");
  const signature = need("X-Amz-Signature");
  const credential = parseCredential(given);
  if (credential === undefined || credential.service !== "s3" || !timestamp.startsWith(credential.date)) {
    throw new AwsError(
      "InvalidArgument",
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
      400,
      { details: { ArgumentName: "X-Amz-Credential", ArgumentValue: given } },
    );
  }
  const key = admitKey(credential.accessKeyId, fields.get("x-amz-security-token"), "s3", dependencies);
  const signingKey = dependencies.signingKeys.get(key.secretAccessKey, credential);
  if (!sameText(sign(signingKey, policy), signature)) {
    throw signatureMismatch("s3", { accessKeyId: credential.accessKeyId, stringToSign: policy, signature });
  }
  return {
    ...key.caller,
    signature: {
      signingKey,
      seed: signature,
      timestamp,
      scope: credential.scope,
      payloadHash: "UNSIGNED-PAYLOAD",
      presigned: true,
    },
  };
}

function bySigV2(fields: Map<string, string>, policy: string, dependencies: Authentication): Caller {
  const accessKeyId = fields.get("awsaccesskeyid");
  const signature = fields.get("signature");
  if (!accessKeyId) throw missingField("AWSAccessKeyId");
  if (!signature) throw missingField("Signature");
  const key = admitKey(accessKeyId, fields.get("x-amz-security-token"), "s3", dependencies);
  if (!sameText(createHmac("sha1", key.secretAccessKey).update(policy).digest("base64"), signature)) {
    throw signatureMismatch("s3", { accessKeyId, stringToSign: policy, signature });
  }
  return { ...key.caller };
}

const missingField = (name: string) =>
  new AwsError(
    "InvalidArgument",
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
    400,
    { details: { ArgumentName: name, ArgumentValue: "" } },
  );
