import { firstStage, type VerifiedLake } from "./lake.ts";
import { readReceipt } from "./receiptState.ts";
import type { DuplicateKeys } from "./report.ts";
import { claimOf, readSourceAgain } from "./stageSource.ts";

/** Adds the values of the keys that are shown: reads the raw objects in which they stand once more. */
export async function showKeys(lake: VerifiedLake, found: DuplicateKeys): Promise<void> {
  const first = firstStage(lake);
  const wanted = new Map<string, Map<number, DuplicateKeys["samples"][number]>>();
  for (const sample of found.samples) {
    const { source, line } = sample.places[0]!;
    const lines = wanted.get(source) ?? new Map<number, DuplicateKeys["samples"][number]>();
    wanted.set(source, lines.set(line, sample));
  }
  for (const [key, lines] of wanted) {
    const object = await lake.reader.head(lake.rawBucket, key);
    if (object === undefined) continue;
    const claim = claimOf((await readReceipt(first, key))?.receipt);
    const shown = new Map<number, string[]>();
    const expectation = await readSourceAgain(first, object, claim, {
      accepted: (row) => {
        if (lines.has(row.line)) shown.set(row.line, row.cells);
      },
    });
    const columns = expectation?.columns ?? [];
    for (const [line, cells] of shown) {
      lines.get(line)!.values = found.columns.map((name) =>
        Buffer.from(cells[columns.indexOf(name)] ?? "", "latin1").toString("utf8"),
      );
    }
  }
}
