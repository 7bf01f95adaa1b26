import { AwsError } from "../../awsError.ts";
import { accessDenied, entityTooLarge } from "../errors.ts";

/** What the signed policy of a form allows: each condition as the policy wrote it, for messages. */
export interface PostPolicy {
  /** Milliseconds since the epoch. */
  expiration: number;
  conditions: Condition[];
}

type Condition =
  | { kind: "eq" | "starts-with"; field: string; value: string; text: string }
  | { kind: "content-length-range"; least: number; most: number };

/** Fields that need no condition. */
const FREE_FIELDS = new Set(["policy", "file", "signature", "awsaccesskeyid", "x-amz-signature"]);

const invalidDocument = (reason: string) => new AwsError("InvalidPolicyDocument", `Invalid Policy: ${reason}`);
const refused = (reason: string) => accessDenied(`Invalid according to Policy: ${reason}`);

/** Throws InvalidPolicyDocument 400. */
export function parsePostPolicy(base64: string): PostPolicy {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(base64)) throw invalidDocument("invalid Base64 encoding.");
  const text = Buffer.from(base64, "base64").toString("utf8");
  if (text.trim() === "") throw invalidDocument("Expecting '{' but found End-of-Input");
  let policy: { expiration?: unknown; conditions?: unknown } | null;
  try {
    policy = JSON.parse(text);
  } catch {
    throw invalidDocument("Invalid JSON.");
  }
  if (policy?.expiration === undefined) throw invalidDocument("Policy missing expiration.");
  const expiration = Date.parse(String(policy.expiration));
  if (Number.isNaN(expiration)) throw invalidDocument(`Invalid 'expiration' value: '${policy.expiration}'`);
  if (policy.conditions === undefined) throw invalidDocument("Policy missing conditions.");
  if (!Array.isArray(policy.conditions)) throw invalidDocument("Invalid 'conditions' value: must be a List.");
  return { expiration, conditions: policy.conditions.map(parseCondition) };
}

function parseCondition(condition: unknown): Condition {
  if (Array.isArray(condition)) return parseOperation(condition);
  if (typeof condition !== "object" || condition === null) {
    throw invalidDocument("Invalid condition test: must be a List or Object.");
  }
  const [first, ...more] = Object.entries(condition);
  if (first === undefined || more.length > 0) {
    throw invalidDocument("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.");
  }
  const [field, value] = first;
  if (typeof value !== "string") throw invalidDocument("Invalid Simple-Condition: value must be a string.");
  return { kind: "eq", field: field.toLowerCase(), value, text: JSON.stringify(["eq", `$${field}`, value]) };
}

function parseOperation(condition: unknown[]): Condition {
  const [operator, left, right] = condition;
  if (typeof operator !== "string") throw invalidDocument("Invalid Condition: missing operation identifier.");
  const kind = operator.toLowerCase();
  if (kind !== "eq" && kind !== "starts-with" && kind !== "content-length-range") {
    throw invalidDocument(`Invalid Condition: unknown operation '${operator}'.`);
  }
  if (condition.length !== 3) throw invalidDocument(`Invalid ${kind}: wrong number of arguments.`);
  if (kind === "content-length-range" && Number(left) >= 0 && Number(right) >= 0) {
    return { kind, least: Number(left), most: Number(right) };
  }
  if (kind !== "content-length-range" && typeof left === "string" && left.startsWith("$")) {
    return { kind, field: left.slice(1).toLowerCase(), value: String(right), text: JSON.stringify(condition) };
  }
  throw invalidDocument(`Invalid condition: ${JSON.stringify(condition)}`);
}

/** Holds the form against its policy; `fields` has lower-case names and the bucket. Throws AccessDenied 403. */
export function checkPostPolicy(policy: PostPolicy, fields: ReadonlyMap<string, string>, now: number): void {
  if (policy.expiration < now) throw refused("Policy expired.");
  const covered = new Set<string>();
  for (const condition of policy.conditions) {
    if (condition.kind === "content-length-range") continue;
    const { field, value, kind, text } = condition;
    const given = fields.get(field) ?? "";
    const holds = kind === "eq" ? given === value : given.startsWith(value);
    if (!holds) throw refused(`Policy Condition failed: ${text}`);
    covered.add(field);
  }
  const extra = [...fields.keys()].filter(
    (name) => !covered.has(name) && !FREE_FIELDS.has(name) && name !== "bucket" && !name.startsWith("x-ignore-"),
  );
  if (extra.length > 0) throw refused(`Extra input fields: ${extra.join(", ")}`);
}

/** Throws EntityTooLarge as soon as the file is; with `isWhole` also EntityTooSmall. */
export function checkPostSize(policy: PostPolicy | undefined, bytes: number, isWhole: boolean): void {
  for (const condition of policy?.conditions ?? []) {
    if (condition.kind !== "content-length-range") continue;
    if (bytes > condition.most) throw entityTooLarge(bytes, condition.most);
    if (isWhole && bytes < condition.least) {
      throw new AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400, {
        details: { ProposedSize: String(bytes), MinSizeAllowed: String(condition.least) },
      });
    }
  }
}
