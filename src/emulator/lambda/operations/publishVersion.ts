import { base64Hash, toConfiguration } from "../configuration.ts";
import { invalidParameter, optionalString } from "../constraints.ts";
import { type LambdaContext, type Operation, requireFunction } from "../context.ts";
import { refusePublishTo } from "../deployedCode.ts";
import type { VersionRecord } from "../records.ts";
import { newRevision, versionsInOrder } from "../store.ts";
import { readDescription } from "./createAlias.ts";
import { requireUpdatable } from "./updateFunctionCode.ts";

/**
 * Freezes $LATEST as the next number; when nothing changed since the last one, that one is the answer.
 * https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
 */
export const publishVersion: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:PublishVersion");
  const { body } = input;
  requireUpdatable(record, optionalString(body, "RevisionId"));
  refusePublishTo(body);
  const current = base64Hash(record.versions.$LATEST!.codeHash);
  const wanted = optionalString(body, "CodeSha256");
  if (wanted !== undefined && wanted !== "" && wanted !== current) {
    throw invalidParameter(
      `CodeSHA256 (${wanted}) is different from current CodeSHA256 in $LATEST (${current}). Please try again with the CodeSHA256 in $LATEST.`,
    );
  }
  const description = readDescription(body);
  const version = publish(context, record.name, description);
  return {
    status: 201,
    body: toConfiguration(context.functions.find(record.name)!, version, context.settings.region),
  };
};

export function publish(
  context: LambdaContext,
  name: string,
  description: string | undefined,
  status: Pick<VersionRecord, "state" | "updateStatus"> = { state: "Active", updateStatus: "Successful" },
): VersionRecord {
  const record = context.functions.find(name)!;
  const latest = record.versions.$LATEST!;
  const newest = versionsInOrder(record).at(-1)!;
  if (newest.version !== "$LATEST" && fingerprint(newest) === fingerprint(latest)) return newest;
  return context.functions.update(name, (draft) => {
    const version: VersionRecord = {
      ...structuredClone(latest),
      version: String(draft.nextVersion),
      ...(description !== undefined && { description, sourceDescription: latest.description }),
      revisionId: newRevision(),
      ...status,
    };
    draft.versions[version.version] = version;
    draft.versions.$LATEST!.revisionId = newRevision();
    draft.nextVersion++;
    return version;
  });
}

/** Equal when publishing again would make no new version. */
function fingerprint(version: VersionRecord): string {
  const {
    version: _number,
    description,
    sourceDescription,
    revisionId,
    updateStatus,
    state,
    lastModified,
    ...rest
  } = version;
  const compared = { ...rest, description: sourceDescription ?? description };
  return JSON.stringify(Object.entries(compared).sort(([a], [b]) => (a < b ? -1 : 1)));
}
