import type { AliasRecord, FunctionRecord, VersionRecord } from "./records.ts";

/** JSON text of the policy of a function, or of one of its versions or aliases; undefined when there is none. */
export function policyDocument(record: Readonly<FunctionRecord>, qualifier: string | undefined): string | undefined {
  const policy = record.policies[qualifier ?? ""];
  if (!policy || policy.statements.length === 0) return undefined;
  return JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: policy.statements });
}

/** What a policy hangs on: a version or an alias, whose revision is also that of the policy. */
export const policyHolder = (
  { versions, aliases }: Readonly<FunctionRecord>,
  qualifier: string | undefined,
): VersionRecord | AliasRecord => versions[qualifier ?? "$LATEST"] ?? aliases[qualifier!]!;
