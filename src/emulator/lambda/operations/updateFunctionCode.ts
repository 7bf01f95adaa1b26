import { AwsError } from "../../awsError.ts";
import { base64Hash, readArchitecture, toConfiguration } from "../configuration.ts";
import { optionalBoolean, optionalString } from "../constraints.ts";
import { type LambdaContext, type Operation, requireFunction } from "../context.ts";
import { readZip, refusePublishTo } from "../deployedCode.ts";
import type { FunctionRecord, VersionRecord } from "../records.ts";
import { newRevision } from "../store.ts";
import { publish } from "./publishVersion.ts";

/**
 * Replaces the code of $LATEST. Events that wait run on the new code.
 *
 * Throws ResourceConflictException 409 while an update is in progress, PreconditionFailedException 412 for another RevisionId
 * https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
 */
export const updateFunctionCode: Operation = async (input, context) => {
  const { record } = requireFunction(input, context, "lambda:UpdateFunctionCode");
  const { body } = input;
  const revisionId = optionalString(body, "RevisionId");
  requireUpdatable(record, revisionId);
  refusePublishTo(body);
  const architecture = readArchitecture(body, record.versions.$LATEST!.architecture);
  const zip = await readZip(body, input, context, "UpdateFunctionCode");
  const { region } = context.settings;
  if (optionalBoolean(body, "DryRun") === true) {
    const { hash, size } = await context.code.check(zip);
    return {
      status: 200,
      body: {
        ...toConfiguration(record, record.versions.$LATEST!, region),
        CodeSha256: base64Hash(hash),
        CodeSize: size,
      },
    };
  }
  const { hash, size } = await context.code.add(zip);
  try {
    requireUpdatable(requireStill(context, record), revisionId);
    context.functions.update(record.name, (draft) => {
      const latest = draft.versions.$LATEST!;
      latest.codeHash = hash;
      latest.codeSize = size;
      latest.architecture = architecture;
      beginUpdate(latest, context.settings.now());
    });
    context.pool.retire(record.name, "$LATEST");
    const status = { state: "Pending", updateStatus: undefined } as const;
    const updated =
      optionalBoolean(body, "Publish") === true ? publish(context, record.name, undefined, status) : undefined;
    context.settleLater(record.name);
    const after = context.functions.find(record.name)!;
    return { status: 200, body: toConfiguration(after, updated ?? after.versions.$LATEST!, region) };
  } finally {
    context.code.release(hash);
    context.collectCode();
  }
};

/** Throws while the function is being made or changed, or when the caller has seen another revision. */
export function requireUpdatable(record: Readonly<FunctionRecord>, revisionId: string | undefined): void {
  const latest = record.versions.$LATEST!;
  if (latest.state === "Pending") {
    throw new AwsError(
      "ResourceConflictException",
      "The operation cannot be performed at this time. The function is currently in the following state: Pending",
      409,
    );
  }
  if (latest.updateStatus === "InProgress") {
    throw new AwsError(
      "ResourceConflictException",
      `The operation cannot be performed at this time. An update is in progress for resource: ${record.arn}`,
      409,
    );
  }
  requireRevision(latest.revisionId, revisionId);
}

export function requireRevision(current: string, wanted: string | undefined): void {
  if (wanted === undefined || wanted === current) return;
  throw new AwsError(
    "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    412,
  );
}

export function beginUpdate(latest: VersionRecord, now: number): void {
  latest.updateStatus = "InProgress";
  latest.lastModified = now;
  latest.revisionId = newRevision();
}

/** The function may have been deleted while its code was being read. */
function requireStill(context: LambdaContext, record: Readonly<FunctionRecord>): Readonly<FunctionRecord> {
  const now = context.functions.find(record.name);
  if (now) return now;
  throw new AwsError("ResourceNotFoundException", `Function not found: ${record.arn}`, 404);
}
