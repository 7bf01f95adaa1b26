import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { FunctionConfiguration } from "../../contract/functionConfiguration.ts";
import { isAwsError } from "../../errors.ts";
import { type DefinitionChange, describeChanges } from "../definitionChanges.ts";
import type { ResourceReport } from "../progress.ts";
import { type ResourceContext, reported, syncAspects, synced } from "./resource.ts";

/** In the control bucket; the same document as `lake.json` in the deployment package. */
export const DEFINITION_KEY = "definition.json";

/**
 * The definition that `up` last brought the lake to, for the words in which a change is told; what is deployed is always
 * looked at itself. Undefined when there is none that can be read.
 */
export async function readDefinitionRecord({
  clients,
  definition,
}: Pick<ResourceContext, "clients" | "definition">): Promise<FunctionConfiguration | undefined> {
  const s3 = await clients.s3();
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: definition.buckets.control, Key: DEFINITION_KEY }));
    const record = JSON.parse((await Body?.transformToString()) ?? "") as FunctionConfiguration;
    return record.version === 1 ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isAwsError(error, "NoSuchBucket", "NoSuchKey")) return undefined;
    throw error;
  }
}

/** In what the lake differs from its definition, as far as `up` has recorded it; [] for a lake that is as it is defined, or not there. */
export async function findPendingChanges(
  context: Pick<ResourceContext, "clients" | "definition">,
): Promise<DefinitionChange[]> {
  const recorded = await readDefinitionRecord(context);
  return recorded === undefined ? [] : describeChanges(recorded, context.definition.configuration);
}

/** Written last of all: until then a change counts as not made. */
export async function ensureDefinitionRecord(
  context: ResourceContext,
  observed: FunctionConfiguration | undefined,
): Promise<ResourceReport> {
  const { configuration, buckets } = context.definition;
  const name = `s3://${buckets.control}/${DEFINITION_KEY}`;
  const text = `${JSON.stringify(configuration, null, 2)}\n`;
  const write = async () =>
    (await context.clients.s3()).send(
      new PutObjectCommand({
        Bucket: buckets.control,
        Key: DEFINITION_KEY,
        Body: text,
        ContentType: "application/json",
      }),
    );
  if (observed === undefined) {
    if (context.mode === "apply") await write();
    return reported("definition", name, "created");
  }
  if (JSON.stringify(observed) === JSON.stringify(configuration)) return reported("definition", name, "unchanged");
  const changes = describeChanges(observed, configuration).map(({ aspect }) => aspect);
  await syncAspects(context, [{ name: "definition", same: false, write }]);
  return synced("definition", name, changes.length > 0 ? changes : ["settings"]);
}
