import { expect, test } from "vitest";
import { runStage, type StageContext } from "../../../handler/stage.ts";
import type { CompiledContract } from "../../../src/contract/compiledContract.ts";
import type { FunctionConfiguration } from "../../../src/contract/functionConfiguration.ts";
import { contractLake, createdEvent, simulatedLake, stageContext } from "./lake.ts";
import type { SimulatedS3 } from "./simulatedS3.ts";

/** The lake's partition and a contract with the states that an order may have. */
function lakeOf(version: string, states: string[], changes: Partial<CompiledContract> = {}): FunctionConfiguration {
  const contract: CompiledContract = {
    id: "orders",
    version,
    schema: "orders",
    columns: [
      { name: "id", type: { name: "integer", bits: "i64" }, required: "error", checks: [] },
      { name: "day", type: { name: "date" }, required: null, checks: [] },
      {
        name: "state",
        type: { name: "string" },
        required: "error",
        checks: [{ rule: "valid-values", values: states, severity: "error" }],
      },
    ],
    unknownColumns: "keep",
    gates: [],
    ...changes,
  };
  return contractLake(contract, { partition: { column: "day", as: "dt", timezone: "UTC" } });
}

/** Both stages on a.csv, as an `up` with this configuration and a replay would run them. */
async function replay(s3: SimulatedS3, configuration: FunctionConfiguration): Promise<string[]> {
  const results: string[] = [];
  for (const stage of configuration.stages) {
    const code = JSON.stringify(configuration.contract);
    const context: StageContext = stageContext(s3, { configuration, stage, code });
    const outcome = await runStage(context, createdEvent("a.csv", { bucket: stage.sourceBucket }));
    results.push(outcome.result);
  }
  return results;
}

const lake = (s3: SimulatedS3) =>
  Object.fromEntries(
    ["trusted", "curated", "quarantine"].flatMap((bucket) =>
      s3.keys(bucket).map((key) => [`${bucket}/${key}`, s3.text(bucket, key).split("\n").slice(1, -1)]),
    ),
  );

const rows = ["1,2026-01-05,open", "2,2026-01-06,lost", "3,2026-01-07,paid", "4,,open"];

test("after the contract changed, a replay moves rows out of quarantine and into the lake, once", async () => {
  const s3 = simulatedLake();
  s3.putNow("raw", "a.csv", Buffer.from(`id,day,state\n${rows.join("\n")}\n`));
  const first = lakeOf("1.0.0", ["open", "paid"]);
  expect(await replay(s3, first)).toEqual(["done", "done"]);
  expect(lake(s3)).toEqual({
    "trusted/a.csv": [rows[0], rows[2], rows[3]],
    "curated/dt=2026-01-05/a.csv": [rows[0]],
    "curated/dt=2026-01-07/a.csv": [rows[2]],
    "quarantine/validate/a.csv.rejects.csv": [expect.stringContaining("valid-values")],
    "quarantine/curate/a.csv.rejects.csv": [expect.stringContaining("day is empty")],
  });

  const wider = lakeOf("1.1.0", ["open", "paid", "lost"]);
  expect(await replay(s3, wider)).toEqual(["done", "done"]);
  const after = lake(s3);
  expect(after).toEqual({
    "trusted/a.csv": rows,
    "curated/dt=2026-01-05/a.csv": [rows[0]],
    "curated/dt=2026-01-06/a.csv": [rows[1]],
    "curated/dt=2026-01-07/a.csv": [rows[2]],
    "quarantine/curate/a.csv.rejects.csv": [expect.stringContaining("day is empty")],
  });
  const receipt = JSON.parse(s3.text("control", "receipts/validate/a.csv.json"));
  expect(receipt.contract).toEqual({ id: "orders", version: "1.1.0" });

  expect(await replay(s3, wider)).toEqual(["duplicate", "duplicate"]);
  expect(lake(s3)).toEqual(after);
});

test("a contract that refuses the file takes everything of it out of the lake", async () => {
  const s3 = simulatedLake();
  s3.putNow("raw", "a.csv", Buffer.from(`id,day,state\n${rows.join("\n")}\n`));
  await replay(s3, lakeOf("1.0.0", ["open", "paid"]));
  const strict = lakeOf("2.0.0", ["open", "paid"], {
    gates: [
      { rule: "row-count", columns: [], unit: "rows", operator: "mustBeGreaterThan", bounds: [3], severity: "error" },
    ],
  });
  // The trusted object is gone, and its event has `curate` look.
  for (const onDelete of ["remove", "keep"] as const) {
    expect(await replay(s3, { ...strict, onDelete })).toEqual(["rejected", "removed"]);
    expect(lake(s3)).toEqual({ "quarantine/validate/a.csv.rejects.csv": [expect.stringContaining("row-count")] });
    await replay(s3, lakeOf("1.0.0", ["open", "paid"]));
  }
});
