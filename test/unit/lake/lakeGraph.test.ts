import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CompiledContract } from "../../../src/contract/compiledContract.ts";
import { defineLake, type LakeSettings } from "../../../src/lake/definition.ts";
import { lakeGraph } from "../../../src/lake/lakeGraph.ts";
import { packageRoot } from "../../../src/packageRoot.ts";
import { renderSvg } from "../../../src/ui/graphSvg.ts";
import { renderMermaid } from "../../../src/ui/mermaid.ts";

const settings: LakeSettings = {
  lake: "transactions",
  region: "us-east-1",
  partition: { as: "dt_reference", timezone: "UTC" },
  dialect: {},
  onDelete: "remove",
  memoryMb: 1769,
  timeoutSeconds: 900,
};
const contract: CompiledContract = {
  id: "transactions",
  version: "1.0.0",
  schema: "transactions",
  columns: [],
  unknownColumns: "keep",
  gates: [],
};
const graphOf = (more: Partial<LakeSettings> = {}) =>
  lakeGraph(defineLake({ ...settings, ...more }, { accountId: "000000000000" }));

test("the drawings of the documents are those of the definition", () => {
  const page = readFileSync(join(packageRoot(), "docs", "concepts.md"), "utf8");
  expect(page).toContain(`\`\`\`mermaid\n${renderMermaid(graphOf({ contract }))}\n\`\`\``);
  expect(readFileSync(join(packageRoot(), "docs", "lake.svg"), "utf8")).toBe(renderSvg(graphOf({ contract })));
});

test("arrows are what events start and what policies allow", () => {
  expect(graphOf().edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`)).toEqual([
    "raw event curate",
    "curate rows curated",
    "curate record quarantine",
    "curate record control",
    "curate record deadLetters",
  ]);
  const definition = defineLake({ ...settings, contract }, { accountId: "000000000000" });
  const [validate] = definition.stages;
  validate!.policy.Statement = validate!.policy.Statement.filter(({ Sid }) => Sid !== "WriteOutputs");
  expect(lakeGraph(definition).edges.filter(({ from }) => from === "validate")).toMatchObject([
    { to: "control" },
    { to: "deadLetters" },
  ]);
});
