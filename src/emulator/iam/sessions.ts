import { randomBytes } from "node:crypto";
import type { Caller } from "../access.ts";
import { AwsError } from "../awsError.ts";
import type { EmulatorSettings } from "../settings.ts";
import { sessionCaller } from "./credentials.ts";
import { compilePolicy } from "./policy/document.ts";
import { evaluateResource } from "./policy/evaluate.ts";
import { type AccountFacts, RequestContext } from "./policy/requestContext.ts";
import { type IdentityStore, newKeyPair, type Role, type Session, type Tags } from "./store.ts";

export interface NewSession {
  /** Undefined: of the account root. */
  role: Role | undefined;
  sessionName: string;
  durationSeconds: number;
  policies?: string[];
  tags?: Tags;
  transitiveTagKeys?: string[];
  service?: string;
}

/** Makes temporary credentials and stores them. */
export function issueSession(identities: IdentityStore, now: number, wanted: NewSession): Session {
  const { role, sessionName, durationSeconds, policies = [], tags = [], transitiveTagKeys = [], service } = wanted;
  const session: Session = {
    ...newKeyPair("ASIA"),
    sessionToken: randomBytes(120).toString("base64"),
    issuedAt: now,
    expiration: now + durationSeconds * 1000,
    role: role && { name: role.name, id: role.id, arn: role.arn },
    sessionName,
    policies,
    tags,
    transitiveTagKeys,
    service,
  };
  identities.addSession(session, now);
  return session;
}

const ROLE_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:[\u0021-\u007e]*\/)?([\w+=,.@-]{1,64})$/;

/** Undefined when the ARN is not one of an existing role of this account. */
export function findRoleByArn(identities: IdentityStore, arn: string): Role | undefined {
  const named = ROLE_ARN.exec(arn);
  const role = named === null ? undefined : identities.findRole(named[2]!);
  return role?.arn === arn ? role : undefined;
}

/** AWS gives an execution environment credentials for about half a day. */
const SERVICE_SESSION_SECONDS = 12 * 60 * 60;

/** Roles as services assume them: Lambda for its functions. */
export function createServiceRoles(
  identities: IdentityStore,
  facts: AccountFacts,
  { accountId, now }: Pick<EmulatorSettings, "accountId" | "now">,
) {
  /** Access key id of the session in use, by role, session name and service. */
  const current = new Map<string, string>();
  const nameOf = (roleId: string, sessionName: string, service: string) => `${roleId}/${sessionName}/${service}`;
  for (const { role, sessionName, service, accessKeyId, expiration } of identities.sessions()) {
    if (role === undefined || service === undefined) continue;
    const name = nameOf(role.id, sessionName, service);
    const known = identities.findSession(current.get(name) ?? "");
    if (known === undefined || known.expiration < expiration) current.set(name, accessKeyId);
  }

  function refusal(roleArn: string, service: string): string | undefined {
    const role = findRoleByArn(identities, roleArn);
    if (role === undefined) return `The role ${roleArn} does not exist.`;
    const caller: Caller = {
      kind: "service",
      accountId,
      arn: service,
      userId: service,
      sourceAccount: accountId,
    };
    const request = { action: "sts:AssumeRole", resource: role.arn };
    const { grant } = evaluateResource(compilePolicy(role.trustPolicy), new RequestContext(caller, request, facts));
    if (grant !== "none") return undefined;
    return `The trust policy of role ${role.name} does not let ${service} perform sts:AssumeRole.`;
  }

  /** The session in use while at least half of its time is left, a new one after that. */
  function assume(roleArn: string, sessionName: string, service: string) {
    const refused = refusal(roleArn, service);
    const role = findRoleByArn(identities, roleArn);
    if (refused !== undefined || role === undefined) {
      const sentence = `User: ${service} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`;
      throw new AwsError("AccessDenied", sentence, 403, { cause: refused });
    }
    const name = nameOf(role.id, sessionName, service);
    const inUse = identities.findSession(current.get(name) ?? "");
    const isFresh = inUse !== undefined && inUse.expiration - now() > (SERVICE_SESSION_SECONDS * 1000) / 2;
    const session = isFresh
      ? inUse
      : issueSession(identities, now(), { role, sessionName, durationSeconds: SERVICE_SESSION_SECONDS, service });
    current.set(name, session.accessKeyId);
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = session;
    return {
      credentials: { accessKeyId, secretAccessKey, sessionToken, expiration },
      caller: sessionCaller(session, accountId),
    };
  }

  return { refusal, assume };
}
