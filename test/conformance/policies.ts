/** Documents and calls that several suites about access share. */
import { S3Client } from "@aws-sdk/client-s3";
import type { Credentials } from "@aws-sdk/client-sts";
import type { Target } from "./target.ts";

export const policy = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });

export const allow = (Action: string | string[], Resource: string | string[] = "*", more: object = {}) =>
  policy({ Effect: "Allow", Action, Resource, ...more });

export const trust = (Principal: unknown, more: object = {}) =>
  policy({ Effect: "Allow", Action: "sts:AssumeRole", Principal, ...more });

export const LAMBDA = { Service: "lambda.amazonaws.com" };

/** What the SDK threw, with what it was told. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ name: string; message: string; status: number | undefined; error: Record<string, unknown> }> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { name, message, status: $metadata?.httpStatusCode, error: error as Record<string, unknown> };
  }
  throw new Error("the call was expected to be refused");
}

/** An S3 client with temporary credentials; closed with `destroy`. */
export function s3With(t: Target, credentials: Credentials): S3Client {
  return new S3Client({ ...clientOptions(t, credentials), forcePathStyle: true });
}

export const clientOptions = (t: Target, { AccessKeyId, SecretAccessKey, SessionToken }: Credentials) => ({
  endpoint: t.endpoint,
  region: t.region,
  maxAttempts: 1,
  credentials: {
    accessKeyId: AccessKeyId!,
    secretAccessKey: SecretAccessKey!,
    ...(SessionToken !== undefined && { sessionToken: SessionToken }),
  },
});
