import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteFunctionCommand, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { countDeadLetters, peekDeadLetters } from "../../src/lake/deadLetters.ts";
import { type IngestOptions, ingestFiles } from "../../src/lake/ingest.ts";
import { getReceipt, readReceipts } from "../../src/lake/receipts.ts";
import { down, up } from "../../src/lake/reconcile.ts";
import { expandSources } from "../../src/lake/sources.ts";
import { readStatus } from "../../src/lake/status.ts";
import { SINGLE_PUT_BYTES } from "../../src/lake/upload.ts";
import { type LakeFixture, lakeFixture } from "./lakeFixture.ts";

let lake: LakeFixture;
let folder: string;
/** moto runs functions in Docker containers, and there may be no Docker. */
const runsFunctions = process.env.MINILAKE_TARGET !== "moto";

beforeAll(async () => {
  if (!runsFunctions) return;
  lake = await lakeFixture("curate");
  await up(lake.clients, lake.definition, { bundle: lake.bundle });
});
afterAll(() => lake?.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-ingest-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const rows = (count: number, first = 1) =>
  Array.from({ length: count }, (_, index) => `${first + index},2024-01-0${1 + (index % 3)}\n`).join("");
async function ingest(args: string[], options: IngestOptions = {}) {
  const { sources, dispose } = await expandSources(args, { cwd: folder });
  try {
    return await ingestFiles(lake.clients, lake.definition, sources, { timeoutMs: 20_000, ...options });
  } finally {
    await dispose();
  }
}
const stage = () => lake.definition.stages[0]!;

describe.skipIf(!runsFunctions)("ingest", () => {
  test("uploads, waits for the receipt of what it stored, and says what became of each row", async () => {
    write("orders.csv", `id,day\n${rows(6)}7,someday\n`);
    const { outcomes, ok } = await ingest(["orders.csv"]);
    expect(ok).toBe(true);
    const [outcome] = outcomes;
    expect(outcome).toMatchObject({ key: "orders.csv", status: "done", error: undefined });
    expect(outcome!.receipts[0]!.rows).toMatchObject({ read: 7, accepted: 6, rejected: 1 });
    expect(outcome!.receipts[0]!.source).toMatchObject({
      versionId: outcome!.object!.versionId,
      etag: outcome!.object!.etag,
    });
    const s3 = await lake.clients.s3();
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: lake.definition.buckets.curated, Key: "dt_reference=2024-01-02/orders.csv" }),
    );
    expect(await Body!.transformToString()).toBe("id,day\n2,2024-01-02\n5,2024-01-02\n");
  });

  test("the same file again is a new version with a receipt of its own", async () => {
    write("again.csv", `id,day\n${rows(3)}`);
    const first = (await ingest(["again.csv"])).outcomes[0]!;
    const second = (await ingest(["again.csv"])).outcomes[0]!;
    expect(second.status).toBe("done");
    expect(second.object!.versionId).not.toBe(first.object!.versionId);
    expect(second.receipts[0]!.source.versionId).toBe(second.object!.versionId);
  });

  test("a file that cannot be read at all is rejected whole, which is an outcome and no failure", async () => {
    write("no-dates.csv", "id,name\n1,a\n2,b\n");
    const { outcomes, ok } = await ingest(["no-dates.csv"]);
    expect(outcomes[0]).toMatchObject({ status: "rejected" });
    expect(outcomes[0]!.receipts[0]!.status).toBe("rejected");
    expect(ok).toBe(true);
  });

  test("fifty files at once, each with its own outcome, and progress that adds up", async () => {
    for (let file = 0; file < 50; file++) write(`part ${file}é.csv`, `id,day\n${rows(10, file * 10)}`);
    let last: { filesSettled: number; bytesUploaded: number; bytes: number; rows: number } | undefined;
    const { outcomes, ok } = await ingest(["."], {
      onProgress: (progress) => {
        last = progress;
      },
    });
    expect(ok).toBe(true);
    expect(outcomes.map(({ rows }) => rows!.accepted)).toEqual(Array(50).fill(10));
    expect(new Set(outcomes.map(({ receipts, key }) => receipts[0]!.source.key === key))).toEqual(new Set([true]));
    expect(last).toMatchObject({ filesSettled: 50, rows: 500 });
    expect(last!.bytesUploaded).toBe(last!.bytes);
  });

  test("a large file goes in parts and comes out whole", async () => {
    const line = `1,2024-01-01,${"x".repeat(1000)}\n`;
    const count = Math.ceil((SINGLE_PUT_BYTES * 2.5) / line.length);
    write("large.csv", `id,day,text\n${line.repeat(count)}`);
    const { outcomes } = await ingest(["large.csv"]);
    expect(outcomes[0]!.status).toBe("done");
    expect(outcomes[0]!.object!.etag).toMatch(/-3$/);
    expect(outcomes[0]!.receipts[0]!.rows).toMatchObject({ read: count, accepted: count });
  });

  test("what is there already is not uploaded again, and its rows are told all the same", async () => {
    const line = `1,2024-01-01,${"x".repeat(1000)}\n`;
    mkdirSync(join(folder, "skipped"));
    write("small.csv", `id,day\n${rows(3)}`);
    write("skipped/large.csv", `id,day,text\n${line.repeat(Math.ceil((SINGLE_PUT_BYTES * 1.5) / line.length))}`);
    const first = await ingest(["."], { skipReceived: true });
    expect(first.outcomes.map(({ received }) => received)).toEqual([false, false]);
    write("small.csv", `id,day\n${rows(4)}`);
    const second = await ingest(["."], { skipReceived: true });
    expect(second.outcomes.map(({ key, received, status }) => [key, received, status])).toEqual([
      ["skipped/large.csv", true, "done"],
      ["small.csv", false, "done"],
    ]);
    expect(second.outcomes[0]!.rows).toEqual(first.outcomes[0]!.rows);
    const s3 = await lake.clients.s3();
    const versionsOf = async (Prefix: string) =>
      (await s3.send(new ListObjectVersionsCommand({ Bucket: lake.definition.buckets.raw, Prefix }))).Versions!.length;
    expect([await versionsOf("small.csv"), await versionsOf("skipped/large.csv")]).toEqual([2, 1]);
  });

  test("without waiting, what is stored is known and nothing else", async () => {
    write("fast.csv", `id,day\n${rows(3)}`);
    const { outcomes, ok } = await ingest(["fast.csv"], { wait: false });
    expect(outcomes[0]).toMatchObject({ status: "uploaded", receipts: [] });
    expect(outcomes[0]!.object!.versionId).toBeTruthy();
    expect(ok).toBe(true);
  });
});

