import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { Clients } from "../backends/clients.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError } from "../errors.ts";
import type { LakeDefinition } from "./definition.ts";
import { type DeployedCode, findDeployedCode } from "./deployedCode.ts";
import { compareKeys, getReceipt, inParallel, isSettled, type ListedKey, listKeys } from "./receipts.ts";
import { fingerprint, type IngestSource } from "./sources.ts";
import { partBytesOf, SINGLE_PUT_BYTES, type UploadedObject } from "./upload.ts";
import { throwIfInterrupted } from "./waiting.ts";

const FILES_AT_A_TIME = 4;
const READ_BYTES = 1024 * 1024;

/**
 * Those sources whose object of the same key holds the same bytes already, and whose rows are in the lake as the functions of
 * today put them, by key. Told by the ETag that `uploadSource` gives
 * an object; where S3 makes ETags in another way (KMS), nothing is found, and everything is uploaded.
 */
export async function findReceived(
  clients: Clients,
  definition: LakeDefinition,
  sources: IngestSource[],
  { signal }: { signal?: AbortSignal | undefined },
): Promise<Map<string, UploadedObject>> {
  const s3 = await clients.s3();
  const bucket = definition.buckets.raw;
  const candidates: { source: IngestSource; etag: string }[] = [];
  const byKey = new Map(sources.map((source) => [source.key, source]));
  for await (const { key, etag, size } of objectsOf(s3, bucket, [...byKey.keys()], signal)) {
    const source = byKey.get(key);
    if (source?.size === size) candidates.push({ source, etag });
  }
  const received = new Map<string, UploadedObject>();
  if (candidates.length === 0) return received;
  const deployed = new Map<string, DeployedCode>();
  for (const stage of definition.stages) deployed.set(stage.name, await findDeployedCode(clients, definition, stage));
  await inParallel(candidates, FILES_AT_A_TIME, async ({ source, etag }) => {
    throwIfInterrupted(signal);
    if ((await etagOf(source)) !== etag) return;
    for (const { name } of definition.stages) {
      const receipt = await getReceipt(s3, definition, name, source.key);
      if (receipt === undefined || !isOfToday(receipt, deployed.get(name)!)) return;
    }
    received.set(source.key, { etag, versionId: undefined });
  });
  return received;
}

/** Made by what is deployed now. A file that was refused whole is worth another try: what refused it may have changed elsewhere. */
function isOfToday(receipt: Receipt, { code, contract }: DeployedCode): boolean {
  if (receipt.status !== "done" || !isSettled(receipt)) return false;
  if (code !== undefined) return receipt.code === code;
  return receipt.contract?.id === contract?.id && receipt.contract?.version === contract?.version;
}

/** One listing over the range of many keys, or one of each of a few. */
async function* objectsOf(
  s3: S3Client,
  bucket: string,
  keys: string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedKey> {
  try {
    if (keys.length <= 8) {
      for (const key of keys) yield* listKeys(s3, bucket, { prefix: key, until: key, signal });
      return;
    }
    const sorted = keys.sort(compareKeys);
    const first = await s3.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }));
    if (first.KeyCount === 0) return;
    yield* listKeys(s3, bucket, { prefix: "", until: sorted.at(-1)!, signal });
  } catch (error) {
    // The upload itself says so in better words.
    if (!isAwsError(error, "NoSuchBucket")) throw error;
  }
}

/** What S3 makes of the file when `uploadSource` puts it; undefined when the file has changed or cannot be read. */
async function etagOf(source: IngestSource): Promise<string | undefined> {
  const file = await open(source.path, "r").catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const partBytes = source.size <= SINGLE_PUT_BYTES ? source.size : partBytesOf(source.size);
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, source.size));
    const digests: Buffer[] = [];
    for (let at = 0; at < source.size; ) {
      const part = createHash("md5");
      for (const end = Math.min(at + partBytes, source.size); at < end; ) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at), at);
        if (bytesRead === 0) return undefined;
        part.update(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      digests.push(part.digest());
    }
    if (fingerprint(await file.stat()) !== source.fingerprint) return undefined;
    if (source.size <= SINGLE_PUT_BYTES) return digests[0]!.toString("hex");
    return `${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${digests.length}`;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
