import type { GetQueueUrlResult } from "@aws-sdk/client-sqs";
import { queueUrl, requireQueueByName, type SqsContext } from "../context.ts";
import type { Input } from "../input.ts";

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html */
export function getQueueUrl(input: Input, context: SqsContext): GetQueueUrlResult {
  return { QueueUrl: queueUrl(context, requireQueueByName(input, context, "sqs:GetQueueUrl")) };
}
