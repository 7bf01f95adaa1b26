import {
  type CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  ListTagsForResourceCommand,
  PutRetentionPolicyCommand,
  TagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { isAwsError } from "../../errors.ts";
import type { LakeDefinition, StageDefinition } from "../definition.ts";
import type { ResourceReport } from "../progress.ts";
import { retryWhile } from "../waiting.ts";
import {
  assertOurs,
  hasTags,
  isOurs,
  keptBecauseFull,
  keptBecauseNotOurs,
  type ResourceContext,
  reported,
  syncAspects,
  synced,
  type Tags,
} from "./resource.ts";

interface ObservedLogGroup {
  retentionDays: number | undefined;
  tags: Tags;
}

/** CloudWatch Logs answers OperationAborted while an earlier change of the same group settles. */
const SETTLE_TIMEOUT_MS = 60_000;

/** Made by us and not by Lambda, so that it has our tags and an end to its retention. */
export async function ensureLogGroup(context: ResourceContext, stage: StageDefinition): Promise<ResourceReport> {
  const { definition } = context;
  const logs = await context.clients.logs();
  const logGroupName = stage.logGroup;
  let observed = await observeLogGroup(logs, definition, stage);
  const absent = observed === undefined;
  if (observed === undefined) {
    if (context.mode === "plan") return reported("log group", logGroupName, "created");
    try {
      await logs.send(new CreateLogGroupCommand({ logGroupName, tags: { ...definition.tags } }));
      observed = { retentionDays: undefined, tags: { ...definition.tags } };
    } catch (error) {
      if (!isAwsError(error, "ResourceAlreadyExistsException")) throw error;
      observed = await observeLogGroup(logs, definition, stage);
      if (observed === undefined) throw error;
    }
  }
  const { tags, retentionDays } = observed;
  const settled = <T>(call: () => Promise<T>) => whenLogGroupSettles(context, logGroupName, absent, call);
  if (!isLambdasOwn(tags)) assertOurs(definition, "log group", logGroupName, tags);
  const aspects = await syncAspects(context, [
    {
      name: "tags",
      same: hasTags(tags, definition.tags),
      write: () =>
        settled(() =>
          logs.send(
            new TagResourceCommand({
              resourceArn: logGroupArn(definition, logGroupName),
              tags: { ...definition.tags },
            }),
          ),
        ),
    },
    {
      name: "retention",
      same: retentionDays === stage.logRetentionDays,
      write: () =>
        settled(() =>
          stage.logRetentionDays === undefined
            ? logs.send(new DeleteRetentionPolicyCommand({ logGroupName }))
            : logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: stage.logRetentionDays })),
        ),
    },
  ]);
  return absent ? reported("log group", logGroupName, "created") : synced("log group", logGroupName, aspects);
}

function whenLogGroupSettles<T>(
  context: ResourceContext,
  logGroupName: string,
  isNew: boolean,
  call: () => Promise<T>,
): Promise<T> {
  return retryWhile(
    {
      what: `the log group ${logGroupName}`,
      timeoutMs: SETTLE_TIMEOUT_MS,
      firstDelayMs: 200,
      signal: context.signal,
      passing: (error) =>
        isAwsError(error, "OperationAbortedException") || (isNew && isAwsError(error, "ResourceNotFoundException")),
    },
    call,
  );
}

/**
 * Without any tag, a group of our function's name is what Lambda makes by itself for a function that logs and has none. On AWS
 * our role does not let it; an emulator that enforces no roles makes it even after `down`, for a run that ended late.
 */
export function isLambdasOwn(tags: Tags): boolean {
  return Object.keys(tags).length === 0;
}

async function observeLogGroup(
  logs: CloudWatchLogsClient,
  definition: LakeDefinition,
  stage: StageDefinition,
): Promise<ObservedLogGroup | undefined> {
  const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: stage.logGroup }));
  // A search by prefix: names that only start the same come too, but in order, so the exact one is on the first page.
  const group = logGroups.find(({ logGroupName }) => logGroupName === stage.logGroup);
  if (group === undefined) return undefined;
  try {
    const { tags = {} } = await logs.send(
      new ListTagsForResourceCommand({ resourceArn: logGroupArn(definition, stage.logGroup) }),
    );
    return { retentionDays: group.retentionInDays, tags };
  } catch (error) {
    if (isAwsError(error, "ResourceNotFoundException")) return undefined;
    throw error;
  }
}

/** onlyEmpty  with logs in it, it stays */
export async function removeLogGroup(
  context: ResourceContext,
  stage: StageDefinition,
  options: { onlyEmpty?: boolean } = {},
): Promise<ResourceReport> {
  const logs = await context.clients.logs();
  const logGroupName = stage.logGroup;
  const observed = await observeLogGroup(logs, context.definition, stage);
  if (observed === undefined) return reported("log group", logGroupName, "absent");
  if (!isLambdasOwn(observed.tags) && !isOurs(context.definition, observed.tags)) {
    return keptBecauseNotOurs("log group", logGroupName);
  }
  if (options.onlyEmpty) {
    const { logStreams = [] } = await logs.send(new DescribeLogStreamsCommand({ logGroupName, limit: 1 }));
    if (logStreams.length > 0) return keptBecauseFull("log group", logGroupName, "logs");
  }
  if (context.mode === "plan") return reported("log group", logGroupName, "removed");
  try {
    await whenLogGroupSettles(context, logGroupName, false, () =>
      logs.send(new DeleteLogGroupCommand({ logGroupName })),
    );
  } catch (error) {
    if (!isAwsError(error, "ResourceNotFoundException")) throw error;
  }
  return reported("log group", logGroupName, "removed");
}

/** Without the ":*" that the same ARN has in policies. */
export function logGroupArn(definition: LakeDefinition, logGroup: string): string {
  const { awsPartition, region, accountId } = definition;
  return `arn:${awsPartition}:logs:${region}:${accountId}:log-group:${logGroup}`;
}
