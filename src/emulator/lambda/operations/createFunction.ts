import { AwsError } from "../../awsError.ts";
import { refuseOtherMembers } from "../../protocols/members.ts";
import { readArchitecture, readSettings, toConfiguration } from "../configuration.ts";
import {
  constraintViolation,
  invalidParameter,
  maxLength,
  missing,
  optionalBoolean,
  optionalObject,
  optionalStringMap,
  requiredString,
} from "../constraints.ts";
import { type LambdaContext, type Operation, type OperationInput, requireAccess } from "../context.ts";
import { readZip, refusePublishTo } from "../deployedCode.ts";
import { functionArn, parseFunctionName } from "../functionName.ts";
import type { FunctionRecord, VersionRecord } from "../records.ts";
import { requireDeadLetterAccess } from "../roleAccess.ts";
import { newRevision } from "../store.ts";
import { checkTags } from "../tags.ts";

/** Of a name with all that an ARN puts before it. */
const MAX_NAME = 140;

const CODE_MEMBERS = [
  ...["ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion", "S3ObjectStorageMode", "ImageUri", "SourceKMSKeyArn"],
];

/**
 * Makes a function from a zip. It answers with State Pending and is Active a moment later.
 *
 * Throws ResourceConflictException 409 when the name is taken, InvalidParameterValueException for code, role and configuration
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
 */
export const createFunction: Operation = async (input, context) => {
  const { body } = input;
  const named = requiredString(body, "FunctionName");
  maxLength("functionName", named, MAX_NAME);
  const { name, qualifier } = parseFunctionName(named, undefined, context.settings);
  if (qualifier !== undefined) {
    throw constraintViolation("functionName", body.FunctionName, "not have a qualifier in CreateFunction");
  }
  const arn = functionArn(name, context.settings);
  requireAccess(input, context, "lambda:CreateFunction", arn);
  const code = optionalObject(body, "Code");
  if (!code) throw missing("Code");
  refuseOtherMembers("lambda:CreateFunction Code", code, CODE_MEMBERS);
  const settings = readSettings(name, body, undefined);
  const architecture = readArchitecture(body, "x86_64");
  const tags = optionalStringMap(body, "Tags") ?? {};
  checkTags(tags);
  const publish = optionalBoolean(body, "Publish") === true;
  refusePublishTo(body);
  if (context.functions.find(name)) throw alreadyExists(name);
  requirePassableRole(input, context, settings.role);
  requireDeadLetterAccess(context, name, settings.role, settings.deadLetterArn);
  const { hash, size } = await context.code.add(await readZip(code, input, context, "CreateFunction"));
  try {
    if (context.functions.find(name)) throw alreadyExists(name);
    const latest: VersionRecord = {
      ...settings,
      version: "$LATEST",
      architecture,
      codeHash: hash,
      codeSize: size,
      state: "Pending",
      revisionId: newRevision(),
      lastModified: context.settings.now(),
    };
    const record: FunctionRecord = {
      name,
      arn,
      tags,
      versions: { $LATEST: latest },
      aliases: {},
      policies: {},
      eventInvokeConfigs: {},
      recursiveLoop: "Terminate",
      nextVersion: publish ? 2 : 1,
    };
    if (publish) record.versions["1"] = { ...latest, version: "1", revisionId: newRevision() };
    context.functions.create(record);
    context.settleLater(name);
    return {
      status: 201,
      // The number of the version, and yet the ARN of the function: recorded on AWS.
      body: toConfiguration(record, publish ? record.versions["1"]! : latest, context.settings.region, {
        qualifier: "",
      }),
    };
  } finally {
    context.code.release(hash);
    context.collectCode();
  }
};

/** The caller must be allowed to hand the role on, and Lambda to assume it. */
export function requirePassableRole(input: OperationInput, context: LambdaContext, role: string): void {
  const decision = context.dependencies.authorize(input.caller, {
    action: "iam:PassRole",
    resource: role,
    conditions: { "iam:PassedToService": "lambda.amazonaws.com" },
  });
  if (!decision.allowed) throw new AwsError("AccessDeniedException", decision.message, 403);
  if (context.dependencies.roleRefusal(role, "lambda.amazonaws.com") !== undefined) {
    throw invalidParameter("The role defined for the function cannot be assumed by Lambda.");
  }
}

const alreadyExists = (name: string) =>
  new AwsError("ResourceConflictException", `Function already exist: ${name}`, 409);