describe.skipIf(!runsFunctions)("what goes wrong", () => {
  test("a file that changes before its turn is not stored", async () => {
    write("moving.csv", `id,day\n${rows(3)}`);
    const { sources } = await expandSources(["moving.csv"], { cwd: folder });
    await appendFile(join(folder, "moving.csv"), "4,2024-01-01\n");
    const { outcomes, ok } = await ingestFiles(lake.clients, lake.definition, sources);
    expect(ok).toBe(false);
    expect(outcomes[0]).toMatchObject({ status: "failed", object: undefined });
    expect(outcomes[0]!.error!.message).toBe("moving.csv changed while it was being uploaded.");
    const s3 = await lake.clients.s3();
    await expect(
      s3.send(new HeadObjectCommand({ Bucket: lake.definition.buckets.raw, Key: "moving.csv" })),
    ).rejects.toMatchObject({ name: "NotFound" });
  });

  test("a large file that grows under the upload is not completed, and leaves no parts", async () => {
    write("growing.csv", `id,day\n${"1,2024-01-01\n".repeat(SINGLE_PUT_BYTES / 6)}`);
    const { sources } = await expandSources(["growing.csv"], { cwd: folder });
    let grown: Promise<void> | undefined;
    const { outcomes } = await ingestFiles(lake.clients, lake.definition, sources, {
      onProgress: ({ bytesUploaded }) => {
        if (bytesUploaded > 0) grown ??= appendFile(join(folder, "growing.csv"), "2,2024-01-01\n");
      },
    });
    await grown;
    // The last part may be on its way before the file grows; then it is stored as it was found.
    if (outcomes[0]!.status === "failed") {
      expect(outcomes[0]!.error!.message).toBe("growing.csv changed while it was being uploaded.");
    } else expect(outcomes[0]!.receipts[0]!.source.size).toBe(sources[0]!.size);
    const s3 = await lake.clients.s3();
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: lake.definition.buckets.raw }));
    expect(Uploads).toEqual([]);
  });

  test("interrupted, it throws Interrupted and leaves no half object", async () => {
    write("stopped.csv", `id,day\n${"1,2024-01-01\n".repeat(SINGLE_PUT_BYTES / 3)}`);
    const stop = new AbortController();
    const running = ingest(["stopped.csv"], {
      signal: stop.signal,
      onProgress: ({ bytesUploaded }) => {
        if (bytesUploaded > 0) stop.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: "Interrupted" });
    const s3 = await lake.clients.s3();
    const Bucket = lake.definition.buckets.raw;
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: "stopped.csv" }));
    expect(Versions).toEqual([]);
    expect((await ingest(["stopped.csv"])).outcomes[0]!.status).toBe("done");
  });

  test("a version that somebody replaces before its receipt comes is superseded", async () => {
    // Without a function nothing is curated until it is back.
    const lambda = await lake.clients.lambda();
    await lambda.send(new DeleteFunctionCommand({ FunctionName: stage().functionName }));
    write("replaced.csv", `id,day\n${rows(3)}`);
    const s3 = await lake.clients.s3();
    const { outcomes } = await ingest(["replaced.csv"], {
      onProgress: ({ filesUploaded, filesSettled }) => {
        if (filesUploaded !== 1 || filesSettled !== 0) return;
        void s3.send(
          new PutObjectCommand({
            Bucket: lake.definition.buckets.raw,
            Key: "replaced.csv",
            Body: "id,day\n9,2024-01-01\n",
          }),
        );
      },
    });
    expect(outcomes[0]).toMatchObject({ status: "superseded", receipts: [] });
    await up(lake.clients, lake.definition, { bundle: lake.bundle });
  });

  test("what has no receipt when time runs out is pending, stored and in the backlog", async () => {
    const lambda = await lake.clients.lambda();
    await lambda.send(new DeleteFunctionCommand({ FunctionName: stage().functionName }));
    write("waiting.csv", `id,day\n${rows(3)}`);
    const { outcomes, ok } = await ingest(["waiting.csv"], { timeoutMs: 50 });
    expect(ok).toBe(false);
    expect(outcomes[0]).toMatchObject({ status: "pending" });
    expect(outcomes[0]!.error!.message).toBe("waiting.csv is stored, and has no receipt yet.");
    const status = await readStatus(lake.clients, lake.definition);
    expect(status.stages[0]!.functionState).toBeUndefined();
    expect(status.stages[0]!.backlog.keys).toContain("waiting.csv");
    await up(lake.clients, lake.definition, { bundle: lake.bundle });
  });

  test("what the function gives up on is failed, with its reason, and in the dead-letter queue", async () => {
    const lambda = await lake.clients.lambda();
    const FunctionName = stage().functionName;
    // No such module: every run fails.
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Handler: "missing.handler" }));
    write("doomed.csv", `id,day\n${rows(3)}`);
    const { outcomes, ok } = await ingest(["doomed.csv"], { timeoutMs: 25_000 });
    expect(ok).toBe(false);
    expect(outcomes[0]).toMatchObject({ status: "failed" });
    expect(outcomes[0]!.error!.message).toMatch(/^The function curate gave up on doomed\.csv: .*missing/);
    expect(await countDeadLetters(lake.clients, lake.definition)).toBe(1);
    const status = await readStatus(lake.clients, lake.definition);
    expect(status.deadLetters).toBe(1);
    expect(status.stages[0]!.errors[0]!.message).toMatch(/missing/);
    // Looking does not take away.
    expect(await peekDeadLetters(lake.clients, { ...lake.definition, deadLetterQueue: "no-such-queue" })).toEqual([]);
    expect(await countDeadLetters(lake.clients, lake.definition)).toBe(1);
    await up(lake.clients, lake.definition, { bundle: lake.bundle });
  });

  test("no lake is said so", async () => {
    write("a.csv", `id,day\n${rows(3)}`);
    const { sources } = await expandSources(["a.csv"], { cwd: folder });
    const nowhere = lake.redefine({ lake: "nowhere" });
    await expect(ingestFiles(lake.clients, nowhere, sources)).rejects.toMatchObject({ code: "NoLake" });
  });
});

