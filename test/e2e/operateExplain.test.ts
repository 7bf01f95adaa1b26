import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { clientOf, SAMPLES, withoutWaiting, workspace } from "./workspace.ts";

const CSV = [
  "exported 2026-07-31",
  "",
  "id,day,amount,note",
  "1,01/07/2026,10.50,first",
  '2,02/07/2026,3.00,"two',
  'lines"',
  "3,02/07/2026,many,",
  "",
  "4,02/07/2026,3.00,last",
  "4,02/07/2026,3.00,last",
  "5,2026-07-03,1.00,",
].join("\n");

const contract = (amount: string) => `
apiVersion: v3.1.0
kind: DataContract
id: orders
version: ${amount === "number" ? "1.0.0" : "1.1.0"}
status: active
schema:
  - name: orders
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: day, logicalType: date, logicalTypeOptions: { format: dd/MM/yyyy }, required: true, partitioned: true }
      - { name: amount, logicalType: ${amount} }
      - { name: note, logicalType: string }
`;

test("explain: where each row went through both stages; a change of the contract moves rows by a replay", {
  timeout: 120_000,
}, async () => {
  const { run, normalise, port, folder, endpoint } = await workspace();
  const story: string[] = [];
  const tell = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args);
    const text = `$ minilake ${args.join(" ")}\n${stdout}--- stderr\n${withoutWaiting(stderr)}--- exit code ${code}\n`;
    story.push(normalise(text).replaceAll(/version 0\S+/g, "version <version>"));
  };
  writeFileSync(join(folder, "minilake.yaml"), "contract: orders.odcs.yaml\ndialect: { skipLines: 2 }\n");
  writeFileSync(join(folder, "orders.odcs.yaml"), contract("number"));
  writeFileSync(join(folder, "orders.csv"), CSV);
  writeFileSync(join(folder, "bad.csv"), "x\n\nid,amount\n1,2\n");
  await run(["up", "--port", String(port)]);
  await run(["ingest", "orders.csv", "bad.csv"]);
  await tell("explain", "orders.csv");
  for (const line of [1, 3, 4, 5, 6, 7, 8, 10, 11]) await tell("explain", `orders.csv:${line}`);
  await tell("explain", "orders.csv:12");
  await tell("explain", "bad.csv:4");
  await tell("explain", "no-such-file.csv");
  // What is not where it must be is a falsehood.
  const s3 = clientOf(endpoint);
  await s3.send(new DeleteObjectCommand({ Bucket: "curated-transactions", Key: "dt_reference=2026-07-01/orders.csv" }));
  s3.destroy();
  await tell("explain", "orders.csv:4");
  await tell("reconcile");
  // The contract learns.
  writeFileSync(join(folder, "orders.odcs.yaml"), contract("string"));
  await run(["up"]);
  await tell("reconcile", "--dry-run");
  await tell("quarantine", "replay", "orders.csv");
  await tell("explain", "orders.csv:7");
  expect(story.join("\n")).toMatchSnapshot();
  const { row } = JSON.parse((await run(["explain", "orders.csv:10", "--json"])).stdout);
  expect(row).toMatchObject({
    line: 10,
    text: "4,02/07/2026,3.00,last",
    trusted: { bucket: "trusted-transactions", key: "orders.csv" },
    fate: { is: "stored", day: "2026-07-02", copies: 2 },
  });
  await run(["reconcile"]);
  expect((await run(["verify"])).code).toBe(0);
  await run(["down"]);
});

test("explain takes the addresses that other commands print", { timeout: 60_000 }, async () => {
  const { run, port } = await workspace();
  await run(["up", "--port", String(port)]);
  await run(["ingest", join(SAMPLES, "transactions.csv")]);
  const { stdout } = await run(["explain", "transactions.csv"]);
  for (const address of [
    "s3://raw-transactions/transactions.csv",
    "s3://curated-transactions/dt_reference=2026-07-01/transactions.csv",
    "s3://quarantine-transactions/curate/transactions.csv.rejects.csv",
  ]) {
    expect(await run(["explain", address])).toMatchObject({ code: 0, stdout });
  }
  expect(await run(["explain", "s3://elsewhere/transactions.csv"])).toMatchObject({ code: 2, stdout: "" });
  expect(await run(["explain", "transactions.csv:0"])).toMatchObject({
    code: 2,
    stderr: "✖ transactions.csv:0: lines count from 1.\n",
  });
});
