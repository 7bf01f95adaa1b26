import type { InvokeAsyncResponse } from "@aws-sdk/client-lambda";
import type { Operation } from "../context.ts";
import { enqueue, MAX_ASYNC_BYTES, readPayload, requireTarget } from "./invoke.ts";

/** The old form of Invoke with type Event.  https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html */
export const invokeAsync: Operation = (input, context) => {
  const target = requireTarget(input, context, "lambda:InvokeFunction");
  enqueue(input, context, target, readPayload(input.rawBody, MAX_ASYNC_BYTES, "InvokeAsync"));
  return { status: 202, body: { Status: 202 } satisfies InvokeAsyncResponse };
};
