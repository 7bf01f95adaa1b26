import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import { header, type Operation } from "../call.ts";
import { checkOverlaps, parseNotificationConfiguration } from "../notifications/configuration.ts";
import { checkDestinations } from "../notifications/destinations.ts";
import { testMessage } from "../notifications/eventMessage.ts";
import { commit } from "../writes.ts";

/**
 * Replaces the whole configuration; an empty one turns notifications off. Queues get an s3:TestEvent.
 *
 * Throws   MalformedXML, InvalidArgument 400 (ARN, destination, filter, overlap)
 * Absent   topics, EventBridge: 501
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
 */
export const putBucketNotificationConfiguration: Operation = async (context, call) => {
  const body = await receiveDocument(call, 256 * 1024);
  requireBucket(context, call, "s3:PutBucketNotification");
  const configuration = parseNotificationConfiguration(body);
  const { rules } = configuration;
  const skipValidation = header(call, "x-amz-skip-destination-validation")?.toLowerCase() === "true";
  checkOverlaps(rules);
  checkDestinations(context, call.bucket, rules, skipValidation);
  const { notification: _before, ...bucket } = context.store.getBucket(call.bucket);
  const message = testMessage(call.bucket, context.settings.now(), call.request.id);
  commit(context, undefined, () => {
    context.store.putBucket(rules.length > 0 ? { ...bucket, notification: configuration } : bucket);
    for (const { kind, arn } of rules) if (kind === "Queue") context.events.send(arn, call.bucket, message);
  });
  return { status: 200 };
};
