import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  type FunctionConfiguration,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  PutFunctionConcurrencyCommand,
  TagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { isAwsError, MinilakeError } from "../../errors.ts";
import type { Bundle } from "../bundle.ts";
import { type LakeDefinition, queueArn, type StageDefinition } from "../definition.ts";
import type { ResourceReport } from "../progress.ts";
import { retryWhile, waitUntil } from "../waiting.ts";
import {
  assertOurs,
  canonical,
  hasTags,
  isOurs,
  keptBecauseNotOurs,
  type ResourceContext,
  reported,
  syncAspects,
  synced,
  type Tags,
} from "./resource.ts";

interface ObservedFunction {
  configuration: FunctionConfiguration;
  tags: Tags;
  reservedConcurrency: number | undefined;
}

/** IAM tells Lambda of a new role within seconds, rarely a minute. */
const ROLE_TIMEOUT_MS = 120_000;
const READY_TIMEOUT_MS = 300_000;
const CONFLICT_TIMEOUT_MS = 60_000;

/** The function with its code, configuration and tags; active when this returns. Its role must be there. */
export async function ensureFunction(
  context: ResourceContext,
  stage: StageDefinition,
  bundle: Bundle,
): Promise<ResourceReport> {
  const { definition } = context;
  const lambda = await context.clients.lambda();
  const FunctionName = stage.functionName;
  const wanted = wantedConfiguration(definition, stage);
  const code = bundle.zip;
  let observed = await observeFunction(lambda, FunctionName);
  if (observed === undefined) {
    if (context.mode === "plan") return reported("function", FunctionName, "created");
    const made = await createFunction(context, lambda, stage, wanted, code);
    if (made) {
      await waitUntilReady(context, lambda, FunctionName);
      if (stage.reservedConcurrency !== undefined) await setConcurrency(context, lambda, stage);
      return reported("function", FunctionName, "created");
    }
    observed = await observeFunction(lambda, FunctionName);
    if (observed === undefined) throw new MinilakeError("Internal", `The function ${FunctionName} comes and goes.`);
  }
  const { configuration, tags } = observed;
  assertOurs(definition, "function", FunctionName, tags);
  if (context.mode === "apply" && !isReady(configuration)) await waitUntilReady(context, lambda, FunctionName);
  const update = async (call: () => Promise<unknown>) => {
    await whenFunctionSettles(context, FunctionName, false, () => whenRoleIsKnown(context, FunctionName, call));
    await waitUntilReady(context, lambda, FunctionName);
  };
  const { Architectures, ...settings } = wanted;
  const aspects = await syncAspects(context, [
    {
      name: "tags",
      same: hasTags(tags, definition.tags),
      write: () =>
        lambda.send(new TagResourceCommand({ Resource: configuration.FunctionArn, Tags: { ...definition.tags } })),
    },
    {
      name: "configuration",
      same: canonical(comparable(configuration)) === canonical(comparable({ ...wanted, ...unknownTo(configuration) })),
      write: () => update(() => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...settings }))),
    },
    {
      name: "code",
      same:
        configuration.CodeSha256 === bundle.codeSha256 &&
        (configuration.Architectures ?? ["x86_64"])[0] === stage.architecture,
      write: () =>
        update(() => lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: code, Architectures }))),
    },
    {
      name: "concurrency",
      same: observed.reservedConcurrency === stage.reservedConcurrency,
      write: () => setConcurrency(context, lambda, stage),
    },
  ]);
  return synced("function", FunctionName, aspects);
}

async function setConcurrency(
  context: ResourceContext,
  lambda: LambdaClient,
  { functionName: FunctionName, reservedConcurrency: ReservedConcurrentExecutions }: StageDefinition,
): Promise<void> {
  await whenFunctionSettles<unknown>(context, FunctionName, false, () =>
    ReservedConcurrentExecutions === undefined
      ? lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }))
      : lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions })),
  );
}

function wantedConfiguration(definition: LakeDefinition, stage: StageDefinition) {
  return {
    Runtime: stage.runtime,
    Handler: stage.handler,
    Role: stage.roleArn,
    Description: `Stage ${stage.name} of the minilake ${definition.name}`,
    MemorySize: stage.memoryMb,
    Timeout: stage.timeoutSeconds,
    EphemeralStorage: { Size: stage.storageMb },
    Environment: { Variables: stage.environment },
    DeadLetterConfig: { TargetArn: queueArn(definition) },
    Architectures: [stage.architecture],
  };
}

/** The settings that are compared; the rest of a function's configuration is AWS's to choose. */
function comparable(configuration: Partial<FunctionConfiguration>) {
  return {
    Runtime: configuration.Runtime,
    Handler: configuration.Handler,
    Role: configuration.Role,
    Description: configuration.Description,
    MemorySize: configuration.MemorySize,
    Timeout: configuration.Timeout,
    EphemeralStorage: configuration.EphemeralStorage?.Size,
    Environment: configuration.Environment?.Variables ?? {},
    DeadLetterConfig: configuration.DeadLetterConfig?.TargetArn,
  };
}

/** An endpoint that knows no size of /tmp has nothing to bring to ours. */
function unknownTo({ EphemeralStorage }: FunctionConfiguration): Partial<FunctionConfiguration> {
  return EphemeralStorage === undefined ? { EphemeralStorage } : {};
}

