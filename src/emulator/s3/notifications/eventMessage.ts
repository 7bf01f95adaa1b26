import type { Caller } from "../../access.ts";
import { hostIdOf } from "../call.ts";
import { urlEncodeKey } from "../listing.ts";

/** Event types that this endpoint raises, without the "s3:" of configurations. */
export type EventName =
  | "ObjectCreated:Put"
  | "ObjectCreated:Post"
  | "ObjectCreated:Copy"
  | "ObjectCreated:CompleteMultipartUpload"
  | "ObjectRemoved:Delete"
  | "ObjectRemoved:DeleteMarkerCreated"
  | "ObjectTagging:Put"
  | "ObjectTagging:Delete"
  | "LifecycleExpiration:Delete"
  | "LifecycleExpiration:DeleteMarkerCreated";

/** What happened to one object. */
export interface ObjectEvent {
  name: EventName;
  key: string;
  /** Milliseconds since the epoch. */
  time: number;
  requestId: string;
  /** Who did it; undefined for S3 itself (lifecycle). */
  caller?: Caller;
  remoteAddress: string;
  /** Goes beside the message, to where Lambda looks for it. */
  traceHeader?: string | undefined;
  /** Undefined where AWS leaves the member out. */
  size?: number;
  etag?: string;
  versionId?: string;
  seq?: number;
}

/** Fixed width, so that comparing as text compares as numbers. */
export const sequencerOf = (seq: number) => seq.toString(16).toUpperCase().padStart(18, "0");

/**
 * The JSON that a destination receives: one record, in the version that recorded AWS messages carry.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function eventMessage(
  event: ObjectEvent,
  bucket: string,
  configurationId: string,
  region: string,
  ownerPrincipalId: string,
): string {
  const object: Record<string, string | number> = { key: urlEncodeKey(event.key) };
  if (event.size !== undefined) object.size = event.size;
  if (event.etag !== undefined) object.eTag = event.etag;
  if (event.versionId !== undefined) object.versionId = event.versionId;
  if (event.seq !== undefined) object.sequencer = sequencerOf(event.seq);
  const unified = event.name.startsWith("ObjectTagging") || event.name.startsWith("LifecycleExpiration");
  return JSON.stringify({
    Records: [
      {
        eventVersion: unified ? "2.3" : "2.1",
        eventSource: "aws:s3",
        awsRegion: region,
        eventTime: new Date(event.time).toISOString(),
        eventName: event.name,
        userIdentity: { principalId: principalOf(event.caller) },
        requestParameters: { sourceIPAddress: event.remoteAddress },
        responseElements: { "x-amz-request-id": event.requestId, "x-amz-id-2": hostIdOf(event.requestId) },
        s3: {
          s3SchemaVersion: "1.0",
          configurationId,
          bucket: { name: bucket, ownerIdentity: { principalId: ownerPrincipalId }, arn: `arn:aws:s3:::${bucket}` },
          object,
        },
      },
    ],
  });
}

function principalOf(caller: Caller | undefined): string {
  if (!caller) return "s3.amazonaws.com";
  return caller.kind === "anonymous" ? "Anonymous" : `AWS:${caller.userId}`;
}

/** What S3 sends to a queue when it becomes a destination. */
export function testMessage(bucket: string, time: number, requestId: string): string {
  return JSON.stringify({
    Service: "Amazon S3",
    Event: "s3:TestEvent",
    Time: new Date(time).toISOString(),
    Bucket: bucket,
    RequestId: requestId,
    HostId: hostIdOf(requestId),
  });
}
