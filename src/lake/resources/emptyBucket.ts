import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
  type S3Client,
} from "@aws-sdk/client-s3";
import { isAwsError, MinilakeError } from "../../errors.ts";
import { throwIfInterrupted } from "../waiting.ts";

const DELETES_IN_FLIGHT = 4;

export interface EmptyingOptions {
  /** Only keys that begin with this. */
  prefix?: string | undefined;
  /** Gets the number removed each time. */
  onRemoved?: ((objects: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Removes every version, delete marker and unfinished upload. */
export async function emptyBucket(s3: S3Client, Bucket: string, options: EmptyingOptions = {}): Promise<void> {
  const { prefix: Prefix, onRemoved, signal } = options;
  const inFlight = new Set<Promise<void>>();
  let failure: unknown;
  const remove = async (objects: ObjectIdentifier[]) => {
    await deleteObjects(s3, Bucket, objects);
    onRemoved?.(objects.length);
  };
  let marker: Marker | undefined = {};
  while (marker !== undefined && failure === undefined) {
    throwIfInterrupted(signal);
    const page: Awaited<ReturnType<typeof listVersions>> = await listVersions(s3, Bucket, Prefix, marker);
    marker = page.next;
    if (page.objects.length === 0) continue;
    const removing = remove(page.objects)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => inFlight.delete(removing));
    inFlight.add(removing);
    if (inFlight.size >= DELETES_IN_FLIGHT) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  if (failure !== undefined) throw failure;
  for (;;) {
    throwIfInterrupted(signal);
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
    if (Uploads.length === 0) return;
    for (const { Key, UploadId } of Uploads) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch((error: unknown) => {
        if (!isAwsError(error, "NoSuchUpload")) throw error;
      });
    }
    onRemoved?.(Uploads.length);
  }
}

/** "12 objects", "more than 1,000 objects", versions and delete markers included; undefined when there are none. */
export async function describeContents(s3: S3Client, Bucket: string, prefix?: string): Promise<string | undefined> {
  const { objects, next } = await listVersions(s3, Bucket, prefix, {});
  if (objects.length === 0) return undefined;
  const count = objects.length.toLocaleString("en-US");
  return `${next ? "more than " : ""}${count} object${objects.length === 1 ? "" : "s"}`;
}

interface Marker {
  KeyMarker?: string | undefined;
  VersionIdMarker?: string | undefined;
}

async function listVersions(s3: S3Client, Bucket: string, Prefix: string | undefined, marker: Marker) {
  const page = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix, EncodingType: "url", ...marker }));
  const decode = page.EncodingType === "url" ? decodeListedKey : (key: string) => key;
  const objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key = "", VersionId }) => ({
    Key: decode(Key),
    VersionId,
  }));
  const next = page.IsTruncated
    ? { KeyMarker: decode(page.NextKeyMarker ?? ""), VersionIdMarker: page.NextVersionIdMarker }
    : undefined;
  return { objects, next };
}

/** Listings with encoding-type=url write keys as forms do: "+" for a space. */
export function decodeListedKey(key: string): string {
  return decodeURIComponent(key.replaceAll("+", " "));
}

/** XML 1.0 has no way to write these characters, so a batch cannot name keys that hold them. */
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

async function deleteObjects(s3: S3Client, Bucket: string, objects: ObjectIdentifier[]): Promise<void> {
  const batch = objects.filter(({ Key = "" }) => !NOT_IN_XML.test(Key));
  const single = objects.filter(({ Key = "" }) => NOT_IN_XML.test(Key));
  if (batch.length > 0) {
    const { Errors = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: batch, Quiet: true } }),
    );
    const refused = Errors.find(({ Code }) => Code !== "NoSuchKey" && Code !== "NoSuchVersion");
    if (refused) {
      throw new MinilakeError(
        refused.Code === "AccessDenied" ? "AccessDenied" : "Internal",
        `s3://${Bucket}/${refused.Key} could not be deleted: ${refused.Code} ${refused.Message ?? ""}`.trim(),
      );
    }
  }
  for (const { Key, VersionId } of single) await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
}
