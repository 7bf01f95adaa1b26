import type { Receipt } from "./receipt.ts";

/** A raw object as a listing shows it. */
export interface ListedObject {
  key: string;
  /** Without quotes. */
  etag: string;
  size: number;
  /** When the listing is one of versions. */
  versionId?: string | null;
}

/**
 * Whether a stage still has work to do for one source key: `reconcile` re-emits an event for each key where it has.
 *
 * object   the live object, or undefined when there is none (any more)
 * receipt  the stage's receipt for the key, or undefined
 */
export function needsRun(
  object: ListedObject | undefined,
  receipt: Receipt | undefined,
  onDelete: "remove" | "keep",
): boolean {
  if (object !== undefined && isFolderMarker(object.key, object.size)) return false;
  if (object === undefined && onDelete === "keep") return false;
  if (receipt?.writing !== undefined && receipt.writing.length > 0) return true;
  if (object === undefined) return receipt !== undefined && receipt.status !== "removed";
  if (receipt === undefined || receipt.status === "removed") return true;
  if (receipt.source.etag !== object.etag) return true;
  return object.versionId !== undefined && receipt.source.versionId !== object.versionId;
}

/** What the S3 console makes of "create folder": no file. */
export function isFolderMarker(key: string, size: number): boolean {
  return size === 0 && key.endsWith("/");
}
