import type { CreateQueueResult } from "@aws-sdk/client-sqs";
import { type Attributes, checkAttributes, DEFAULT_ATTRIBUTES } from "../attributes.ts";
import { checkAccess, queueArn, queueUrl, type SqsContext } from "../context.ts";
import { invalidParameter, sqsError } from "../errors.ts";
import { type Input, isString, mapOf, requiredString } from "../input.ts";
import { checkRedrivePolicy } from "../redrive.ts";
import { checkTags } from "../tags.ts";

/**
 * Make a queue. Repeating it with the same attributes returns the same queue; attributes that are not named are not compared.
 *
 * Throws   InvalidParameterValue (name), InvalidAttributeName, InvalidAttributeValue, QueueAlreadyExists
 * Absent   FIFO queues and KMS keys: 501. The minute in which AWS refuses a name that was just deleted is not simulated.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
 */
export function createQueue(input: Input, context: SqsContext): CreateQueueResult {
  const { settings, store } = context;
  const name = requiredString(input, "QueueName");
  checkAccess(context, "sqs:CreateQueue", queueArn(settings, name), undefined, input);
  const requested = mapOf(input, "Attributes", isString);
  const tags = mapOf(input, "tags", isString);
  checkTags(tags);
  const attributes = checkAttributes(requested, true);
  if (!/^[A-Za-z0-9_-]{1,80}$/.test(name)) {
    throw invalidParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
  }
  return store.transaction(() => {
    const existing = store.findQueue(name);
    if (existing) {
      const different = firstDifference(attributes, existing.attributes);
      if (different !== undefined) {
        throw sqsError(
          "QueueNameExists",
          `A queue already exists with the same name and a different value for attribute ${different}`,
          { legacy: "QueueAlreadyExists" },
        );
      }
      return { QueueUrl: queueUrl(context, existing) };
    }
    const arn = queueArn(settings, name);
    checkRedrivePolicy(attributes.RedrivePolicy, arn, store);
    const now = settings.now();
    const queue = store.createQueue({
      name,
      arn,
      attributes: { ...DEFAULT_ATTRIBUTES, ...attributes },
      tags,
      createdAt: now,
      modifiedAt: now,
    });
    return { QueueUrl: queueUrl(context, queue) };
  });
}

function firstDifference(requested: Attributes, actual: Attributes): string | undefined {
  return Object.keys(requested).find((name) => requested[name] !== actual[name]);
}
