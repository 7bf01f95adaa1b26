import type { StartMessageMoveTaskResult } from "@aws-sdk/client-sqs";
import { checkAccess, type SqsContext } from "../context.ts";
import { invalidParameter, resourceNotFound, sqsError } from "../errors.ts";
import { type Input, optionalInteger, optionalString, requiredString } from "../input.ts";
import { createTaskHandle } from "../taskHandle.ts";

/**
 * Move the messages of a dead-letter queue to another queue, or back to where each came from, in the background.
 *
 * Throws   ResourceNotFoundException 404, InvalidParameterValue, UnsupportedOperation (a task is running)
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 */
export function startMessageMoveTask(input: Input, context: SqsContext): StartMessageMoveTaskResult {
  const { store, moveTasks, settings } = context;
  const sourceArn = requiredString(input, "SourceArn");
  const destinationArn = optionalString(input, "DestinationArn");
  const maxPerSecond = optionalInteger(input, "MaxNumberOfMessagesPerSecond");
  const source = store.findQueueByArn(sourceArn);
  for (const action of ["sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage"]) {
    checkAccess(context, action, sourceArn, source);
  }
  if (source === undefined) {
    throw resourceNotFound("The resource that you specified for the SourceArn parameter doesn't exist.");
  }
  if (maxPerSecond !== undefined && !(maxPerSecond >= 1 && maxPerSecond <= 500)) {
    throw invalidParameter(
      "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and 500, if provided.",
    );
  }
  if (store.sourcesOf(sourceArn).length === 0) {
    throw invalidParameter("Source queue must be configured as a Dead Letter Queue.");
  }
  if (destinationArn !== undefined) {
    const destination = store.findQueueByArn(destinationArn);
    checkAccess(context, "sqs:SendMessage", destinationArn, destination);
    if (destination === undefined) {
      throw resourceNotFound("The resource that you specified for the DestinationArn parameter doesn't exist.");
    }
    if (destinationArn === sourceArn) throw invalidParameter("Source queue and destination queue must be different.");
  }
  if (moveTasks.list(sourceArn).some(({ status }) => status === "RUNNING")) {
    throw sqsError(
      "UnsupportedOperation",
      "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
      { legacy: "AWS.SimpleQueueService.UnsupportedOperation" },
    );
  }
  const counts = store.counts(source, settings.now());
  const task = moveTasks.start({ sourceArn, destinationArn, maxPerSecond, toMove: counts.visible });
  return { TaskHandle: createTaskHandle(task) };
}
