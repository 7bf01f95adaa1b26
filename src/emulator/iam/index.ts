import type { Authorize, Caller } from "../access.ts";
import { authenticate } from "../auth/authenticate.ts";
import type { Authentication } from "../auth/keys.ts";
import { authenticatePostPolicy } from "../auth/postPolicy.ts";
import { SigningKeys } from "../auth/sigv4.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import type { EmulatorRequest, ServiceName } from "../http.ts";
import { decodeAwsQuery, encodeAwsQuery, encodeAwsQueryError } from "../protocols/awsQuery.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import { accountFacts, createAuthorize } from "./authorize.ts";
import { createFindKey } from "./credentials.ts";
import { isKnownPrincipal } from "./operation.ts";
import { IAM_OPERATIONS } from "./operations.ts";
import { Parameters } from "./parameters.ts";
import { createServiceRoles } from "./sessions.ts";
import { IdentityStore } from "./store.ts";
import { STS_OPERATIONS } from "./sts/index.ts";

/**
 * AWS Identity and Access Management (query protocol, version 2010-05-08), and what every other service asks of it: who
 * signed a request, and whether the caller may do what it asks for.
 *
 * Done     roles with inline policies, attached policies, boundary, tags; managed policies with versions and tags; the
 *          AWS-managed policies that lakes attach (managedPolicies.ts); SimulatePrincipalPolicy for roles; GetUser for the
 *          account root; ListAccountAliases and ListInstanceProfilesForRole, which are empty. See operations.ts.
 * Absent   users, groups, access keys, certificates and SSH keys, instance profiles, SAML and OpenID providers, MFA, service-linked
 *          roles, delegation, account settings, last-accessed details and other reports, SimulateCustomPolicy, context keys of
 *          policies; members of an input that no operation here reads: 501 by name
 * Differs  changes are effective at once; a role named in a trust policy is held by its ARN, not by its id; RoleLastUsed is
 *          always empty; condition keys that a service does not supply never allow, and a Deny that asks for them applies
 */

export interface TemporaryCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** Milliseconds since the epoch. */
  expiration: number;
}

export interface IdentityService {
  iam: Service;
  sts: Service;
  /** Who signed this request. Verifies the signature (header or presigned); throws AwsError in AWS's words. */
  authenticate(request: EmulatorRequest, service: ServiceName): Caller;
  /** The same for a browser-style POST upload: the form's policy and signature fields. */
  authenticatePostPolicy(fields: ReadonlyMap<string, string>): Caller;
  authorize: Authorize;
  /** Why `service` ("lambda.amazonaws.com") cannot assume this role, or undefined when it can. */
  roleRefusal(roleArn: string, service: string): string | undefined;
  /** Temporary credentials of the role, accepted and enforced by every service of this endpoint. Throws AwsError when it cannot be assumed. */
  assumeRoleForService(
    roleArn: string,
    sessionName: string,
    service: string,
  ): { credentials: TemporaryCredentials; caller: Caller };
  /** False for a role or user of this account that is not there. */
  knowsPrincipal(arn: string): boolean;
  /** The account root's issued key pair, made once and kept in the store. */
  rootCredentials(): { accessKeyId: string; secretAccessKey: string };
}

const IAM_XMLNS = "https://iam.amazonaws.com/doc/2010-05-08/";
const STS_XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/";

export function createIam({ store, settings }: { store: Store; settings: EmulatorSettings }): IdentityService {
  const { accountId, now } = settings;
  const identities = new IdentityStore(store);
  identities.removeExpired(now());
  const facts = accountFacts(identities, settings);
  const authorize = createAuthorize(identities, settings);
  const roles = createServiceRoles(identities, facts, settings);
  const authentication: Authentication = {
    findKey: createFindKey(identities, settings),
    signingKeys: new SigningKeys(),
    now,
  };
  const iam = queryService("iam", IAM_XMLNS, IAM_OPERATIONS, (caller) => ({
    identities,
    accountId,
    now,
    caller,
    facts,
    demand: (action, resource, conditions) => {
      const { allowed, message } = authorize(caller, { action, resource, ...(conditions && { conditions }) });
      if (!allowed) throw new AwsError("AccessDenied", message, 403);
    },
  }));
  const sts = queryService("sts", STS_XMLNS, STS_OPERATIONS, (caller) => ({
    identities,
    accountId,
    now,
    caller,
    facts,
    authorize,
  }));
  return {
    iam,
    sts,
    authenticate: (request, service) => authenticate(request, service, authentication),
    authenticatePostPolicy: (fields) => authenticatePostPolicy(fields, authentication),
    authorize,
    roleRefusal: roles.refusal,
    assumeRoleForService: roles.assume,
    knowsPrincipal: (arn) => isKnownPrincipal(arn, identities, accountId),
    rootCredentials: () => {
      const { accessKeyId, secretAccessKey } = identities.rootKey();
      return { accessKeyId, secretAccessKey };
    },
  };
}

/** A service of the query protocol made of a table of operations and what each call gets besides its parameters. */
function queryService<Context>(
  name: ServiceName,
  xmlns: string,
  operations: Record<string, (input: Parameters, context: Context) => object>,
  contextFor: (caller: Caller) => Context,
): Service {
  return {
    handle: async (request, caller) => {
      const { action, input } = decodeAwsQuery(request);
      const operation = Object.hasOwn(operations, action) ? operations[action] : undefined;
      if (operation === undefined) throw notImplemented(`${name}:${action}`);
      return encodeAwsQuery(
        request,
        action,
        xmlns,
        operation(new Parameters(`${name}:${action}`, input), contextFor(caller)),
      );
    },
    encodeError: (error, request) => encodeAwsQueryError(error, request, xmlns),
  };
}
