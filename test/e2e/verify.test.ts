import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import type { VerifyReport } from "../../src/verify/report.ts";
import { clientOf, SAMPLES, workspace } from "./workspace.ts";

const CURATED = "curated-transactions";
const DAY = "dt_reference=2026-07-14/transactions.csv";
const NEXT_DAY = "dt_reference=2026-07-15/transactions.csv";
const REJECTS = "curate/transactions.csv.rejects.csv";
const RECEIPT = "receipts/curate/transactions.csv.json";

test("verify finds what somebody did to a lake behind its back", { timeout: 180_000 }, async () => {
  const { run, port, endpoint } = await workspace();
  expect(await run(["up", "--port", String(port)])).toMatchObject({ code: 0 });
  expect(await run(["ingest", SAMPLES])).toMatchObject({ code: 0 });

  const verify = async () => {
    const { code, stdout } = await run(["verify", "--json", "--timeout", "60s"]);
    const report = JSON.parse(stdout) as VerifyReport;
    const types = new Set(report.findings.map(({ type }) => type));
    types.delete("receipt-false"); // most tampering is also seen by the receipt's ETags
    return { code, ok: report.ok, types: [...types].sort(), report };
  };
  const right = await verify();
  expect(right).toMatchObject({
    code: 0,
    ok: true,
    report: {
      quiet: true,
      totals: { rawObjects: 3, rowsRead: 5_230, rowsAccepted: 5_178, rowsStored: 5_178, rowsQuarantined: 52 },
    },
  });

  const s3 = clientOf(endpoint);
  onTestFinished(() => s3.destroy());
  const read = async (Bucket: string, Key: string): Promise<string> =>
    (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();
  const put = (Bucket: string, Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  const remove = (Bucket: string, Key: string) => s3.send(new DeleteObjectCommand({ Bucket, Key }));
  /** Changes one object, verifies, puts it back. */
  const tampered = async (bucket: string, key: string, change: (text: string) => string) => {
    const text = await read(bucket, key);
    const changed = change(text);
    expect(changed).not.toBe(text);
    await put(bucket, key, changed);
    const found = await verify();
    await put(bucket, key, text);
    return { code: found.code, types: found.types };
  };
  const secondLine = /(?<=^.*\n)[^"\n]*\n/;

  expect(await tampered(CURATED, DAY, (text) => text.replace(secondLine, ""))).toEqual({
    code: 1,
    types: ["lost-row"],
  });
  expect(await tampered(CURATED, DAY, (text) => text.replace(secondLine, "$&$&"))).toEqual({
    code: 1,
    types: ["doubled-row"],
  });
  expect(await tampered(CURATED, DAY, (text) => text.replace(".", ","))).toMatchObject({ code: 1 });
  expect(await tampered(CURATED, DAY, (text) => text.replace("ACC-0", "ACC-9"))).toEqual({
    code: 1,
    types: ["changed-row"],
  });
  expect(await tampered("quarantine-transactions", REJECTS, (text) => text.replace(/(?<=^.*\n).*\n/, ""))).toEqual({
    code: 1,
    types: ["missing-quarantine-record"],
  });
  expect(
    await tampered("control-transactions", RECEIPT, (text) => text.replace(/"accepted": (\d)/, '"accepted": 1$1')),
  ).toEqual({ code: 1, types: [] });

  const row = secondLine.exec(await read(CURATED, DAY))![0];
  const nextDay = await read(CURATED, NEXT_DAY);
  await put(CURATED, NEXT_DAY, nextDay + row);
  expect(await tampered(CURATED, DAY, (text) => text.replace(row, ""))).toEqual({
    code: 1,
    types: ["wrong-partition"],
  });
  await put(CURATED, NEXT_DAY, nextDay);

  await put(CURATED, "dt_reference=2026-07-14/nobody.csv", "a\n1\n");
  await put(CURATED, "dt_reference=2020-01-01/transactions.csv", "a\n1\n");
  expect(await verify()).toMatchObject({ code: 1, types: ["orphan-object", "stale-output"] });
  await remove(CURATED, "dt_reference=2026-07-14/nobody.csv");
  await remove(CURATED, "dt_reference=2020-01-01/transactions.csv");

  const day = await read(CURATED, DAY);
  await remove(CURATED, DAY);
  const missing = await run(["verify", "--timeout", "60s"]);
  expect(missing.code).toBe(1);
  expect(missing.stdout).toContain("missing-object");
  expect(missing.stdout).toContain(DAY);
  await put(CURATED, DAY, day);

  expect(await verify()).toMatchObject({ code: 0, types: [] });
  expect(await run(["verify", join("nothing", "there.csv")])).toMatchObject({ code: 1 });
  expect(await run(["down"])).toMatchObject({ code: 0 });
});

const TRUSTED = "trusted-transactions";

/** A lake with the sample contract, fed; and what verify says of it. */
async function contractLake(settings: string) {
  const { run, port, folder, endpoint } = await workspace();
  const contract = join(folder, "transactions.odcs.yaml");
  copyFileSync(join(SAMPLES, "transactions.odcs.yaml"), contract);
  writeFileSync(join(folder, "minilake.yaml"), `contract: transactions.odcs.yaml\n${settings}`);
  const up = () => run(["up", "--port", String(port)]);
  expect(await up()).toMatchObject({ code: 0 });
  const files = ["transactions.csv", "corrections.csv"].map((name) => join(SAMPLES, name));
  expect(await run(["ingest", ...files])).toMatchObject({ code: 0 });
  const s3 = clientOf(endpoint);
  onTestFinished(() => s3.destroy());
  const verify = async () => {
    const { code, stdout } = await run(["verify", "--json", "--timeout", "60s"]);
    const report = JSON.parse(stdout) as VerifyReport;
    return { code, report, types: [...new Set(report.findings.map(({ stage, type }) => `${stage} ${type}`))].sort() };
  };
  return {
    run,
    up,
    s3,
    verify,
    contract,
    /** Does what the report says, and sees that it helps. */
    mend: async (advice: string) => {
      expect(await run(advice.replace(/^.*minilake /, "").split(" "))).toMatchObject({ code: 0 });
      expect((await verify()).report).toMatchObject({ ok: true, findings: [] });
    },
  };
}

test("a lake with a contract is recomputed from raw, layer by layer, and its findings say how to mend it", {
  timeout: 180_000,
}, async () => {
  const { run, up, s3, verify, contract, mend } = await contractLake("");
  const right = await verify();
  expect(right).toMatchObject({
    code: 0,
    report: {
      ok: true,
      duplicates: [],
      totals: { rawObjects: 2, trustedObjects: 2, rowsRead: 5_030, rowsTrusted: 4_978, rowsStored: 4_978 },
    },
  });

  // Somebody takes a row out of trusted, and curate follows as it does for every change.
  const Key = "transactions.csv";
  const before = await s3.send(new GetObjectCommand({ Bucket: TRUSTED, Key }));
  const [header, , ...rows] = (await before.Body!.transformToString()).split("\n");
  await s3.send(new PutObjectCommand({ Bucket: TRUSTED, Key, Body: [header, ...rows].join("\n") }));
  const tampered = await verify();
  expect(tampered.code).toBe(1);
  expect(tampered.types).toEqual(expect.arrayContaining(["curate lost-row", "validate lost-row"]));
  const lost = tampered.report.findings.find(({ stage, type }) => stage === "validate" && type === "lost-row");
  expect(lost).toMatchObject({ count: 1, samples: [{ line: 2 }] });
  await mend(lost!.advice!);

  writeFileSync(contract, readFileSync(contract, "utf8").replace("version: 1.0.0", "version: 1.1.0"));
  expect(await up()).toMatchObject({ code: 0 });
  const stale = await verify();
  expect(stale).toMatchObject({ code: 1, types: ["validate stale-contract"] });
  await mend(stale.report.findings[0]!.advice!);
  expect(await run(["down"])).toMatchObject({ code: 0 });
});

test("curated objects in Parquet are compared by their values", { timeout: 180_000 }, async () => {
  const { run, s3, verify, mend } = await contractLake("format: parquet\n");
  const right = await verify();
  expect(right).toMatchObject({ code: 0, report: { ok: true, totals: { rowsStored: 4_978 } } });

  const [one, other] = ["2026-07-14", "2026-07-15"].map((day) => `dt_reference=${day}/transactions.csv.parquet`);
  await s3.send(new CopyObjectCommand({ Bucket: CURATED, Key: one, CopySource: `${CURATED}/${other}` }));
  const tampered = await verify();
  expect(tampered.code).toBe(1);
  expect(tampered.types).toEqual(expect.arrayContaining(["curate doubled-row", "curate lost-row"]));
  await mend(tampered.report.findings.find(({ type }) => type === "lost-row")!.advice!);
  expect(await run(["down"])).toMatchObject({ code: 0 });
});
