import type { Authorize, Caller } from "../access.ts";
import { authenticate } from "../auth/authenticate.ts";
import type { Authentication } from "../auth/keys.ts";
import { authenticatePostPolicy } from "../auth/postPolicy.ts";
import { SigningKeys } from "../auth/sigv4.ts";
import { notImplemented } from "../awsError.ts";
import type { EmulatorRequest, ServiceName } from "../http.ts";
import { encodeAwsQueryError } from "../protocols/awsQuery.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import { createFindKey } from "./credentials.ts";
import { IdentityStore } from "./store.ts";

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
  /** The account root's issued key pair, made once and kept in the store. */
  rootCredentials(): { accessKeyId: string; secretAccessKey: string };
}

export function createIam({ store, settings }: { store: Store; settings: EmulatorSettings }): IdentityService {
  const identities = new IdentityStore(store);
  const authentication: Authentication = {
    findKey: createFindKey(identities, settings),
    signingKeys: new SigningKeys(),
    now: settings.now,
  };
  const service: Service = {
    handle: async () => {
      throw notImplemented("iam");
    },
    encodeError: (error, request) => encodeAwsQueryError(error, request, "https://iam.amazonaws.com/doc/2010-05-08/"),
  };
  return {
    iam: service,
    sts: service,
    authenticate: (request, name) => authenticate(request, name, authentication),
    authenticatePostPolicy: (fields) => authenticatePostPolicy(fields, authentication),
    authorize: () => ({ allowed: true, message: "" }),
    roleRefusal: () => undefined,
    assumeRoleForService: () => {
      throw notImplemented("sts:AssumeRole");
    },
    rootCredentials: () => identities.rootKey(),
  };
}
