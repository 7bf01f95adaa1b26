import {
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  PutFunctionEventInvokeConfigCommand,
  type PutFunctionEventInvokeConfigCommandInput,
} from "@aws-sdk/client-lambda";
import { isAwsError } from "../../errors.ts";
import type { StageDefinition } from "../definition.ts";
import type { ResourceReport } from "../progress.ts";
import { whenFunctionSettles } from "./lambdaFunction.ts";
import { type ResourceContext, reported, syncAspects, synced } from "./resource.ts";

/** How often an event is tried, and how long it may wait, before it becomes a dead letter. */
export async function ensureEventInvokeConfig(
  context: ResourceContext,
  stage: StageDefinition,
  options: { functionIsNew?: boolean } = {},
): Promise<ResourceReport> {
  const lambda = await context.clients.lambda();
  const FunctionName = stage.functionName;
  const wanted = { MaximumRetryAttempts: stage.maxRetries, MaximumEventAgeInSeconds: stage.maxEventAgeSeconds };
  const put = (settings: typeof wanted & Pick<PutFunctionEventInvokeConfigCommandInput, "DestinationConfig">) =>
    whenFunctionSettles(context, FunctionName, options.functionIsNew ?? false, () =>
      lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, ...settings })),
    );
  const observed = options.functionIsNew ? undefined : await observe(context, stage);
  if (observed === undefined) {
    if (context.mode === "apply") {
      await put(wanted);
    }
    return reported("invoke settings", FunctionName, "created");
  }
  // A put replaces everything: destinations that somebody has added go along. (Not every endpoint has the call that merges.)
  const { OnSuccess, OnFailure } = observed.DestinationConfig ?? {};
  const DestinationConfig = {
    ...(OnSuccess?.Destination ? { OnSuccess } : {}),
    ...(OnFailure?.Destination ? { OnFailure } : {}),
  };
  const kept = Object.keys(DestinationConfig).length > 0 ? { DestinationConfig } : {};
  const write = () => put({ ...wanted, ...kept });
  const retriesSame = observed.MaximumRetryAttempts === wanted.MaximumRetryAttempts;
  const ageSame = observed.MaximumEventAgeInSeconds === wanted.MaximumEventAgeInSeconds;
  const aspects = await syncAspects(context, [
    { name: "retries", same: retriesSame, write },
    { name: "event age", same: ageSame, write: retriesSame ? write : async () => {} },
  ]);
  return synced("invoke settings", FunctionName, aspects);
}

async function observe(context: ResourceContext, { functionName }: StageDefinition) {
  const lambda = await context.clients.lambda();
  try {
    return await lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: functionName }));
  } catch (error) {
    if (isAwsError(error, "ResourceNotFoundException")) return undefined;
    throw error;
  }
}

export async function removeEventInvokeConfig(
  context: ResourceContext,
  stage: StageDefinition,
): Promise<ResourceReport> {
  const lambda = await context.clients.lambda();
  const FunctionName = stage.functionName;
  if ((await observe(context, stage)) === undefined) return reported("invoke settings", FunctionName, "absent");
  if (context.mode === "apply") {
    try {
      await whenFunctionSettles(context, FunctionName, false, () =>
        lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName })),
      );
    } catch (error) {
      if (!isAwsError(error, "ResourceNotFoundException")) throw error;
    }
  }
  return reported("invoke settings", FunctionName, "removed");
}
