import { createHash } from "node:crypto";
import { readingOf } from "../../../handler/configuration.ts";
import { prepareCurate } from "../../../handler/curateObject.ts";
import { type ObjectStore, PreconditionFailed } from "../../../handler/s3/objectStore.ts";
import { runStage } from "../../../handler/stage.ts";
import { prepareValidate } from "../../../handler/validateObject.ts";
import type { FunctionConfiguration } from "../../../src/contract/functionConfiguration.ts";
import type { FakeS3 } from "./fakeLake.ts";

/** Of the largest function. */
const LIMITS = { remainingMs: 900_000, memoryMb: 1_769, spaceBytes: 10_000_000_000 };

/** Runs the real stages, one after the other, on a raw object of the fake, whose body comes in chunks of `chunkSize`. */
export async function runStages(
  s3: FakeS3,
  key: string,
  whole: FunctionConfiguration,
  chunkSize = 64 * 1024,
  stages = whole.stages,
): Promise<void> {
  for (const stage of stages) {
    const configuration = readingOf(whole, stage.name);
    const prepare = stage.name === "validate" ? prepareValidate : prepareCurate;
    await runStage(
      {
        store: objectStore(s3, chunkSize),
        configuration,
        stage,
        code: "0".repeat(64),
        requestId: "r",
        remainingMs: () => 60_000,
        now: () => new Date("2026-11-01T00:00:00Z"),
        prepare: (sourceKey, source, body) => prepare(sourceKey, source, body, configuration, stage, LIMITS),
      },
      { bucket: stage.sourceBucket, key, kind: "created", sequencer: "01", time: null },
    );
  }
}

function objectStore(s3: FakeS3, chunkSize: number): ObjectStore {
  const identity = (bytes: Buffer) => ({
    etag: createHash("md5").update(bytes).digest("hex"),
    versionId: null,
    size: bytes.length,
  });
  return {
    async get(bucket, key) {
      const bytes = s3.bucket(bucket).get(key);
      if (bytes === undefined) return undefined;
      async function* body(whole: Buffer): AsyncGenerator<Uint8Array> {
        for (let start = 0; start < whole.length; start += chunkSize) yield whole.subarray(start, start + chunkSize);
      }
      return { ...identity(bytes), body: body(bytes), cancel: () => undefined };
    },
    async head(bucket, key) {
      const bytes = s3.bucket(bucket).get(key);
      return bytes === undefined ? undefined : identity(bytes);
    },
    async put(bucket, key, body, condition) {
      const before = s3.bucket(bucket).get(key);
      const holds =
        condition === undefined ||
        ("ifAbsent" in condition
          ? before === undefined
          : before !== undefined && identity(before).etag === condition.ifMatch);
      if (!holds) throw new PreconditionFailed();
      return { etag: s3.put(bucket, key, Buffer.concat(Array.from(body.pieces(), (piece) => Buffer.from(piece)))) };
    },
    async delete(bucket, key) {
      s3.bucket(bucket).delete(key);
    },
  };
}
