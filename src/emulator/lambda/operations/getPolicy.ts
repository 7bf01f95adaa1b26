import type { GetPolicyResponse } from "@aws-sdk/client-lambda";
import { type Operation, requireFunction } from "../context.ts";
import { notFound } from "../functionName.ts";
import { policyDocument, policyHolder } from "../resourcePolicy.ts";

/** Throws ResourceNotFoundException 404 when there is no policy.  https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html */
export const getPolicy: Operation = (input, context) => {
  const { record, qualifier } = requireFunction(input, context, "lambda:GetPolicy", nothing);
  const policy = policyDocument(record, qualifier);
  if (policy === undefined) throw nothing();
  return {
    status: 200,
    body: {
      Policy: policy,
      RevisionId: policyHolder(record, qualifier).revisionId,
    } satisfies GetPolicyResponse,
  };
};

/** Here Lambda does not tell a missing function from a missing policy. */
const nothing = () => notFound("The resource you requested does not exist.");
