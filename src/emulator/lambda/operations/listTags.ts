import type { ListTagsResponse } from "@aws-sdk/client-lambda";
import { notImplemented } from "../../awsError.ts";
import { constraintViolation, invalidParameter } from "../constraints.ts";
import { type LambdaContext, type Operation, type OperationInput, requireFunction } from "../context.ts";
import type { FunctionRecord } from "../records.ts";

const PATTERN =
  "arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})";

/** https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html */
export const listTags: Operation = (input, context) => {
  const { tags } = requireTaggable(input, context, "lambda:ListTags");
  return { status: 200, body: { Tags: tags } satisfies ListTagsResponse };
};

/** Tags hang on functions alone, and the function is named by its ARN. */
export function requireTaggable(
  input: OperationInput,
  context: LambdaContext,
  action: string,
): Readonly<FunctionRecord> {
  const arn = input.parameters.Resource ?? "";
  const kind = /^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:([a-z-]+):/.exec(arn)?.[1];
  if (kind === undefined) throw constraintViolation("resource", arn, `satisfy regular expression pattern: ${PATTERN}`);
  if (kind !== "function") throw notImplemented(`lambda tags on a ${kind}`);
  const named = { ...input, parameters: { FunctionName: arn }, query: new URLSearchParams() };
  const { record, qualifier } = requireFunction(named, context, action);
  if (qualifier === undefined) return record;
  throw invalidParameter("Tags on function aliases and versions are not supported. Please specify a function ARN.");
}
