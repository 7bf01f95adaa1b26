import { describe, expect, test } from "vitest";
import { S3Error } from "../../../handler/s3/objectStore.ts";
import { runStage } from "../../../handler/stage.ts";
import { needsRun } from "../../../src/contract/needsRun.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { createdEvent, lakeConfiguration, simulatedLake, stageContext } from "./lake.ts";
import type { SimulatedS3 } from "./simulatedS3.ts";

const OLD = "id,day\n1,2026-01-05\n2,2026-01-06\n";
const NEW = "id,day\n3,2026-01-06\n4,2026-01-07\n";
const NEW_LAKE = {
  "dt_reference=2026-01-06/in.csv": "id,day\n3,2026-01-06\n",
  "dt_reference=2026-01-07/in.csv": "id,day\n4,2026-01-07\n",
};

function lakeWith(text: string): SimulatedS3 {
  const s3 = simulatedLake();
  s3.putNow("raw", "in.csv", Buffer.from(text));
  return s3;
}

function curated(s3: SimulatedS3): Record<string, string> {
  return Object.fromEntries(s3.keys("curated").map((key) => [key, s3.text("curated", key)]));
}

function receiptOf(s3: SimulatedS3): Receipt {
  return JSON.parse(s3.text("control", "receipts/curate/in.csv.json"));
}

const run = (s3: SimulatedS3, changes: Parameters<typeof stageContext>[1] = {}, event = createdEvent("in.csv")) =>
  runStage(stageContext(s3, changes), event);

/** A view of the store that does `interfere` just before the request that `when` picks, once. */
function interrupted(s3: SimulatedS3, when: (operation: string, bucket: string) => boolean, interfere: () => unknown) {
  let done = false;
  return s3.through(async (operation, bucket) => {
    if (!done && when(operation, bucket)) {
      done = true;
      await interfere();
    }
    return "once";
  });
}

