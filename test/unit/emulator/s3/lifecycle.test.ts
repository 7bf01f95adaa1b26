import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NO_FAULTS } from "../../../../src/emulator/faults.ts";
import type { S3Context } from "../../../../src/emulator/s3/call.ts";
import { parseLifecycleRules } from "../../../../src/emulator/s3/lifecycle/configuration.ts";
import { applyLifecycles } from "../../../../src/emulator/s3/lifecycle/expiry.ts";
import { EventDispatcher } from "../../../../src/emulator/s3/notifications/dispatcher.ts";
import { S3Store, uploadIdOf } from "../../../../src/emulator/s3/store.ts";
import { commitObject, deleteKey } from "../../../../src/emulator/s3/writes.ts";
import { Store } from "../../../../src/emulator/store/store.ts";

const DAY = 86_400_000;
const BUCKET = "b";
let folder: string;
let store: Store;
let context: S3Context;
let now: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-lifecycle-"));
  store = Store.open(folder);
  now = Date.parse("2026-01-01T12:00:00Z");
  const settings = { now: () => now, region: "us-east-1", accountId: "000000000000", report: () => {} };
  const s3 = new S3Store(store, now);
  const shared = { store: s3, settings, targetFor: () => undefined, faults: NO_FAULTS } as unknown as S3Context;
  const events = new EventDispatcher({ ...shared, ownerPrincipalId: "A1" });
  context = { ...shared, events };
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const origin = { requestId: "r", remoteAddress: "127.0.0.1" };

function bucketWith(rules: string, versioning?: "Enabled") {
  context.store.putBucket({
    name: BUCKET,
    created: now,
    versioning,
    lifecycle: {
      rules: parseLifecycleRules(Buffer.from(`<LifecycleConfiguration>${rules}</LifecycleConfiguration>`)),
      minimumObjectSize: "all_storage_classes_128K",
    },
    notification: {
      rules: [
        {
          id: "n",
          kind: "Queue",
          arn: "arn:aws:sqs:us-east-1:000000000000:q",
          events: ["s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"],
          filters: [],
        },
      ],
    },
  });
}

function put(key: string, tags?: [string, string][]) {
  const body = Buffer.from("123456");
  context.store.change(() => {
    const draft = { size: body.length, etag: "e", body: context.store.putInlineBody(body), tags };
    commitObject(context, context.store.getBucket(BUCKET), key, draft, "ObjectCreated:Put", origin);
  });
}

async function keysAfter(days: number): Promise<string[]> {
  now += days * DAY;
  await applyLifecycles(context, "lifecycle");
  return [...context.store.latest(BUCKET, "")].filter(({ record }) => !record.marker).map(({ key }) => key);
}

const events = () =>
  [...context.store.events.range()].map(({ value }) => {
    const [record] = JSON.parse(value.message).Records;
    return `${record.eventName} ${record.s3.object.key}`;
  });

const rule = (inner: string, filter = "<Filter><Prefix>tmp/</Prefix></Filter>") =>
  `<Rule><ID>r</ID><Status>Enabled</Status>${filter}${inner}</Rule>`;

test("objects expire at the midnight after their days, with an event of their own kind", async () => {
  bucketWith(rule("<Expiration><Days>2</Days></Expiration>"));
  put("tmp/a");
  put("kept");
  expect(await keysAfter(2)).toEqual(["kept", "tmp/a"]);
  expect(await keysAfter(0.5)).toEqual(["kept"]);
  expect(events()).toEqual(["LifecycleExpiration:Delete tmp/a"]);
});

test("in a versioned bucket they get a delete marker, which goes when it is alone", async () => {
  const noncurrent = "<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>";
  bucketWith(
    rule(`<Expiration><Days>1</Days></Expiration>${noncurrent}`) +
      rule("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>").replace("r<", "m<"),
    "Enabled",
  );
  put("tmp/a");
  expect(await keysAfter(2)).toEqual([]);
  expect(context.store.versionsOf(BUCKET, "tmp/a")).toHaveLength(2);
  await keysAfter(4);
  expect(context.store.versionsOf(BUCKET, "tmp/a")).toEqual([]);
  expect(events()).toEqual([
    "LifecycleExpiration:DeleteMarkerCreated tmp/a",
    "LifecycleExpiration:Delete tmp/a",
    "LifecycleExpiration:Delete tmp/a",
  ]);
});

test("newer noncurrent versions are kept as many as asked", async () => {
  bucketWith(
    rule(
      "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
    ),
    "Enabled",
  );
  for (let version = 0; version < 4; version++) put("tmp/a");
  await keysAfter(3);
  expect(context.store.versionsOf(BUCKET, "tmp/a")).toHaveLength(2);
});

test("filters by tag and size hold", async () => {
  const filter =
    "<Filter><And><Prefix></Prefix><Tag><Key>t</Key><Value>1</Value></Tag><ObjectSizeLessThan>10</ObjectSizeLessThan></And></Filter>";
  bucketWith(rule("<Expiration><Days>1</Days></Expiration>", filter));
  put("tagged", [["t", "1"]]);
  put("otherwise", [["t", "2"]]);
  put("untagged");
  expect(await keysAfter(3)).toEqual(["otherwise", "untagged"]);
});

test("old uploads are aborted", async () => {
  bucketWith(
    rule(
      "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    ),
  );
  context.store.change(() => {
    for (const key of ["tmp/a", "other"]) {
      const seq = context.store.nextSequence();
      context.store.putUpload({ id: uploadIdOf(seq), bucket: BUCKET, key, seq, initiated: now });
    }
  });
  await keysAfter(3);
  expect(context.store.uploads(BUCKET).map(({ key }) => key)).toEqual(["other"]);
});

test("a disabled rule does nothing, and nothing else is removed", async () => {
  bucketWith(rule("<Expiration><Days>1</Days></Expiration>").replace("Enabled", "Disabled"));
  put("tmp/a");
  put("tmp/b");
  context.store.change(() => deleteKey(context, context.store.getBucket(BUCKET), "tmp/b", origin));
  expect(await keysAfter(10)).toEqual(["tmp/a"]);
  expect(events()).toEqual(["ObjectRemoved:Delete tmp/b"]);
});
