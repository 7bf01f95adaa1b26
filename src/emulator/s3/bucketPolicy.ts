import { AwsError } from "../awsError.ts";
import { isPolicyPrincipal, namedPrincipals } from "../policyPrincipal.ts";
import { checkExpectedOwner, requireBucket } from "./access.ts";
import { header, type S3Call, type S3Context } from "./call.ts";
import type { BucketRecord } from "./records.ts";

export const MAX_POLICY_BYTES = 20 * 1024;

interface Statement {
  Effect?: unknown;
  Principal?: unknown;
  NotPrincipal?: unknown;
  Action?: unknown;
  NotAction?: unknown;
  Resource?: unknown;
  NotResource?: unknown;
  Condition?: unknown;
}

const ELEMENTS = new Set(
  "Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition".split(" "),
);

const malformed = (message: string) => new AwsError("MalformedPolicy", message);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

/** As `requireBucket`, but a policy can lock nobody out of itself: the account's root may always read, replace and delete it. */
export function requirePolicyAccess(context: S3Context, call: S3Call, action: string): BucketRecord {
  const isOwnRoot = call.caller.kind === "root" && call.caller.accountId === context.settings.accountId;
  if (!isOwnRoot) return requireBucket(context, call, action);
  const bucket = context.store.getBucket(call.bucket);
  checkExpectedOwner(context, header(call, "x-amz-expected-bucket-owner"));
  return bucket;
}

/** Throws MalformedPolicy 400. */
export function checkPolicy(text: string, bucket: string, { knowsPrincipal }: Pick<S3Context, "knowsPrincipal">): void {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    policy = undefined;
  }
  if (!text.startsWith("{") || typeof policy !== "object" || policy === null) {
    throw malformed("Policies must be valid JSON and the first byte must be '{'");
  }
  const { Version, Statement } = policy as { Version?: unknown; Statement?: unknown };
  if (Statement === undefined) throw malformed("Missing required field Statement");
  if (Version !== undefined && Version !== "2012-10-17" && Version !== "2008-10-17") {
    throw malformed("The policy must contain a valid version string");
  }
  const statements = listOf(Statement) as Statement[];
  if (statements.length === 0) throw malformed("Could not parse the policy: Statement is empty!");
  for (const statement of statements) checkStatement(statement, bucket);
  if (!namedPrincipals(text).every(knowsPrincipal)) throw malformed("Invalid principal in policy");
}

function checkStatement(statement: Statement, bucket: string): void {
  if (typeof statement !== "object" || statement === null) throw malformed("Invalid policy syntax.");
  const unknown = Object.keys(statement).find((name) => !ELEMENTS.has(name));
  if (unknown !== undefined) throw malformed(`Unknown field ${unknown}`);
  if (statement.Effect !== "Allow" && statement.Effect !== "Deny") {
    throw malformed(
      statement.Effect === undefined ? "Missing required field Effect" : `Invalid effect: ${statement.Effect}`,
    );
  }
  if (statement.Principal === undefined && statement.NotPrincipal === undefined) {
    throw malformed("Missing required field Principal");
  }
  if (!isPolicyPrincipal(statement.Principal ?? statement.NotPrincipal)) throw malformed("Invalid principal in policy");
  const actions = [...listOf(statement.Action), ...listOf(statement.NotAction)];
  if (actions.length === 0) throw malformed("Missing required field Action");
  if (!actions.every((action) => typeof action === "string" && (action === "*" || /^s3:/i.test(action)))) {
    throw malformed("Policy has invalid action");
  }
  const resources = [...listOf(statement.Resource), ...listOf(statement.NotResource)];
  if (resources.length === 0) throw malformed("Missing required field Resource");
  const arn = `arn:aws:s3:::${bucket}`;
  if (!resources.every((resource) => typeof resource === "string" && coversBucket(resource, arn))) {
    throw malformed("Policy has invalid resource");
  }
}

/** A bucket policy speaks of its own bucket; wildcards may stand in its name. */
function coversBucket(resource: string, arn: string): boolean {
  if (resource === "*") return true;
  const [bucketPart = ""] = resource.split("/", 1);
  const pattern = bucketPart
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(arn);
}
