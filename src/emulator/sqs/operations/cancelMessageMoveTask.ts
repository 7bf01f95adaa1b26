import type { CancelMessageMoveTaskResult } from "@aws-sdk/client-sqs";
import { checkAccess, type SqsContext } from "../context.ts";
import { resourceNotFound, sqsError } from "../errors.ts";
import { type Input, requiredString } from "../input.ts";
import { parseTaskHandle } from "../taskHandle.ts";

/** Only a running task can be cancelled. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CancelMessageMoveTask.html */
export function cancelMessageMoveTask(input: Input, context: SqsContext): CancelMessageMoveTaskResult {
  const { taskId, sourceArn } = parseTaskHandle(requiredString(input, "TaskHandle"));
  const source = context.store.findQueueByArn(sourceArn);
  checkAccess(context, "sqs:CancelMessageMoveTask", sourceArn, source);
  const task = context.moveTasks.list(sourceArn).find(({ id }) => id === taskId);
  if (task === undefined) throw resourceNotFound("Task does not exist.");
  if (task.status !== "RUNNING") {
    throw sqsError("UnsupportedOperation", `Message move task is not active: its status is ${task.status}.`, {
      legacy: "AWS.SimpleQueueService.UnsupportedOperation",
    });
  }
  context.moveTasks.cancel(task);
  return { ApproximateNumberOfMessagesMoved: task.moved };
}
