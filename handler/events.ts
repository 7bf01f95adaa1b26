/** One thing that happened to one source object, out of an S3 event notification. */
export interface SourceEvent {
  bucket: string;
  /** Decoded. */
  key: string;
  kind: "created" | "removed";
  sequencer: string | null;
  /** ISO 8601 UTC. */
  time: string | null;
}

interface S3Record {
  eventSource?: string;
  eventVersion?: string;
  eventName?: string;
  eventTime?: string;
  s3?: { bucket?: { name?: string }; object?: { key?: string; sequencer?: string } };
}

/**
 * The source events in a Lambda payload; `s3:TestEvent` has none.
 *
 * A record without a sequencer is one that `reconcile` re-emits.
 * Throws  Error for a payload that is no S3 notification of major version 2
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function sourceEvents(payload: unknown): SourceEvent[] {
  const body = payload as { Event?: string; Records?: unknown } | null;
  if (body?.Event === "s3:TestEvent") return [];
  if (!Array.isArray(body?.Records)) throw new Error("the payload is no S3 event notification: it has no Records");
  return (body.Records as S3Record[]).map((record, index) => {
    const bucket = record.s3?.bucket?.name;
    const key = record.s3?.object?.key;
    const name = record.eventName?.replace(/^s3:/, "");
    if (!bucket || !key || !name) throw new Error(`record ${index} of the payload is no S3 event notification`);
    if (record.eventVersion !== undefined && !record.eventVersion.startsWith("2.")) {
      throw new Error(`record ${index} has event version ${record.eventVersion}; expected 2.x`);
    }
    const removed = name.startsWith("ObjectRemoved:") || name.startsWith("LifecycleExpiration:");
    return {
      bucket,
      key: decodeKey(key),
      kind: removed ? "removed" : "created",
      sequencer: record.s3?.object?.sequencer ?? null,
      time: record.eventTime ?? null,
    };
  });
}

/** S3 form-encodes keys in notifications: `+` is a space. */
export function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll("+", " "));
}

/** The later of two sequencers of one key: hexadecimal, compared after right-padding with zeros. */
export function laterSequencer(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  const width = Math.max(a.length, b.length);
  return a.toUpperCase().padEnd(width, "0") >= b.toUpperCase().padEnd(width, "0") ? a : b;
}
