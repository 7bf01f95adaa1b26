import { AwsError } from "../../awsError.ts";
import { issueSession } from "../sessions.ts";
import { credentialsShape, type StsOperation } from "./operation.ts";

/** The account root gets an hour at most, whatever it asks for. */
const MAX_ROOT_SECONDS = 3600;

/**
 * Temporary credentials of the account root.
 *
 * Throws   AccessDenied 403 when the caller's own credentials are temporary
 * Absent   MFA: 501
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
export const getSessionToken: StsOperation = (input, { caller, identities, now }) => {
  const seconds = input.integer("DurationSeconds", 900, 129_600, MAX_ROOT_SECONDS);
  input.check();
  if (caller.kind !== "root" || caller.accessKeyId?.startsWith("ASIA")) {
    throw new AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403);
  }
  const session = issueSession(identities, now(), {
    role: undefined,
    sessionName: "",
    durationSeconds: Math.min(seconds, MAX_ROOT_SECONDS),
  });
  return { Credentials: credentialsShape(session) };
};