test.skipIf(!runsFunctions)("status sums up what the receipts say", async () => {
  await down(lake.clients, lake.definition);
  await up(lake.clients, lake.definition, { bundle: lake.bundle });
  write("a.csv", `id,day\n${rows(4)}5,never\n`);
  write("b.csv", `id,day\n${rows(2)}`);
  await ingest(["."]);
  const status = await readStatus(lake.clients, lake.definition);
  expect(status.layers.map(({ layer, exists, objects }) => [layer, exists, objects])).toEqual([
    ["raw", true, 2],
    ["curated", true, 5],
    ["quarantine", true, 1],
    ["control", true, 3],
  ]);
  expect(status.stages[0]).toMatchObject({
    stage: "curate",
    functionState: "Active",
    files: { done: 2, rejected: 0, removed: 0, working: 0 },
    rows: { read: 7, accepted: 6, rejected: 1, rejectedByRule: { "partition-date": 1 } },
    backlog: { objects: 0, keys: [] },
    errors: [],
  });
  expect(status.deadLetters).toBe(0);
  const receipts = await readReceipts(lake.clients, lake.definition, "curate");
  expect([...receipts.keys()].sort()).toEqual(["a.csv", "b.csv"]);
  const s3 = await lake.clients.s3();
  expect(await getReceipt(s3, lake.definition, "curate", "c.csv")).toBeUndefined();
});
