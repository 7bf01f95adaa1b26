import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  GetFunctionCommand,
  InvokeCommand,
  type InvokeCommandInput,
} from "@aws-sdk/client-lambda";
import { waitFor } from "../../../conformance/target.ts";
import { type LambdaEndpoint, ROLE, zipOf } from "./endpoint.ts";

export const FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:f";
export const S3_SOURCE = { service: "s3.amazonaws.com", arn: "arn:aws:s3:::raw", accountId: "000000000000" };

/** Makes function f and waits until it is Active. `code` is index.mjs, or all files by name. */
export async function createFunction(
  endpoint: Pick<LambdaEndpoint, "lambda">,
  code: string | Record<string, string>,
  options: Partial<CreateFunctionCommandInput> = {},
): Promise<void> {
  const ZipFile = await zipOf(typeof code === "string" ? { "index.mjs": code } : code);
  const FunctionName = options.FunctionName ?? "f";
  await endpoint.lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: "nodejs20.x",
      Handler: "index.handler",
      Role: ROLE,
      Code: { ZipFile },
      ...options,
    }),
  );
  await waitFor(async () => {
    const { Configuration } = await endpoint.lambda.send(new GetFunctionCommand({ FunctionName }));
    return Configuration?.State === "Active";
  });
}

export interface Answer {
  error: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON the function answered
  payload: any;
  tail: string;
  requestId: string;
  version: string | undefined;
}

/** Invokes function f and waits for its answer and its log. */
export async function call(
  endpoint: Pick<LambdaEndpoint, "lambda">,
  payload: unknown = {},
  options: Partial<InvokeCommandInput> = {},
): Promise<Answer> {
  const answer = await endpoint.lambda.send(
    new InvokeCommand({ FunctionName: "f", Payload: JSON.stringify(payload), LogType: "Tail", ...options }),
  );
  return {
    error: answer.FunctionError,
    payload: JSON.parse(Buffer.from(answer.Payload!).toString("utf8")),
    tail: Buffer.from(answer.LogResult ?? "", "base64").toString("utf8"),
    requestId: answer.$metadata.requestId ?? "",
    version: answer.ExecutedVersion,
  };
}

/** Delivers an event as S3 does. */
export function deliver(endpoint: LambdaEndpoint, event: unknown, arn = FUNCTION_ARN): void {
  endpoint.store.transaction(() => endpoint.service.deliver(arn, JSON.stringify(event), S3_SOURCE));
}