async function observeFunction(lambda: LambdaClient, FunctionName: string): Promise<ObservedFunction | undefined> {
  try {
    const answer = await lambda.send(new GetFunctionCommand({ FunctionName }));
    const { Configuration = {}, Tags = {}, Concurrency } = answer;
    return {
      configuration: Configuration,
      tags: Tags,
      reservedConcurrency: Concurrency?.ReservedConcurrentExecutions,
    };
  } catch (error) {
    if (isAwsError(error, "ResourceNotFoundException")) return undefined;
    throw error;
  }
}

/** False when a function of this name has appeared meanwhile. */
async function createFunction(
  context: ResourceContext,
  lambda: LambdaClient,
  stage: StageDefinition,
  wanted: ReturnType<typeof wantedConfiguration>,
  code: Uint8Array,
): Promise<boolean> {
  const { FunctionName, Tags } = { FunctionName: stage.functionName, Tags: { ...context.definition.tags } };
  try {
    await whenRoleIsKnown(context, FunctionName, () =>
      lambda.send(new CreateFunctionCommand({ FunctionName, ...wanted, Code: { ZipFile: code }, Tags })),
    );
    return true;
  } catch (error) {
    if (isAwsError(error, "ResourceConflictException")) return false;
    throw error;
  }
}

/** A role that IAM has just made or changed is news to Lambda for a while. */
function whenRoleIsKnown<T>(context: ResourceContext, FunctionName: string, call: () => Promise<T>): Promise<T> {
  const what = `the function ${FunctionName}`;
  return retryWhile(
    {
      what,
      timeoutMs: ROLE_TIMEOUT_MS,
      firstDelayMs: 500,
      maxDelayMs: 5_000,
      signal: context.signal,
      onWaiting: () =>
        context.onProgress?.({ step: "waiting", resource: what, reason: "AWS is making its new role known" }),
      passing: (error) =>
        isAwsError(error, "InvalidParameterValueException") &&
        /cannot be assumed by Lambda|does not have permissions to call SendMessage/.test(error.message),
    },
    call,
  );
}

/**
 * Lambda takes one change of a function at a time, and a part of it may not know of a function that was made a moment ago.
 * isNew  the function was made in this run
 */
export function whenFunctionSettles<T>(
  context: ResourceContext,
  FunctionName: string,
  isNew: boolean,
  call: () => Promise<T>,
): Promise<T> {
  const what = `the function ${FunctionName}`;
  return retryWhile(
    {
      what,
      timeoutMs: CONFLICT_TIMEOUT_MS,
      firstDelayMs: 50,
      signal: context.signal,
      onWaiting: () =>
        context.onProgress?.({ step: "waiting", resource: what, reason: "an earlier update of it is going on" }),
      passing: (error) =>
        isAwsError(error, "TooManyRequestsException") ||
        (isAwsError(error, "ResourceConflictException") && !/already exists?\b/i.test(error.message)) ||
        (isNew && isAwsError(error, "ResourceNotFoundException")),
    },
    call,
  );
}

/** Active after a creation, Successful after an update. Throws MinilakeError when Lambda gave up on it. */
async function waitUntilReady(context: ResourceContext, lambda: LambdaClient, FunctionName: string): Promise<void> {
  const what = `the function ${FunctionName}`;
  let seen = "";
  await waitUntil(
    {
      what: `${what} to become active`,
      timeoutMs: READY_TIMEOUT_MS,
      firstDelayMs: 5,
      signal: context.signal,
      lastSeen: () => `It is ${seen}.`,
      onWaiting: () => context.onProgress?.({ step: "waiting", resource: what, reason: "Lambda is setting it up" }),
    },
    async () => {
      let configuration: FunctionConfiguration;
      try {
        configuration = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      } catch (error) {
        if (!isAwsError(error, "ResourceNotFoundException")) throw error;
        seen = "not to be found";
        return undefined;
      }
      const { State, StateReason, LastUpdateStatus, LastUpdateStatusReason } = configuration;
      seen = `${State ?? "in an unknown state"} ${LastUpdateStatus ?? ""}`.trim();
      if (State === "Failed" || LastUpdateStatus === "Failed") {
        throw new MinilakeError(
          "FunctionFailed",
          `Lambda could not set up ${what}: ${State === "Failed" ? StateReason : LastUpdateStatusReason}`,
          {
            hint: "What it says is about the place, such as a Docker engine or an image that is not there. Mend it and run the same command again.",
          },
        );
      }
      return isReady(configuration) ? true : undefined;
    },
  );
}

function isReady({ State, LastUpdateStatus }: FunctionConfiguration): boolean {
  const active = State === undefined || State === "Active" || State === "Inactive";
  return active && LastUpdateStatus !== "InProgress" && LastUpdateStatus !== "Failed";
}

export async function removeFunction(context: ResourceContext, stage: StageDefinition): Promise<ResourceReport> {
  const lambda = await context.clients.lambda();
  const FunctionName = stage.functionName;
  const observed = await observeFunction(lambda, FunctionName);
  if (observed === undefined) return reported("function", FunctionName, "absent");
  if (!isOurs(context.definition, observed.tags)) return keptBecauseNotOurs("function", FunctionName);
  if (context.mode === "plan") return reported("function", FunctionName, "removed");
  try {
    await whenFunctionSettles(context, FunctionName, false, () =>
      lambda.send(new DeleteFunctionCommand({ FunctionName })),
    );
  } catch (error) {
    if (!isAwsError(error, "ResourceNotFoundException")) throw error;
  }
  return reported("function", FunctionName, "removed");
}
