import { xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";
import { notificationConfigurationXml } from "../notifications/configuration.ts";

export const getBucketNotificationConfiguration: Operation = (context, call) => {
  const bucket = requireBucket(context, call, "s3:GetBucketNotification");
  return xmlReply("NotificationConfiguration", notificationConfigurationXml(bucket.notification));
};
