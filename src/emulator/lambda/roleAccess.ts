import type { Caller } from "../access.ts";
import { invalidParameter } from "./constraints.ts";
import type { LambdaContext } from "./context.ts";

/** Lambda checks once, when the queue is configured, that the function's role may send to it. */
export function requireDeadLetterAccess(
  context: LambdaContext,
  functionName: string,
  role: string,
  queueArn: string | undefined,
): void {
  if (queueArn === undefined) return;
  const caller = functionCaller(context, functionName, role);
  const decision = context.dependencies.authorize(caller, { action: "sqs:SendMessage", resource: queueArn });
  if (!decision.allowed) {
    throw invalidParameter("The provided execution role does not have permissions to call SendMessage on SQS");
  }
}

/** The function as other services see it. Throws InvalidParameterValueException. */
export function functionCaller({ dependencies }: LambdaContext, functionName: string, role: string): Caller {
  const service = "lambda.amazonaws.com";
  if (dependencies.roleRefusal(role, service) !== undefined) {
    throw invalidParameter("The role defined for the function cannot be assumed by Lambda.");
  }
  return dependencies.assumeRoleForService(role, functionName, service).caller;
}