describe("a stage", () => {
  test("does a file once, however often its event comes", async () => {
    const s3 = lakeWith(OLD);
    const results: string[] = [];
    for (let i = 0; i < 5; i++) results.push((await run(s3, { requestId: `r${i}` })).result);
    expect(results).toEqual(["done", "duplicate", "duplicate", "duplicate", "duplicate"]);
  });

  test("does it again when an output was deleted or replaced by hand", async () => {
    for (const spoil of [
      (s3: SimulatedS3) => s3.deleteNow("curated", "dt_reference=2026-01-05/in.csv"),
      (s3: SimulatedS3) => s3.putNow("curated", "dt_reference=2026-01-05/in.csv", Buffer.from("other")),
    ]) {
      const s3 = lakeWith(OLD);
      await run(s3);
      const before = curated(s3);
      spoil(s3);
      expect((await run(s3)).result).toBe("done");
      expect(curated(s3)).toEqual(before);
    }
  });

  test("an overwrite replaces what came from the older version, dates that are no more included", async () => {
    const s3 = lakeWith(OLD);
    await run(s3);
    s3.putNow("raw", "in.csv", Buffer.from(NEW));
    await run(s3);
    expect(curated(s3)).toEqual(NEW_LAKE);
  });

  test("an event that is late finds the newer version done", async () => {
    const s3 = lakeWith(OLD);
    s3.putNow("raw", "in.csv", Buffer.from(NEW));
    await run(s3, {}, createdEvent("in.csv", { sequencer: "0B" }));
    const late = await run(s3, {}, createdEvent("in.csv", { sequencer: "0A" }));
    expect(late.result).toBe("duplicate");
    expect(curated(s3)).toEqual(NEW_LAKE);
    expect(receiptOf(s3).source.sequencer).toBe("0B");
  });

  test("starts over when the source is replaced while the outputs are written", async () => {
    const s3 = lakeWith(OLD);
    const store = interrupted(
      s3,
      (operation, bucket) => operation === "put" && bucket === "curated",
      () => s3.putNow("raw", "in.csv", Buffer.from(NEW)),
    );
    expect((await run(s3, { store })).result).toBe("done");
    expect(curated(s3)).toEqual(NEW_LAKE);
    expect(receiptOf(s3).source.etag).toBe(s3.headNow("raw", "in.csv")!.etag);
  });

  test("a run that fell asleep over the older version puts right what it spoils on waking", async () => {
    const s3 = lakeWith(OLD);
    const store = interrupted(
      s3,
      (operation, bucket) => operation === "put" && bucket === "curated",
      async () => {
        s3.putNow("raw", "in.csv", Buffer.from(NEW));
        await run(s3, { requestId: "fast" });
        expect(curated(s3)).toEqual(NEW_LAKE);
      },
    );
    await run(s3, { store, requestId: "slow" });
    expect(curated(s3)).toEqual(NEW_LAKE);
    expect(receiptOf(s3).writing).toBeUndefined();
  });

  test("a run that was cut off stands in the receipt until the next one has cleared up after it", async () => {
    const s3 = lakeWith(OLD);
    let puts = 0;
    const broken = s3.through(async (operation, bucket) => {
      if (operation === "put" && bucket === "curated" && ++puts === 2) throw new S3Error(503, "SlowDown", "slow");
      return "once";
    });
    await expect(run(s3, { store: broken, requestId: "r1" })).rejects.toThrow("slow");
    expect(receiptOf(s3).writing).toMatchObject([{ requestId: "r1" }]);
    expect(needsRun({ key: "in.csv", ...s3.headNow("raw", "in.csv")! }, receiptOf(s3), "remove")).toBe(true);
    s3.putNow("raw", "in.csv", Buffer.from(NEW));
    await run(s3, { requestId: "r1" });
    expect(curated(s3)).toEqual(NEW_LAKE);
    expect(receiptOf(s3).writing).toBeUndefined();
  });

  test("a delete removes what came from the object, and nothing of a key that has none", async () => {
    const s3 = lakeWith("id,day\n1,2026-01-05\n2,2026-01-05\n3,never\n");
    await run(s3);
    expect(s3.keys("quarantine")).toEqual(["curate/in.csv.rejects.csv"]);
    s3.deleteNow("raw", "in.csv");
    const removed = createdEvent("in.csv", { kind: "removed" });
    expect((await run(s3, {}, removed)).result).toBe("removed");
    expect([...s3.keys("curated"), ...s3.keys("quarantine")]).toEqual([]);
    expect(receiptOf(s3)).toMatchObject({ status: "removed", outputs: [], source: { etag: "", size: 0 } });
    expect((await run(s3, {}, removed)).result).toBe("duplicate");
    expect((await run(s3, {}, createdEvent("other.csv", { kind: "removed" }))).result).toBe("gone");
  });

  test.each([
    ["of 1,024 bytes", `${"k".repeat(1020)}.csv`, `${"k".repeat(960)}~`],
    ["cut before a character", `x${"é".repeat(508)}.csv`, `x${"é".repeat(479)}~`],
  ])(
    "a key too long for its outputs' keys (%s) is refused whole, and deleted like any other",
    async (_what, key, kept) => {
      const s3 = simulatedLake();
      s3.putNow("raw", key, Buffer.from(OLD));
      expect((await run(s3, {}, createdEvent(key))).result).toBe("rejected");
      const [path] = s3.keys("control") as [string];
      expect(path.slice(0, -".json".length - 32)).toBe(`receipts/curate/${kept}`);
      expect(path).toMatch(/~[0-9a-f]{32}\.json$/);
      const receipt = JSON.parse(s3.text("control", path)) as Receipt;
      expect(receipt).toMatchObject({ status: "rejected", source: { key }, rows: { read: 0, rejected: 0 } });
      expect(receipt.rows.rejectedByRule).toEqual({ "key-too-long": 1 });
      expect(s3.keys("curated")).toEqual([]);
      const [rejects] = s3.keys("quarantine") as [string];
      expect(rejects).toBe(path.replace("receipts/", "").replace(/json$/, "rejects.csv"));
      expect(s3.text("quarantine", rejects)).toContain(`\n${key},0,0,,key-too-long,`);
      expect((await run(s3, {}, createdEvent(key))).result).toBe("duplicate");

      s3.deleteNow("raw", key);
      expect((await run(s3, {}, createdEvent(key, { kind: "removed" }))).result).toBe("removed");
      expect(s3.keys("quarantine")).toEqual([]);
    },
  );

  test("a key of 1,000 bytes is an ordinary one", async () => {
    const s3 = simulatedLake();
    const key = `${"k".repeat(996)}.csv`;
    s3.putNow("raw", key, Buffer.from(OLD));
    expect((await run(s3, {}, createdEvent(key))).result).toBe("done");
    expect(s3.keys("control")).toEqual([`receipts/curate/${key}.json`]);
    for (const path of s3.keys("curated")) expect(Buffer.byteLength(path)).toBeLessThanOrEqual(1024);
  });

  test("a delete event that comes after the object is back removes nothing", async () => {
    const s3 = lakeWith(OLD);
    s3.deleteNow("raw", "in.csv");
    s3.putNow("raw", "in.csv", Buffer.from(NEW));
    await run(s3, {}, createdEvent("in.csv", { kind: "removed" }));
    expect(curated(s3)).toEqual(NEW_LAKE);
  });

  test("with onDelete keep, outputs outlive their object", async () => {
    const s3 = lakeWith(OLD);
    const configuration = lakeConfiguration({ onDelete: "keep" });
    await run(s3, { configuration });
    const before = curated(s3);
    s3.deleteNow("raw", "in.csv");
    expect((await run(s3, { configuration }, createdEvent("in.csv", { kind: "removed" }))).result).toBe("gone");
    expect(curated(s3)).toEqual(before);
  });

  test("a folder marker is no file", async () => {
    const s3 = simulatedLake();
    s3.putNow("raw", "in/", Buffer.alloc(0));
    expect((await run(s3, {}, createdEvent("in/"))).result).toBe("ignored");
    expect(s3.keys("control")).toEqual([]);
  });

  test("a receipt that somebody wrote over is replaced", async () => {
    const s3 = lakeWith(OLD);
    s3.putNow("control", "receipts/curate/in.csv.json", Buffer.from("{"));
    expect((await run(s3)).result).toBe("done");
    expect(receiptOf(s3)).toMatchObject({ status: "done", rows: { accepted: 2 } });
  });

  test("new code does the file again", async () => {
    const s3 = lakeWith(OLD);
    await run(s3);
    expect((await run(s3, { code: "other" })).result).toBe("done");
    expect(receiptOf(s3).code).toBe("other");
  });
});
