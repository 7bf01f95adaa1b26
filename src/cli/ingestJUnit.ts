import type { IngestOutcome } from "../lake/ingest.ts";
import type { RejectRecord } from "../lake/rejects.ts";
import { describeRules } from "./receiptReport.ts";

/**
 * Outcomes as JUnit XML, which CI services show: a test case per file. Refused whole and failed are failures; rejected rows are
 * an outcome, and stand in the case's output. https://github.com/testmoapp/junitxml
 */
export function renderJUnit(
  lake: string,
  outcomes: IngestOutcome[],
  refusals: Map<string, RejectRecord>,
  durationMs: number,
): string {
  const cases = outcomes.map((outcome) => {
    const { key, rows, durationMs } = outcome;
    const failure = failureOf(outcome, refusals.get(key));
    const attributes = `classname="minilake.${escapeXml(lake)}" name="${escapeXml(key)}" time="${seconds(durationMs)}"`;
    if (failure !== undefined) {
      return `    <testcase ${attributes}>\n      <failure message="${escapeXml(failure)}"/>\n    </testcase>`;
    }
    const rejects = rows && rows.rejected > 0 ? ` (${describeRules([{ rows }])})` : "";
    const told = rows
      ? `${rows.read} rows read = ${rows.accepted} in ${rows.partitions.length} partitions + ${rows.rejected} in quarantine${rejects}`
      : outcome.status;
    return `    <testcase ${attributes}>\n      <system-out>${escapeXml(told)}</system-out>\n    </testcase>`;
  });
  const failures = outcomes.filter((outcome) => failureOf(outcome, undefined) !== undefined).length;
  const counts = `tests="${outcomes.length}" failures="${failures}" time="${seconds(durationMs)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="minilake ingest" ${counts}>
${cases.join("\n")}
  </testsuite>
</testsuites>
`;
}

function failureOf({ status, error }: IngestOutcome, refusal: RejectRecord | undefined): string | undefined {
  switch (status) {
    case "done":
    case "uploaded":
      return undefined;
    case "rejected":
      return `refused whole: ${refusal ? `${refusal.rule}: ${refusal.message}` : "it cannot be read"}`;
    case "superseded":
      return "overtaken by another version before the lake had answered";
    default:
      return error?.message ?? status;
  }
}

const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(3);

function escapeXml(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replace(/[\n\t\r]/g, (character) => `&#${character.charCodeAt(0)};`)
      // XML 1.0 has no way to write the others.
      .replace(/[\u0000-\u001f\ufffe\uffff]/g, "\ufffd")
  );
}
