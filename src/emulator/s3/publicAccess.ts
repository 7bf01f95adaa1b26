import type { BucketRecord, PublicAccessBlock } from "./records.ts";

/** What a bucket has until somebody says otherwise; a deleted configuration blocks nothing. */
export const NEW_BUCKET_BLOCK: PublicAccessBlock = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

/** Whether this member of the bucket's public access block is on. */
export function blocks(bucket: Pick<BucketRecord, "publicAccessBlock">, member: keyof PublicAccessBlock): boolean {
  const { publicAccessBlock } = bucket;
  return (publicAccessBlock === undefined ? NEW_BUCKET_BLOCK : publicAccessBlock)?.[member] ?? false;
}

interface Statement {
  Effect?: unknown;
  Principal?: unknown;
  NotPrincipal?: unknown;
  Condition?: unknown;
}

/** Condition keys that tie a statement for everybody to somebody, as long as their values are fixed. */
const NARROWING_KEYS =
  /^(aws:(SourceIp|SourceArn|SourceVpc|SourceVpce|SourceAccount|SourceOwner|userid|PrincipalOrgID|PrincipalOrgPaths|PrincipalAccount|PrincipalArn)|s3:(DataAccessPointArn|DataAccessPointAccount|x-amz-server-side-encryption-aws-kms-key-id))$/i;
/** Tests that something is equal; "Not…" leaves all others in, and "…IfExists" all who come without the key. */
const NARROWING_OPERATORS = /^(ForAnyValue:)?(String(Equals|EqualsIgnoreCase|Like)|Arn(Equals|Like)|IpAddress)$/i;

/**
 * Whether a policy allows everybody: a statement for any principal that no condition ties to fixed values.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
export function isPublicPolicy(text: string): boolean {
  const { Statement } = JSON.parse(text) as { Statement: unknown };
  return (listOf(Statement) as Statement[]).some(
    (statement) => statement.Effect === "Allow" && isForEverybody(statement) && !isNarrowed(statement.Condition),
  );
}

function isForEverybody({ Principal, NotPrincipal }: Statement): boolean {
  const named =
    typeof Principal === "object" && Principal !== null ? listOf((Principal as { AWS?: unknown }).AWS) : [Principal];
  return named.includes("*") || NotPrincipal !== undefined;
}

function isNarrowed(condition: unknown): boolean {
  const tests = Object.entries((condition ?? {}) as Record<string, Record<string, unknown>>);
  return tests.some(
    ([operator, keys]) =>
      NARROWING_OPERATORS.test(operator) &&
      Object.entries(keys).some(([key, values]) => NARROWING_KEYS.test(key) && listOf(values).every(isFixed)),
  );
}

/** Without wildcards and variables, and no address range as wide as half the internet (IPv4 below /8, IPv6 below /32). */
function isFixed(value: unknown): boolean {
  const text = String(value);
  // The name of an access point may stay open: its account says whose it is.
  if (/^arn:aws:s3:[^:*?]+:\d{12}:accesspoint\//.test(text)) return true;
  const range = /\/(\d+)$/.exec(text);
  if (range && !text.startsWith("arn:") && Number(range[1]) < (text.includes(":") ? 32 : 8)) return false;
  return !/[*?]|\$\{/.test(text);
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
