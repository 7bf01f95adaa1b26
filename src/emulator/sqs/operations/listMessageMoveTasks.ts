import type { ListMessageMoveTasksResult } from "@aws-sdk/client-sqs";
import { checkAccess, type SqsContext } from "../context.ts";
import { invalidParameter, resourceNotFound } from "../errors.ts";
import { type Input, optionalInteger, requiredString } from "../input.ts";
import { createTaskHandle } from "../taskHandle.ts";

/** The latest first, one by default, at most 10. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html */
export function listMessageMoveTasks(input: Input, context: SqsContext): ListMessageMoveTasksResult {
  const sourceArn = requiredString(input, "SourceArn");
  const maxResults = optionalInteger(input, "MaxResults") ?? 1;
  const source = context.store.findQueueByArn(sourceArn);
  checkAccess(context, "sqs:ListMessageMoveTasks", sourceArn, source);
  if (source === undefined) {
    throw resourceNotFound("The resource that you specified for the SourceArn parameter doesn't exist.");
  }
  if (!(maxResults >= 1 && maxResults <= 10)) {
    throw invalidParameter("Value for parameter MaxResults is invalid. Reason: Must be between 1 and 10, if provided.");
  }
  const tasks = context.moveTasks.list(sourceArn).slice(0, maxResults);
  return {
    Results: tasks.map((task) => ({
      TaskHandle: task.status === "RUNNING" ? createTaskHandle(task) : undefined,
      Status: task.status,
      SourceArn: task.sourceArn,
      DestinationArn: task.destinationArn,
      MaxNumberOfMessagesPerSecond: task.maxPerSecond,
      ApproximateNumberOfMessagesMoved: task.moved,
      ApproximateNumberOfMessagesToMove: task.toMove,
      FailureReason: task.failureReason,
      StartedTimestamp: task.startedAt,
    })),
  };
}
