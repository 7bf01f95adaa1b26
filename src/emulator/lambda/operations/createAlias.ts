import type { AliasConfiguration } from "@aws-sdk/client-lambda";
import { AwsError } from "../../awsError.ts";
import {
  invalidParameter,
  matching,
  maxLength,
  optionalObject,
  optionalString,
  requiredString,
} from "../constraints.ts";
import { type Operation, requireFunction } from "../context.ts";
import { functionNotFound } from "../functionName.ts";
import type { AliasRecord, FunctionRecord } from "../records.ts";
import { newRevision } from "../store.ts";

const NAME_PATTERN = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)";

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html */
export const createAlias: Operation = (input, context) => {
  const { body } = input;
  const version = requiredString(body, "FunctionVersion");
  const { record } = requireFunction(input, context, "lambda:CreateAlias", (arn) => functionNotFound(arn, version));
  const name = requiredString(body, "Name");
  matching("name", name, /^(?!^[0-9]+$)([a-zA-Z0-9-_]+)$/, NAME_PATTERN);
  maxLength("name", name, 128);
  const alias: AliasRecord = {
    name,
    version,
    description: readDescription(body) ?? "",
    additionalWeights: readWeights(body) ?? {},
    revisionId: newRevision(),
  };
  requireAliasVersions(record, alias);
  if (record.aliases[name]) {
    throw new AwsError("ResourceConflictException", `Alias already exists: ${record.arn}:${name}`, 409);
  }
  context.functions.update(record.name, (draft) => {
    draft.aliases[name] = alias;
  });
  return { status: 201, body: toAlias(record, alias) };
};

export function toAlias(record: Readonly<FunctionRecord>, alias: AliasRecord): AliasConfiguration {
  return {
    AliasArn: `${record.arn}:${alias.name}`,
    Name: alias.name,
    FunctionVersion: alias.version,
    Description: alias.description,
    ...(Object.keys(alias.additionalWeights).length > 0
      ? { RoutingConfig: { AdditionalVersionWeights: alias.additionalWeights } }
      : {}),
    RevisionId: alias.revisionId,
  };
}

export function readDescription(body: Readonly<Record<string, unknown>>): string | undefined {
  const description = optionalString(body, "Description");
  if (description !== undefined) maxLength("description", description, 256);
  return description;
}

/** RoutingConfig's weights; undefined when it was not sent. */
export function readWeights(body: Readonly<Record<string, unknown>>): Record<string, number> | undefined {
  const routing = optionalObject(body, "RoutingConfig");
  if (!routing) return undefined;
  const weights = optionalObject(routing, "AdditionalVersionWeights") ?? {};
  if (Object.keys(weights).length > 1)
    throw invalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1");
  const shown = Object.entries(weights).map(([version, weight]) => `${version}=${javaNumber(weight)}`);
  const violation = (constraint: string) =>
    new AwsError(
      "ValidationException",
      `1 validation error detected: Value '{${shown.join(", ")}}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: ${constraint}, Member must not be null]`,
    );
  if (Object.keys(weights).some((version) => !/^[0-9]{1,1024}$/.test(version))) {
    throw violation(
      "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+",
    );
  }
  if (Object.values(weights).some((weight) => typeof weight !== "number" || weight < 0 || weight > 1)) {
    throw violation(
      "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0",
    );
  }
  return weights as Record<string, number>;
}

/** A double as AWS's messages write it: 2 is "2.0". */
const javaNumber = (value: unknown) => (Number.isInteger(value) ? `${value}.0` : String(value));

export function requireAliasVersions(record: Readonly<FunctionRecord>, alias: AliasRecord): void {
  for (const version of [alias.version, ...Object.keys(alias.additionalWeights)]) {
    if (!record.versions[version]) throw functionNotFound(record.arn, version);
  }
  if (Object.keys(alias.additionalWeights).length === 0) return;
  if (alias.version === "$LATEST") {
    throw invalidParameter("$LATEST is not supported for an alias pointing to more than 1 version");
  }
  if (alias.version in alias.additionalWeights) {
    throw invalidParameter(
      `Invalid function version ${alias.version}. Function version ${alias.version} is already included in routing configuration.`,
    );
  }
}
