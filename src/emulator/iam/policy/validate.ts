import { AwsError } from "../../awsError.ts";
import { isOperator } from "./conditions.ts";
import { isRecord } from "./document.ts";

/** Policies of a role or managed ones, trust policies, and those given when a role is assumed. */
export type PolicyKind = "identity" | "trust" | "session";

/**
 * Holds a policy against the grammar.
 * Throws   MalformedPolicyDocument 400 in AWS's words
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function validatePolicy(text: string, kind: PolicyKind): void {
  const isTrust = kind === "trust";
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw malformed(isTrust ? "This policy contains invalid Json" : "Syntax errors in policy.");
  }
  if (!isRecord(document)) throw malformed(isTrust ? "This policy contains invalid Json" : SYNTAX);
  for (const name of Object.keys(document)) if (!TOP_ELEMENTS.has(name)) throw malformed(SYNTAX);
  const { Version: version, Id: id, Statement: statement } = document;
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") throw malformed(SYNTAX);
  if (id !== undefined && typeof id !== "string") throw malformed(SYNTAX);
  const statements = Array.isArray(statement) ? statement : [statement];
  if (statements.length === 0 || !statements.every(isRecord)) throw malformed(SYNTAX);
  for (const each of statements) validateShape(each);
  if (!isTrust && version !== "2012-10-17") throw malformed("Policy document must be version 2012-10-17 or greater.");
  validateSids(statements);
  for (const each of statements) {
    if (isTrust) validateTrustStatement(each);
    else validateIdentityStatement(each);
    validateConditions(each.Condition);
  }
}

const SYNTAX = "Syntax errors in policy.";
const TOP_ELEMENTS = new Set(["Version", "Id", "Statement"]);
const STATEMENT_ELEMENTS = new Set([
  "Sid",
  "Effect",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Principal",
  "NotPrincipal",
  "Condition",
]);

const malformed = (message: string) => new AwsError("MalformedPolicyDocument", message, 400);

type Statement = Record<string, unknown>;

function validateShape(statement: Statement): void {
  for (const name of Object.keys(statement)) if (!STATEMENT_ELEMENTS.has(name)) throw malformed(SYNTAX);
  const { Sid, Effect, Action, NotAction, Resource, NotResource, Principal, NotPrincipal } = statement;
  if (Sid !== undefined && typeof Sid !== "string") throw malformed(SYNTAX);
  if (Effect !== "Allow" && Effect !== "Deny") throw malformed(SYNTAX);
  const pairs = [
    [Action, NotAction],
    [Resource, NotResource],
    [Principal, NotPrincipal],
  ];
  if (pairs.some(([one, other]) => one !== undefined && other !== undefined)) throw malformed(SYNTAX);
  for (const value of [Action, NotAction, Resource, NotResource]) {
    if (value !== undefined && textList(value) === undefined) throw malformed(SYNTAX);
  }
  for (const value of [Principal, NotPrincipal]) {
    if (value === undefined || value === "*") continue;
    if (!isRecord(value) || Object.keys(value).length === 0) throw malformed(SYNTAX);
    for (const [kind, names] of Object.entries(value)) {
      if (!PRINCIPAL_KINDS.has(kind) || textList(names) === undefined) throw malformed(SYNTAX);
    }
  }
}

const PRINCIPAL_KINDS = new Set(["AWS", "Service", "Federated", "CanonicalUser"]);

function textList(value: unknown): string[] | undefined {
  const list = Array.isArray(value) ? value : [value];
  return list.every((item) => typeof item === "string") ? (list as string[]) : undefined;
}

function validateSids(statements: Statement[]): void {
  const sids = statements.flatMap(({ Sid }) => (typeof Sid === "string" && Sid !== "" ? [Sid] : []));
  if (sids.some((sid) => !/^[0-9A-Za-z]*$/.test(sid))) {
    throw malformed(
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    );
  }
  if (new Set(sids).size < sids.length) throw malformed("Statement IDs (SID) in a single policy must be unique.");
}

function validateIdentityStatement(statement: Statement): void {
  if (statement.Principal !== undefined || statement.NotPrincipal !== undefined) {
    throw malformed("Policy document should not specify a principal.");
  }
  validateActions(statement);
  const resources = textList(statement.Resource ?? statement.NotResource ?? []) ?? [];
  if (resources.length === 0) throw malformed("Policy statement must contain resources.");
  for (const resource of resources) validateResource(resource);
}

function validateActions(statement: Statement): string[] {
  const actions = textList(statement.Action ?? statement.NotAction ?? []) ?? [];
  if (actions.length === 0) throw malformed("Policy statement must contain actions.");
  for (const action of actions) {
    if (action === "*") continue;
    const parts = action.split(":");
    if (parts.length === 1) throw malformed(NO_VENDOR);
    if (parts.length > 2) throw malformed("Actions/Condition can contain only one colon.");
    const [vendor = "", name = ""] = parts;
    if (!/^[A-Za-z0-9*?.-]+$/.test(vendor)) throw malformed(`Vendor ${vendor} is not valid`);
    if (name === "") throw malformed(SYNTAX);
  }
  return actions;
}

const NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";

function validateResource(resource: string): void {
  if (resource === "*") return;
  const [arn, partition = "", vendor, region, account, ...rest] = resource.split(":");
  if (arn !== "arn" && arn !== "*") throw malformed(`Resource ${resource} must be in ARN format or "*".`);
  if (arn === "*") return;
  if (!/^(aws[a-z-]*|\*)$/.test(partition)) {
    const quoted = `arn:${partition || "*"}:${vendor || "*"}:${region || "*"}:${account || "*"}:${rest.join(":") || "*"}`;
    throw malformed(`Partition "${partition}" is not valid for resource "${quoted}".`);
  }
  if (vendor === undefined || vendor === "") {
    throw malformed("Resource vendor must be fully qualified and cannot contain regexes.");
  }
  if (rest.length === 0 && !resource.endsWith("*")) throw malformed("The policy failed legacy parsing");
  if (
    vendor === "s3" &&
    region !== undefined &&
    region !== "" &&
    region !== "*" &&
    !rest.join(":").startsWith("access")
  ) {
    throw malformed(`Resource ${resource} can not contain region information.`);
  }
  if (vendor === "iam" && region !== undefined && region !== "" && region !== "*") {
    throw malformed(`IAM resource ${resource} cannot contain region information.`);
  }
}

function validateTrustStatement(statement: Statement): void {
  if (statement.Resource !== undefined || statement.NotResource !== undefined) {
    throw malformed("Has prohibited field Resource");
  }
  if (statement.NotPrincipal !== undefined) throw malformed("Has prohibited field NotPrincipal");
  if (statement.Principal === undefined) throw malformed("Missing required field Principal");
  if (statement.Action === undefined && statement.NotAction === undefined) {
    throw malformed("Missing required field Action");
  }
  if (validateActions(statement).some((action) => !action.toLowerCase().startsWith("sts:"))) {
    throw malformed("AssumeRole policy may only specify STS AssumeRole actions.");
  }
  const principal = statement.Principal;
  if (isRecord(principal)) {
    for (const [kind, names] of Object.entries(principal)) {
      for (const name of textList(names) ?? []) validatePrincipal(kind, name);
    }
  }
}

function validatePrincipal(kind: string, name: string): void {
  const isValid =
    kind === "AWS"
      ? /^(\*|\d{12}|A[A-Z0-9]{15,127}|arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)\/[^*?]+))$/.test(
          name,
        )
      : kind === "Service"
        ? /^[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|aws\.internal)$/.test(name)
        : name !== "";
  if (!isValid) throw malformed(`Invalid principal in policy: "${kind}":"${name}"`);
}

function validateConditions(condition: unknown): void {
  if (condition === undefined) return;
  if (!isRecord(condition)) throw malformed(SYNTAX);
  for (const [operator, keys] of Object.entries(condition)) {
    if (!isOperator(operator) || !isRecord(keys)) throw malformed(SYNTAX);
    for (const [key, value] of Object.entries(keys)) {
      if (!/^[^:\s]+:./.test(key)) throw malformed(NO_VENDOR);
      const values = Array.isArray(value) ? value : [value];
      if (values.some((item) => !["string", "number", "boolean"].includes(typeof item))) throw malformed(SYNTAX);
    }
  }
}
