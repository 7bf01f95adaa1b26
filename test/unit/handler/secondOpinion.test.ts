import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FunctionConfiguration } from "../../../src/contract/functionConfiguration.ts";
import { CSV_FORM } from "../../../src/verify/curatedForm.ts";
import { dayZone } from "../../../src/verify/days.ts";
import { expectFrom } from "../../../src/verify/expectation.ts";
import { curateFile, lakeConfiguration, validateFile } from "./lake.ts";

/** `verify` reads raw files with code of its own. Whatever the file, handler and `verify` must come to the same account. */
const folder = join(dirname(fileURLToPath(import.meta.url)), "../../fixtures/csv");

async function agree(bytes: Buffer, configuration: FunctionConfiguration): Promise<void> {
  const { contract } = configuration;
  const { receipt } = contract
    ? await validateFile(bytes, contract, { configuration })
    : await curateFile(bytes, { key: "in.csv", configuration });
  const claim = receipt.dialect ? { dialect: receipt.dialect, partitionColumn: receipt.partition?.column } : undefined;
  const pieces = (async function* () {
    yield bytes;
  })();
  const zone = dayZone(configuration.partition.timezone);
  const stage = contract ? ("validate" as const) : ("curate" as const);
  const task = { stage, configuration, zone, curated: CSV_FORM };
  const opinion = await expectFrom(pieces, task, claim);
  expect(opinion.refused !== undefined).toBe(receipt.status === "rejected");
  if (receipt.status === "rejected") return;
  expect(opinion.warnings).toEqual(receipt.warnings?.map(({ message: _message, ...warning }) => warning) ?? []);
  expect(opinion.rows).toEqual(receipt.rows);
  expect(opinion.bytes).toEqual(receipt.bytes);
}

describe("handler and verify agree", () => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".csv"));
  test.each(files)("on %s", async (file) => {
    const expected = JSON.parse(readFileSync(join(folder, file.replace(/\.csv$/, ".expected.json")), "utf8"));
    await agree(readFileSync(join(folder, file)), lakeConfiguration(expected.configuration ?? {}));
  });

  test("on tables with all that can go wrong", async () => {
    const piece = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom("1", "2026-01-05", "2026-02-30", "x", ",", ",", "\n", "\n") },
      { weight: 2, arbitrary: fc.constantFrom('"', '""', "\r\n", "\r", "é", "2026-01-05T23:30:00-05:00") },
      {
        weight: 1,
        arbitrary: fc.constantFrom("\u0000", "\ufffd", '",', ',"', "id,day,note\n", "\n\nname,since,age\n", " "),
      },
    );
    const row = fc.constantFrom(
      "1,2026-01-05,x\n",
      '2,2026-01-06,"a, b"\n',
      '3,2026-01-07,"two\nlines"\n',
      "4,2026-01-08,y\r\n",
    );
    const text = fc.array(fc.oneof(piece, row), { maxLength: 40 }).map((pieces) => pieces.join(""));
    const named = lakeConfiguration({ partition: { column: "day", as: "dt_reference", timezone: "America/New_York" } });
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 128, max: 255 })), { maxLength: 2 }),
        async (body, spoilt) => {
          const bytes = Buffer.from(`id,day,note\n1,2026-01-05,é\n2,2026-01-05,é\n3,2026-01-06,ü\n${body}`);
          // Bytes that make no character, beyond the first rows.
          for (const [at, byte] of spoilt) if (60 + at < bytes.length) bytes[60 + at] = byte;
          await agree(bytes, named);
        },
      ),
      { numRuns: 400 },
    );
  });
});
