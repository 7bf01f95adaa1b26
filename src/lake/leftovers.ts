import { DescribeLogGroupsCommand, ListTagsForResourceCommand } from "@aws-sdk/client-cloudwatch-logs";
import { ListRolesCommand, ListRoleTagsCommand } from "@aws-sdk/client-iam";
import { ListFunctionsCommand, ListTagsCommand } from "@aws-sdk/client-lambda";
import { GetBucketTaggingCommand, ListBucketsCommand } from "@aws-sdk/client-s3";
import { ListQueuesCommand, ListQueueTagsCommand } from "@aws-sdk/client-sqs";
import { isAwsError } from "../errors.ts";
import type { ResourceKind } from "./progress.ts";
import { isLambdasOwn, logGroupArn } from "./resources/logGroup.ts";
import { fromTagList, isOurs, type ResourceContext, type Tags } from "./resources/resource.ts";

/**
 * Everything that still carries the lake's tags, whether or not today's definition names it: what an older version of
 * minilake made counts, too. Looks by name first, because asking every resource of an account for its tags takes long.
 */
export async function findLeftovers(context: ResourceContext): Promise<{ kind: ResourceKind; name: string }[]> {
  const found = await Promise.all([
    buckets(context),
    roles(context),
    queues(context),
    functions(context),
    logGroups(context),
  ]);
  return found.flat();
}

type Found = { kind: ResourceKind; name: string }[];

/** Keeps the names whose tags are the lake's; what vanishes while it is looked at is gone. */
async function ours(
  context: ResourceContext,
  kind: ResourceKind,
  names: string[],
  tagsOf: (name: string) => Promise<Tags>,
): Promise<Found> {
  const checked = await Promise.all(
    names.map(async (name) => {
      const tags = await tagsOf(name).catch((error: unknown) => {
        if (isAwsError(error, ...GONE)) return undefined;
        throw error;
      });
      return isOurs(context.definition, tags) ? [{ kind, name }] : [];
    }),
  );
  return checked.flat();
}

const GONE = [
  "NoSuchBucket",
  "NoSuchTagSet",
  "NoSuchEntity",
  "NoSuchEntityException",
  "ResourceNotFoundException",
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
];

async function buckets(context: ResourceContext): Promise<Found> {
  const s3 = await context.clients.s3();
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const { name } = context.definition;
  const pattern = new RegExp(`^[a-z]+-${name}(-|$)`);
  const names = Buckets.map(({ Name = "" }) => Name).filter((bucket) => pattern.test(bucket));
  return ours(context, "bucket", names, async (Bucket) =>
    fromTagList((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet),
  );
}

async function roles(context: ResourceContext): Promise<Found> {
  const iam = await context.clients.iam();
  const names: string[] = [];
  let Marker: string | undefined;
  do {
    const page: { Roles?: { RoleName?: string | undefined }[] | undefined; Marker?: string | undefined } =
      await iam.send(new ListRolesCommand({ Marker, MaxItems: 1000 }));
    names.push(...(page.Roles ?? []).map(({ RoleName = "" }) => RoleName));
    Marker = page.Marker;
  } while (Marker);
  return ours(context, "role", startingWithLake(context, names), async (RoleName) =>
    fromTagList((await iam.send(new ListRoleTagsCommand({ RoleName }))).Tags),
  );
}

async function queues(context: ResourceContext): Promise<Found> {
  const sqs = await context.clients.sqs();
  const { QueueUrls = [] } = await sqs.send(
    new ListQueuesCommand({ QueueNamePrefix: `minilake-${context.definition.name}-` }),
  );
  const found = await ours(context, "queue", QueueUrls, async (QueueUrl) => {
    return (await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags ?? {};
  });
  return found.map(({ kind, name }) => ({ kind, name: name.slice(name.lastIndexOf("/") + 1) }));
}

async function functions(context: ResourceContext): Promise<Found> {
  const lambda = await context.clients.lambda();
  const arns: string[] = [];
  let Marker: string | undefined;
  do {
    const page: {
      Functions?: { FunctionName?: string | undefined; FunctionArn?: string | undefined }[] | undefined;
      NextMarker?: string | undefined;
    } = await lambda.send(new ListFunctionsCommand({ Marker }));
    for (const { FunctionName = "", FunctionArn = "" } of page.Functions ?? []) {
      if (startingWithLake(context, [FunctionName]).length > 0) arns.push(FunctionArn);
    }
    Marker = page.NextMarker;
  } while (Marker);
  return ours(context, "function", arns, async (Resource) => {
    return (await lambda.send(new ListTagsCommand({ Resource }))).Tags ?? {};
  });
}

async function logGroups(context: ResourceContext): Promise<Found> {
  const logs = await context.clients.logs();
  const prefix = `/aws/lambda/minilake-${context.definition.name}-`;
  const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: prefix }));
  const names = logGroups.map(({ logGroupName = "" }) => logGroupName);
  const { tags: ourTags, retired } = context.definition;
  const stages = [...context.definition.stages, ...retired.stages];
  return ours(context, "log group", names, async (name) => {
    const resourceArn = logGroupArn(context.definition, name);
    const { tags = {} } = await logs.send(new ListTagsForResourceCommand({ resourceArn }));
    return isLambdasOwn(tags) && stages.some(({ logGroup }) => logGroup === name) ? ourTags : tags;
  });
}

function startingWithLake(context: ResourceContext, names: string[]): string[] {
  return names.filter((name) => name.startsWith(`minilake-${context.definition.name}-`));
}
