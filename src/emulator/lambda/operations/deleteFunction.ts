import { AwsError } from "../../awsError.ts";
import { invalidParameter } from "../constraints.ts";
import { type Operation, requireFunction } from "../context.ts";
import { functionNotFound } from "../functionName.ts";

/**
 * Removes a function with all its versions, or, with a qualifier, one version.
 * Invocations that run may end; events that wait are dropped.
 * https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
 */
export const deleteFunction: Operation = (input, context) => {
  const { record, qualifier } = requireFunction(input, context, "lambda:DeleteFunction", (arn) =>
    functionNotFound(arn),
  );
  if (qualifier === undefined) {
    context.functions.remove(record.name);
    context.pool.retire(record.name);
    context.collectCode();
    context.queue.pump();
    return { status: 204 };
  }
  if (qualifier === "$LATEST") {
    throw invalidParameter("$LATEST version cannot be deleted without deleting the function.");
  }
  if (record.aliases[qualifier]) throw invalidParameter("Deletion of aliases is not currently supported.");
  if (!record.versions[qualifier]) throw functionNotFound(record.arn, qualifier);
  const users = Object.values(record.aliases).filter(
    (alias) => alias.version === qualifier || qualifier in alias.additionalWeights,
  );
  if (users.length > 0) {
    const names = users.map((alias) => `${record.arn}:${alias.name}`).join(", ");
    throw new AwsError(
      "ResourceConflictException",
      `Version ${record.arn}:${qualifier} is used by one or more aliases: ${names}`,
      409,
    );
  }
  context.functions.update(record.name, (draft) => {
    delete draft.versions[qualifier];
    delete draft.policies[qualifier];
    delete draft.eventInvokeConfigs[qualifier];
  });
  context.pool.retire(record.name, qualifier);
  context.collectCode();
  return { status: 204 };
};
