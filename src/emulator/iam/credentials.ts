import type { Caller } from "../access.ts";
import type { Authentication, KnownKey } from "../auth/keys.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { IdentityStore, Session } from "./store.ts";

/** The key pair that every client of a local endpoint has lying about; the root's, unless the endpoint is strict. */
const TEST_KEY = "test";

/**
 * Finds what stands behind an access key id: the root's key pair, `test`/`test`, or a session. A session whose role was
 * deleted, even if another of the same name was made since, is unknown.
 */
export function createFindKey(
  identities: IdentityStore,
  settings: Pick<EmulatorSettings, "accountId" | "strict">,
): Authentication["findKey"] {
  const { accountId } = settings;
  const rootKey = identities.rootKey();
  const root = (accessKeyId: string): Caller => ({
    kind: "root",
    accountId,
    arn: `arn:aws:iam::${accountId}:root`,
    userId: accountId,
    accessKeyId,
  });
  const fixed = new Map<string, KnownKey>([
    [rootKey.accessKeyId, { secretAccessKey: rootKey.secretAccessKey, caller: root(rootKey.accessKeyId) }],
  ]);
  if (!settings.strict) {
    fixed.set(TEST_KEY, { secretAccessKey: TEST_KEY, ignoresToken: true, caller: root(TEST_KEY) });
  }
  return (accessKeyId) => {
    const known = fixed.get(accessKeyId);
    if (known !== undefined) return known;
    const session = identities.findSession(accessKeyId);
    if (session === undefined) return undefined;
    const { role, secretAccessKey, sessionToken, expiration } = session;
    if (role === undefined) return { secretAccessKey, sessionToken, expiration, caller: root(accessKeyId) };
    if (identities.findRole(role.name)?.id !== role.id) return undefined;
    return { secretAccessKey, sessionToken, expiration, caller: sessionCaller(session, accountId) };
  };
}

/** Throws when the session is the root's own. */
export function sessionCaller(session: Session, accountId: string): Caller {
  const { role, sessionName, accessKeyId, policies } = session;
  if (role === undefined) throw new Error(`session ${accessKeyId} has no role`);
  return {
    kind: "session",
    accountId,
    arn: `arn:aws:sts::${accountId}:assumed-role/${role.name}/${sessionName}`,
    userId: `${role.id}:${sessionName}`,
    accessKeyId,
    role,
    sessionName,
    sessionPolicies: policies,
  };
}
