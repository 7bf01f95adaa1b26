import {
  AddPermissionCommand,
  GetPolicyCommand,
  type LambdaClient,
  RemovePermissionCommand,
} from "@aws-sdk/client-lambda";
import { isAwsError } from "../../errors.ts";
import { bucketArn, type StageDefinition } from "../definition.ts";
import type { ResourceReport } from "../progress.ts";
import { whenFunctionSettles } from "./lambdaFunction.ts";
import { canonical, type ResourceContext, reported, syncAspects, synced } from "./resource.ts";

/** S3's permission to invoke the function for events of the source bucket of this account, and of nothing else. */
export async function ensurePermission(
  context: ResourceContext,
  stage: StageDefinition,
  options: { functionIsNew?: boolean } = {},
): Promise<ResourceReport> {
  const { definition } = context;
  const lambda = await context.clients.lambda();
  const { functionName: FunctionName, permissionId: StatementId } = stage;
  const wanted = {
    Sid: StatementId,
    Effect: "Allow",
    Principal: { Service: "s3.amazonaws.com" },
    Action: "lambda:InvokeFunction",
    Resource: stage.functionArn,
    Condition: {
      StringEquals: { "AWS:SourceAccount": definition.accountId },
      ArnLike: { "AWS:SourceArn": bucketArn(definition, stage.sourceBucket) },
    },
  };
  const add = () =>
    whenFunctionSettles(context, FunctionName, options.functionIsNew ?? false, () =>
      lambda.send(
        new AddPermissionCommand({
          FunctionName,
          StatementId,
          Action: wanted.Action,
          Principal: wanted.Principal.Service,
          SourceAccount: definition.accountId,
          SourceArn: bucketArn(definition, stage.sourceBucket),
        }),
      ),
    );
  const observed = options.functionIsNew ? undefined : await observeStatement(lambda, stage);
  if (observed === undefined) {
    if (context.mode === "apply") {
      await add().catch((error: unknown) => {
        // Another run has added it meanwhile.
        if (!isAwsError(error, "ResourceConflictException")) throw error;
      });
    }
    return reported("permission", StatementId, "created");
  }
  const aspects = await syncAspects(context, [
    {
      name: "statement",
      same: canonical(lowerCaseConditionKeys(observed)) === canonical(lowerCaseConditionKeys(wanted)),
      // There is no call that changes a statement.
      write: async () => {
        await removeStatement(context, lambda, stage);
        await add();
      },
    },
  ]);
  return synced("permission", StatementId, aspects);
}

type Statement = { Sid?: string; Condition?: Record<string, Record<string, unknown>> };

async function observeStatement(lambda: LambdaClient, stage: StageDefinition): Promise<Statement | undefined> {
  try {
    const { Policy = "{}" } = await lambda.send(new GetPolicyCommand({ FunctionName: stage.functionName }));
    const { Statement = [] } = JSON.parse(Policy) as { Statement?: Statement[] };
    return Statement.find(({ Sid }) => Sid === stage.permissionId);
  } catch (error) {
    if (isAwsError(error, "ResourceNotFoundException")) return undefined;
    throw error;
  }
}

/** Condition keys are case-insensitive: AWS writes AWS:SourceArn, others aws:SourceArn. */
function lowerCaseConditionKeys(statement: Statement): Statement {
  const { Condition = {} } = statement;
  return {
    ...statement,
    Condition: Object.fromEntries(
      Object.entries(Condition).map(([operator, keys]) => [
        operator,
        Object.fromEntries(Object.entries(keys).map(([key, value]) => [key.toLowerCase(), value])),
      ]),
    ),
  };
}

export async function removePermission(context: ResourceContext, stage: StageDefinition): Promise<ResourceReport> {
  const lambda = await context.clients.lambda();
  const observed = await observeStatement(lambda, stage);
  if (observed === undefined) return reported("permission", stage.permissionId, "absent");
  if (context.mode === "apply") await removeStatement(context, lambda, stage);
  return reported("permission", stage.permissionId, "removed");
}

async function removeStatement(context: ResourceContext, lambda: LambdaClient, stage: StageDefinition): Promise<void> {
  const { functionName: FunctionName, permissionId: StatementId } = stage;
  try {
    await whenFunctionSettles(context, FunctionName, false, () =>
      lambda.send(new RemovePermissionCommand({ FunctionName, StatementId })),
    );
  } catch (error) {
    if (!isAwsError(error, "ResourceNotFoundException")) throw error;
  }
}
