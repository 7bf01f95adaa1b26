import type { AddPermissionResponse } from "@aws-sdk/client-lambda";
import { AwsError, notImplemented } from "../../awsError.ts";
import { invalidParameter, matching, maxLength, optionalString, requiredString } from "../constraints.ts";
import { type Operation, requireFunction } from "../context.ts";
import { functionNotFound, notFound } from "../functionName.ts";
import type { FunctionRecord, PolicyStatement } from "../records.ts";
import { policyHolder } from "../resourcePolicy.ts";
import { newRevision } from "../store.ts";
import { requireRevision } from "./updateFunctionCode.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_POLICY_BYTES = 20_480;

/**
 * Adds a statement to the resource policy of the function, or of one version or alias.
 *
 * Throws ResourceConflictException 409 for a statement id in use, PolicyLengthExceededException beyond 20 KB
 * https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
 */
export const addPermission: Operation = (input, context) => {
  const { record, qualifier } = requireFunction(input, context, "lambda:AddPermission");
  requirePolicyQualifier(record, qualifier);
  const { body } = input;
  const statement = readStatement(body, qualifier === undefined ? record.arn : `${record.arn}:${qualifier}`);
  const policy = record.policies[qualifier ?? ""];
  requireRevision(policyHolder(record, qualifier).revisionId, optionalString(body, "RevisionId"));
  if (policy?.statements.some(({ Sid }) => Sid === statement.Sid)) {
    throw new AwsError(
      "ResourceConflictException",
      `The statement id (${statement.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
      409,
    );
  }
  const statements = [...(policy?.statements ?? []), statement];
  if (Buffer.byteLength(JSON.stringify(statements)) > MAX_POLICY_BYTES) {
    throw new AwsError(
      "PolicyLengthExceededException",
      `The final policy size is bigger than the limit (${MAX_POLICY_BYTES}).`,
    );
  }
  context.functions.update(record.name, (draft) => {
    draft.policies[qualifier ?? ""] = { statements };
    policyHolder(draft, qualifier).revisionId = newRevision();
  });
  return { status: 201, body: { Statement: JSON.stringify(statement) } satisfies AddPermissionResponse };
};

/** A policy can hang on the function, a version or an alias, and never on $LATEST. */
export function requirePolicyQualifier(record: Readonly<FunctionRecord>, qualifier: string | undefined): void {
  if (qualifier === undefined) return;
  if (qualifier === "$LATEST") throw invalidParameter("We currently do not support adding policies for $LATEST.");
  if (record.versions[qualifier] || record.aliases[qualifier]) return;
  if (/^\d+$/.test(qualifier)) throw functionNotFound(record.arn, qualifier);
  throw notFound(`Cannot find alias arn: ${record.arn}:${qualifier}`);
}

function readStatement(body: Readonly<Record<string, unknown>>, resource: string): PolicyStatement {
  const sid = requiredString(body, "StatementId");
  matching("statementId", sid, /^([a-zA-Z0-9-_]+)$/, "([a-zA-Z0-9-_]+)");
  maxLength("statementId", sid, 100);
  const action = requiredString(body, "Action");
  matching("action", action, /^(lambda:[*]|lambda:[a-zA-Z]+|[*])$/, "(lambda:[*]|lambda:[a-zA-Z]+|[*])");
  for (const member of ["EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl"]) {
    if (body[member] !== undefined && body[member] !== null)
      throw notImplemented(`lambda:AddPermission with ${member}`);
  }
  const sourceAccount = optionalString(body, "SourceAccount");
  if (sourceAccount !== undefined) matching("sourceAccount", sourceAccount, /^\d{12}$/, "\\d{12}");
  const sourceArn = optionalString(body, "SourceArn");
  if (sourceArn !== undefined) {
    matching(
      "sourceArn",
      sourceArn,
      /^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*)$/,
      "arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)",
    );
  }
  const organization = optionalString(body, "PrincipalOrgID");
  const condition: Record<string, Record<string, string>> = {};
  const equals: Record<string, string> = {};
  if (sourceAccount !== undefined) equals["AWS:SourceAccount"] = sourceAccount;
  if (organization !== undefined) equals["aws:PrincipalOrgID"] = organization;
  if (Object.keys(equals).length > 0) condition.StringEquals = equals;
  if (sourceArn !== undefined) condition.ArnLike = { "AWS:SourceArn": sourceArn };
  return {
    Sid: sid,
    Effect: "Allow",
    Principal: readPrincipal(requiredString(body, "Principal")),
    Action: action,
    Resource: resource,
    ...(Object.keys(condition).length > 0 ? { Condition: condition } : {}),
  };
}

function readPrincipal(principal: string): PolicyStatement["Principal"] {
  if (principal === "*") return "*";
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:aws:iam::${principal}:root` };
  if (/^arn:(aws[a-zA-Z-]*):(iam|sts)::\d{12}:.+$/.test(principal)) return { AWS: principal };
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$/.test(principal)) return { Service: principal };
  throw invalidParameter("The provided principal was invalid. Please check the principal and try again.");
}
