import { notImplemented } from "../../awsError.ts";
import { checkAccess, type LogsContext, streamArn } from "../context.ts";
import { alreadyExists } from "../errors.ts";
import {
  checkGroupName,
  type Input,
  optionalBoolean,
  optionalGroupClass,
  optionalString,
  requiredString,
  tagMap,
} from "../input.ts";

/**
 * Make a log group whose events never expire.
 *
 * Throws   ResourceAlreadyExistsException, InvalidParameterException
 * Absent   KMS keys, deletion protection, the DELIVERY class: 501
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
 */
export function createLogGroup(input: Input, context: LogsContext): object {
  const name = checkGroupName(requiredString(input, "logGroupName"));
  checkAccess(context, "logs:CreateLogGroup", streamArn(context.settings, name), input);
  if (optionalString(input, "kmsKeyId") !== undefined) throw notImplemented("logs:CreateLogGroup with kmsKeyId");
  if (optionalBoolean(input, "deletionProtectionEnabled")) {
    throw notImplemented("logs:CreateLogGroup with deletionProtectionEnabled");
  }
  const logClass = optionalGroupClass(input) ?? "STANDARD";
  if (logClass === "DELIVERY") throw notImplemented("logs:CreateLogGroup with logGroupClass DELIVERY");
  const tags = tagMap(input, "tags");
  context.store.transaction(() => {
    if (context.store.findGroup(name)) throw alreadyExists("group");
    context.store.createGroup({ name, createdAt: context.settings.now(), class: logClass, tags });
  });
  return {};
}
