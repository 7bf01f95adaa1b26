import { isAwsError } from "../../errors.ts";
import type { ResourceReport } from "../progress.ts";
import { describeContents, emptyBucket } from "./emptyBucket.ts";
import { keptBecauseFull, type ResourceContext, reported } from "./resource.ts";

/** Objects under a prefix that no stage writes any more. Without `prune` they stay, and are told of. */
export async function removePrefix(
  context: ResourceContext,
  place: { bucket: string; prefix: string },
  options: { prune: boolean },
): Promise<ResourceReport> {
  const s3 = await context.clients.s3();
  const name = `s3://${place.bucket}/${place.prefix}`;
  let contents: string | undefined;
  try {
    contents = await describeContents(s3, place.bucket, place.prefix);
  } catch (error) {
    if (!isAwsError(error, "NoSuchBucket")) throw error;
  }
  if (contents === undefined) return reported("objects", name, "absent");
  if (!options.prune) return keptBecauseFull("objects", name, contents);
  if (context.mode === "plan") return reported("objects", name, "removed");
  let removed = 0;
  await emptyBucket(s3, place.bucket, {
    prefix: place.prefix,
    signal: context.signal,
    onRemoved: (objects) => {
      removed += objects;
      context.onProgress?.({ step: "emptying", resource: name, removed });
    },
  });
  return reported("objects", name, "removed");
}
