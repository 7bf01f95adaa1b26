import { readSettings, toConfiguration } from "../configuration.ts";
import { optionalString } from "../constraints.ts";
import { type Operation, requireFunction } from "../context.ts";
import { requireDeadLetterAccess } from "../roleAccess.ts";
import { requirePassableRole } from "./createFunction.ts";
import { beginUpdate, requireUpdatable } from "./updateFunctionCode.ts";

/**
 * Changes the members that are given and keeps the others; a member such as Environment is replaced as a whole.
 * https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
 */
export const updateFunctionConfiguration: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:UpdateFunctionConfiguration");
  const { body } = input;
  requireUpdatable(record, optionalString(body, "RevisionId"));
  const before = record.versions.$LATEST!;
  const settings = readSettings(record.name, body, before);
  if (body.Role !== undefined) requirePassableRole(input, context, settings.role);
  if (body.DeadLetterConfig !== undefined) {
    requireDeadLetterAccess(context, record.name, settings.role, settings.deadLetterArn);
  }
  context.functions.update(record.name, (draft) => {
    const { version, architecture, codeHash, codeSize, state, revisionId, lastModified } = before;
    const latest = { ...settings, version, architecture, codeHash, codeSize, state, revisionId, lastModified };
    draft.versions.$LATEST = latest;
    beginUpdate(latest, context.settings.now());
  });
  context.pool.retire(record.name, "$LATEST");
  context.settleLater(record.name);
  const after = context.functions.find(record.name)!;
  return { status: 200, body: toConfiguration(after, after.versions.$LATEST!, context.settings.region) };
};
