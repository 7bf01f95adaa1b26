import { checkAccess, existingGroup, type LogsContext, streamArn } from "../context.ts";
import { alreadyExists } from "../errors.ts";
import { checkStreamName, type Input, requiredString } from "../input.ts";

/** Throws ResourceAlreadyExistsException, ResourceNotFoundException. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html */
export function createLogStream(input: Input, context: LogsContext): object {
  const groupName = requiredString(input, "logGroupName");
  const name = checkStreamName(requiredString(input, "logStreamName"));
  checkAccess(context, "logs:CreateLogStream", streamArn(context.settings, groupName, name));
  const group = existingGroup(groupName, context);
  context.store.transaction(() => {
    if (context.store.findStream(group, name)) throw alreadyExists("stream");
    context.store.createStream(group, name, context.settings.now());
  });
  return {};
}
