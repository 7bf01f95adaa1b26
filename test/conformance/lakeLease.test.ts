import { hostname } from "node:os";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { LEASE_KEY, type LeaseOptions, takeLease } from "../../src/lake/lease.ts";
import { down, up } from "../../src/lake/reconcile.ts";
import { emptyBucket } from "../../src/lake/resources/emptyBucket.ts";
import { type LakeFixture, lakeFixture } from "./lakeFixture.ts";
import { waitFor } from "./target.ts";

let lake: LakeFixture;
let s3: S3Client;
let Bucket: string;

beforeAll(async () => {
  lake = await lakeFixture("none");
  s3 = await lake.clients.s3();
  Bucket = lake.target.uniqueName("lease");
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(() => lake?.close());
beforeEach(() => emptyBucket(s3, Bucket));

const record = async () =>
  JSON.parse(await (await s3.send(new GetObjectCommand({ Bucket, Key: LEASE_KEY }))).Body!.transformToString());
const take = (options: Partial<LeaseOptions> = {}) =>
  takeLease(s3, Bucket, { work: "up", isAlive: () => true, ...options });

test("one holder at a time, named to the other; given back, the next one gets it", async () => {
  const first = await take({ holder: "here:1" });
  await expect(take({ holder: "there:2" })).rejects.toMatchObject({
    code: "LeaseHeld",
    message: expect.stringMatching(/here:1 is running "minilake up" since 20/),
    hint: expect.stringMatching(/expires at 20/),
  });
  await first.release();
  const second = await take({ holder: "there:2" });
  expect(await record()).toMatchObject({ holder: "there:2" });
  await second.release();
  await expect(record()).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("of many that try at once exactly one gets it", async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => take({ holder: `host:${index}` })));
  const won = outcomes.filter((outcome) => outcome.status === "fulfilled");
  expect(won).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "LeaseHeld" });
    else await outcome.value.release();
  }
});

test("an expired lease is taken over, and its holder finds out", async () => {
  const past = () => Date.now() - 60_000;
  const dead = await take({ holder: "elsewhere:1", now: past, ttlMs: 100 });
  const next = await take({ holder: "here:2" });
  expect(await record()).toMatchObject({ holder: "here:2" });
  await waitFor(() => {
    try {
      dead.check();
      return false;
    } catch (error) {
      return (error as { code?: string }).code === "LeaseHeld";
    }
  });
  await dead.release();
  expect(await record()).toMatchObject({ holder: "here:2" });
  await next.release();
});

test("a holder that works for long keeps renewing", async () => {
  const lease = await take({ holder: "here:1", ttlMs: 150 });
  const first = (await record()).expires;
  await waitFor(async () => (await record()).expires > first);
  await expect(take({ holder: "there:2" })).rejects.toMatchObject({ code: "LeaseHeld" });
  lease.check();
  await lease.release();
});

test("the lease of a process of this host that is no more is free", async () => {
  await take({ holder: `${hostname()}:4242` });
  const next = await take({ holder: `${hostname()}:4243`, isAlive: (pid) => pid !== 4242 });
  expect(await record()).toMatchObject({ holder: `${hostname()}:4243` });
  await next.release();
});

test("what is no lease binds nobody", async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: LEASE_KEY, Body: "not JSON" }));
  await (await take()).release();
});

test("two ups at once: the lake comes up, and nobody half-does it", async () => {
  const both = await Promise.allSettled(
    ["one:1", "two:2"].map((holder) => up(lake.clients, lake.definition, { bundle: lake.bundle, holder })),
  );
  expect(both.some(({ status }) => status === "fulfilled")).toBe(true);
  for (const outcome of both) {
    if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "LeaseHeld" });
  }
  expect((await up(lake.clients, lake.definition, { bundle: lake.bundle })).changed).toBe(false);
  await down(lake.clients, lake.definition);
});
