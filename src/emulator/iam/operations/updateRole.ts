import { DEFAULT_MAX_SESSION_SECONDS, DESCRIPTION, demandRole, type IamOperation, ROLE_NAME } from "../operation.ts";

/**
 * Changes what is given, and leaves the rest.
 *
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
 */
export const updateRole: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const description = input.optionalText("Description", DESCRIPTION);
  const given = input.optionalText("MaxSessionDuration");
  const seconds = input.integer("MaxSessionDuration", 3600, 43_200, DEFAULT_MAX_SESSION_SECONDS);
  input.check();
  const role = demandRole(context, "UpdateRole", name);
  const { identities } = context;
  identities.change(() =>
    identities.putRole({
      ...role,
      ...(description !== undefined && { description }),
      ...(given !== undefined && { maxSessionSeconds: seconds }),
    }),
  );
  return {};
};
