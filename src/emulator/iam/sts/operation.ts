import type { Authorize, Caller } from "../../access.ts";
import { isoSeconds } from "../operation.ts";
import type { Parameters } from "../parameters.ts";
import type { AccountFacts } from "../policy/requestContext.ts";
import type { IdentityStore, Session } from "../store.ts";

/** What an operation of STS gets besides its parameters. */
export interface StsContext {
  identities: IdentityStore;
  accountId: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  caller: Caller;
  facts: AccountFacts;
  authorize: Authorize;
}

export type StsOperation = (input: Parameters, context: StsContext) => object;

export const credentialsShape = ({ accessKeyId, secretAccessKey, sessionToken, expiration }: Session) => ({
  AccessKeyId: accessKeyId,
  SecretAccessKey: secretAccessKey,
  SessionToken: sessionToken,
  Expiration: isoSeconds(expiration),
});
