import type { VerifiedLake } from "./lake.ts";
import type { Finding } from "./report.ts";

/** What to do about a finding: a command, or a sentence with one. Running any of them again does no harm. */
export function adviceFor({ rawBucket }: VerifiedLake, finding: Finding): string | undefined {
  const { type, stage, source, bucket, key } = finding;
  const file = source === undefined ? "" : ` ${word(source)}`;
  const again = `Make it again from raw: minilake reconcile --all${file}`;
  switch (type) {
    case "missing-object":
    case "unreadable-object":
      return bucket === rawBucket ? `See what is in raw: minilake status, or aws s3 ls s3://${rawBucket}` : again;
    case "unexpected-quarantine-record":
    case "stale-output":
    case "orphan-object":
      return `Look at it, and delete it when it is yours to delete: aws s3 rm ${word(`s3://${bucket}/${key}`)}`;
    case "receipt-missing":
      return `Process it again: minilake reconcile${file}`;
    case "stale-contract":
      return "Process what older contracts have judged: minilake reconcile";
    case "unprocessed":
      if (source === undefined) return undefined;
      return `Send its event again: minilake reconcile${file}, or see what went wrong: minilake logs ${stage ?? ""} --errors`;
    case "dead-letter":
      return "See what went wrong with each: minilake dlq why, and then send them again: minilake dlq replay";
    default:
      return again;
  }
}

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
