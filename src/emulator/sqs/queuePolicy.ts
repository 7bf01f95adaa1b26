import { isPolicyPrincipal } from "../policyPrincipal.ts";

const VERSIONS = ["2008-10-17", "2012-10-17"];
const ELEMENTS = new Set(
  "Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition".split(" "),
);
const TOP_ELEMENTS = new Set(["Version", "Id", "Statement"]);

/**
 * Whether SQS takes this text as a queue's policy: every statement has a principal and actions of SQS, and nothing in it is
 * unknown. Otherwise a slip would lock everybody out of the queue.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-using-identity-based-policies.html
 */
export function isQueuePolicy(text: string): boolean {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return false;
  }
  if (!isRecord(document) || !onlyHas(document, TOP_ELEMENTS)) return false;
  const { Version, Statement } = document;
  if (Version !== undefined && !VERSIONS.includes(String(Version))) return false;
  const statements = Array.isArray(Statement) ? Statement : [Statement];
  return statements.length > 0 && statements.every(isStatement);
}

function isStatement(value: unknown): boolean {
  if (!isRecord(value) || !onlyHas(value, ELEMENTS)) return false;
  const { Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition } = value;
  if (Effect !== "Allow" && Effect !== "Deny") return false;
  if (!isExactlyOne(Principal, NotPrincipal) || !isPolicyPrincipal(Principal ?? NotPrincipal)) return false;
  if (!isExactlyOne(Action, NotAction) || !isListOf(Action ?? NotAction, /^(\*|sqs:.+)$/i)) return false;
  if (Resource !== undefined && NotResource !== undefined) return false;
  const resources = Resource ?? NotResource;
  if (resources !== undefined && !isListOf(resources, /^(\*|arn:.+)$/)) return false;
  return Condition === undefined || (isRecord(Condition) && Object.values(Condition).every(isRecord));
}

/** A text, or a list of at least one, each of this form. */
function isListOf(value: unknown, form: RegExp): boolean {
  const items = Array.isArray(value) ? value : [value];
  return items.length > 0 && items.every((item) => typeof item === "string" && form.test(item));
}

const isExactlyOne = (left: unknown, right: unknown) => (left === undefined) !== (right === undefined);
const onlyHas = (value: object, names: Set<string>) => Object.keys(value).every((name) => names.has(name));
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
