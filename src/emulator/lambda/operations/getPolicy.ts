import type { GetPolicyResponse } from "@aws-sdk/client-lambda";
import { AwsError } from "../../awsError.ts";
import { type Operation, requireFunction } from "../context.ts";
import { notFound } from "../functionName.ts";
import { policyDocument } from "../resourcePolicy.ts";

/** Throws ResourceNotFoundException 404 when there is no policy.  https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html */
export const getPolicy: Operation = (input, context) => {
  const { record, qualifier } = requireKnown(() => requireFunction(input, context, "lambda:GetPolicy"));
  const policy = policyDocument(record, qualifier);
  if (policy === undefined) throw nothing();
  return {
    status: 200,
    body: {
      Policy: policy,
      RevisionId: record.policies[qualifier ?? ""]!.revisionId,
    } satisfies GetPolicyResponse,
  };
};

const nothing = () => notFound("The resource you requested does not exist.");

/** Here Lambda does not tell a missing function from a missing policy. */
function requireKnown<T>(find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof AwsError && error.code === "ResourceNotFoundException") throw nothing();
    throw error;
  }
}
