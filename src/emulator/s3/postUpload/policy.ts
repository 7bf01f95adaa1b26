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
  let policy: { expiration?: unknown; conditions?: unknown };
  try {
    policy = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
  } catch {
    throw invalidDocument("Invalid JSON.");
  }
  const expiration = typeof policy?.expiration === "string" ? Date.parse(policy.expiration) : Number.NaN;
  if (Number.isNaN(expiration)) throw invalidDocument("Invalid 'expiration' value.");
  if (!Array.isArray(policy.conditions)) throw invalidDocument("Policy missing conditions.");
  return { expiration, conditions: policy.conditions.flatMap(parseCondition) };
}

function parseCondition(condition: unknown): Condition[] {
  const text = JSON.stringify(condition);
  if (Array.isArray(condition) && condition.length === 3) {
    const [operator, left, right] = condition;
    const kind = String(operator).toLowerCase();
    if (kind === "content-length-range" && Number(left) >= 0 && Number(right) >= 0) {
      return [{ kind, least: Number(left), most: Number(right) }];
    }
    if ((kind === "eq" || kind === "starts-with") && typeof left === "string" && left.startsWith("$")) {
      return [{ kind, field: left.slice(1).toLowerCase(), value: String(right), text }];
    }
  } else if (typeof condition === "object" && condition !== null) {
    return Object.entries(condition).map(([field, value]) => ({
      kind: "eq" as const,
      field: field.toLowerCase(),
      value: String(value),
      text: JSON.stringify(["eq", `$${field}`, value]),
    }));
  }
  throw invalidDocument(`Invalid condition: ${text}`);
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
