import { refuseReservedName } from "../reservedName.ts";
import { invalidParameter } from "./errors.ts";

const MAX_TAGS = 50;

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html */
export function checkTags(tags: Record<string, string>): void {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS) throw invalidParameter(`Too many tags: at most ${MAX_TAGS} are allowed on a queue.`);
  for (const [key, value] of entries) {
    refuseReservedName(key);
    if (key === "" || key.length > 128)
      throw invalidParameter("Tag keys must be between 1 and 128 characters in length.");
    if (value.length > 256) throw invalidParameter("Tag values must be between 0 and 256 characters in length.");
    if (key.toLowerCase().startsWith("aws:")) {
      throw invalidParameter("System tags cannot be added or updated: tag keys cannot start with 'aws:'.");
    }
  }
}
