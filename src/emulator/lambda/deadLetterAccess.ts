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
  const { caller } = context.dependencies.assumeRoleForService(role, functionName, "lambda.amazonaws.com");
  const decision = context.dependencies.authorize(caller, { action: "sqs:SendMessage", resource: queueArn });
  if (!decision.allowed) {
    throw invalidParameter("The provided execution role does not have permissions to call SendMessage on SQS");
  }
}
