import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import type { VerifyReport } from "../../src/verify/report.ts";
import { openParquetReader } from "../unit/handler/parquetFiles.ts";
import { clientOf, SAMPLES, workspace } from "./workspace.ts";

const CONTRACT = `apiVersion: v3.1.0
kind: DataContract
id: payments
version: 1.0.0
status: active
schema:
  - name: payments
    properties:
      - { name: id, logicalType: integer, logicalTypeOptions: { format: i32 } }
      - { name: day, logicalType: date, required: true, partitioned: true }
      - { name: at, logicalType: timestamp, logicalTypeOptions: { timezone: true } }
      - { name: amount, logicalType: number, physicalType: "decimal(12,2)" }
      - { name: paid, logicalType: boolean }
      - { name: note, logicalType: string }
`;

async function keysOf(s3: S3Client, Bucket: string): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key }) => Key!);
}

test("a lake of Parquet: typed by its contract, proved, and queried", { timeout: 240_000 }, async () => {
  const { folder, run, port, endpoint } = await workspace();
  const environment = { MINILAKE_CACHE_DIR: join(folder, "cache") };
  const minilake = (...args: string[]) => run(args, { environment, timeoutMs: 120_000 });
  writeFileSync(join(folder, "payments.odcs.yaml"), CONTRACT);
  writeFileSync(join(folder, "minilake.yaml"), "lake: payments\ncontract: payments.odcs.yaml\nformat: parquet\n");
  writeFileSync(
    join(folder, "payments.csv"),
    [
      "id,day,at,amount,paid,note",
      '000020,2026-03-01,2026-03-01T10:00:00+02:00,7.5,TRUE,"a ""note"", quoted"',
      "21,2026-03-02,2026-03-02 10:00:00.123456z,-1250.00,0,",
      "22,2026-03-02,2026-03-02T10:00:00.123456789Z,1,1,nanoseconds",
      "23,2026-03-02,yesterday,1,1,no timestamp",
      "",
    ].join("\n"),
  );
  expect(await minilake("up", "--port", String(port))).toMatchObject({ code: 0 });
  expect(await minilake("ingest", "payments.csv")).toMatchObject({ code: 0 });

  const s3 = clientOf(endpoint);
  onTestFinished(() => s3.destroy());
  expect(await keysOf(s3, "curated-payments")).toEqual([
    "dt_reference=2026-03-01/payments.csv.parquet",
    "dt_reference=2026-03-02/payments.csv.parquet",
  ]);
  const reader = await openParquetReader();
  onTestFinished(() => reader.close());
  const read = async (day: string) => {
    const Key = `dt_reference=${day}/payments.csv.parquet`;
    const { Body, ContentType } = await s3.send(new GetObjectCommand({ Bucket: "curated-payments", Key }));
    expect(ContentType).toBe("application/vnd.apache.parquet");
    return reader.read(Buffer.from(await Body!.transformToByteArray()));
  };
  const first = await read("2026-03-01");
  expect(first.columns).toEqual([
    ["id", "INTEGER"],
    ["day", "DATE"],
    ["at", "TIMESTAMP WITH TIME ZONE"],
    ["amount", "DECIMAL(12,2)"],
    ["paid", "BOOLEAN"],
    ["note", "VARCHAR"],
  ]);
  expect(first.rows).toEqual([["20", "2026-03-01", "2026-03-01 08:00:00+00", "7.50", "true", 'a "note", quoted']]);
  const second = await read("2026-03-02");
  expect(second.rows).toEqual([["21", "2026-03-02", "2026-03-02 10:00:00.123456+00", "-1250.00", "false", null]]);

  const textOf = async (key: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "quarantine-payments", Key: key }));
    return Body!.transformToString();
  };
  expect(await textOf("curate/payments.csv.rejects.csv")).toMatch(/,at,parquet-type,.*microseconds/);
  expect(await textOf("validate/payments.csv.rejects.csv")).toMatch(/,at,type,/);

  const { code, stdout } = await minilake("verify", "--json", "--timeout", "60s");
  expect((JSON.parse(stdout) as VerifyReport).findings).toEqual([]);
  expect(code).toBe(0);
  const asked = await minilake("query", "--json", "SELECT sum(amount) AS total FROM curated");
  expect(asked).toMatchObject({ code: 0 });
  expect(asked.stdout).toContain("-1242.5");
  expect(await minilake("down", "--yes")).toMatchObject({ code: 0 });
});

test("the format of a lake may change: what was there before is replaced", { timeout: 240_000 }, async () => {
  const { folder, run, port, endpoint } = await workspace();
  const environment = { MINILAKE_CACHE_DIR: join(folder, "cache") };
  const minilake = (...args: string[]) => run(args, { environment, timeoutMs: 120_000 });
  copyFileSync(join(SAMPLES, "corrections.csv"), join(folder, "corrections.csv"));
  const lambda = new LambdaClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const s3 = clientOf(endpoint);
  onTestFinished(() => {
    lambda.destroy();
    s3.destroy();
  });
  const packageBytes = async () => {
    const FunctionName = "minilake-transactions-curate";
    return (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).CodeSize!;
  };
  const settle = async (...feed: string[]) => {
    expect(await minilake("up", "--port", String(port))).toMatchObject({ code: 0 });
    expect(await minilake(...feed)).toMatchObject({ code: 0 });
    const { stdout } = await minilake("verify", "--json", "--timeout", "60s");
    expect((JSON.parse(stdout) as VerifyReport).findings).toEqual([]);
    return keysOf(s3, "curated-transactions");
  };
  const csv = await settle("ingest", "corrections.csv");
  expect(csv.length).toBeGreaterThan(0);
  expect(await packageBytes()).toBeLessThan(400_000);
  writeFileSync(join(folder, "minilake.yaml"), "format: parquet\n");
  expect(await settle("reconcile")).toEqual(csv.map((key) => `${key}.parquet`));
  expect(await packageBytes()).toBeGreaterThan(10_000_000);
  expect(await packageBytes()).toBeLessThan(30_000_000);
});
