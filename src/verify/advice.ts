import type { VerifiedLake } from "./lake.ts";
import type { Finding } from "./report.ts";

/** What to do about a finding: a command, or a sentence with one. Running any of them again does no harm. */
export function adviceFor({ definition, rawBucket, stages }: VerifiedLake, finding: Finding): string | undefined {
  const { type, source, bucket, key } = finding;
  const reconcile = `minilake reconcile --all${source === undefined ? "" : ` ${word(source)}`}`;
  const object = bucket === undefined || key === undefined ? undefined : word(`s3://${bucket}/${key}`);
  switch (type) {
    case "lost-row":
    case "doubled-row":
    case "changed-row":
    case "wrong-partition":
    case "foreign-row":
    case "forbidden-row":
    case "wrongly-rejected-row":
    case "wrong-rule":
    case "missing-quarantine-record":
      return `Make it again from raw: ${reconcile}`;
    case "missing-object":
      if (bucket === rawBucket) return `See what there is: aws s3 ls ${word(`s3://${rawBucket}/`)} --recursive`;
      return `Make it again from raw: ${reconcile}`;
    case "unexpected-quarantine-record":
    case "stale-output":
    case "orphan-object":
      return object === undefined
        ? undefined
        : `Nothing in raw explains it. Look at it, and delete it: aws s3 rm ${object}`;
    case "unreadable-object":
      return bucket === rawBucket ? undefined : `Make it again from raw: ${reconcile}`;
    case "receipt-missing":
    case "stale-contract":
      return `Process it again: minilake reconcile${source === undefined ? "" : ` ${word(source)}`}`;
    case "receipt-false":
    case "byte-account-false": {
      if (object === undefined || source === undefined) return undefined;
      return `Delete the receipt and process the file again: aws s3 rm ${object} && minilake reconcile ${word(source)}`;
    }
    case "unprocessed": {
      if (source === undefined) return undefined;
      const functions = stages.map(({ name }) => name).join("|");
      return `Find lost events: minilake reconcile ${word(source)}. See errors: minilake logs ${finding.stage ?? functions} --errors`;
    }
    case "dead-letter":
      return `See why: minilake logs --errors. Empty the queue ${definition.deadLetterQueue} when the files have been processed: minilake reconcile`;
  }
}

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
