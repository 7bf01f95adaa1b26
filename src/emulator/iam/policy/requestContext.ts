import type { AccessRequest, Caller } from "../../access.ts";
import type { ConditionContext, KeyValues } from "./conditions.ts";
import { type Resolved, UNSUPPORTED } from "./pattern.ts";

/**
 * Condition keys of one request. Three kinds:
 * - global ones that are worked out here;
 * - those that belong to the operation, which the service passes in `AccessRequest.conditions`;
 * - everything else, which is not supported: a statement that asks for it never allows, and denies if it is a Deny.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export class RequestContext implements ConditionContext {
  readonly caller: Caller;
  readonly request: AccessRequest;
  readonly #account: AccountFacts;
  #given: Map<string, string | string[] | undefined> | undefined;
  /** What could not be evaluated, in words. */
  unsupportedUses: Set<string> | undefined;

  constructor(caller: Caller, request: AccessRequest, account: AccountFacts) {
    this.caller = caller;
    this.request = request;
    this.#account = account;
  }

  values(key: string): KeyValues {
    this.#given ??= lowerKeys(this.request.conditions);
    if (this.#given.has(key)) {
      const given = this.#given.get(key);
      return given === undefined ? undefined : typeof given === "string" ? [given] : given;
    }
    if (key.startsWith("aws:")) return this.#globalValues(key);
    return serviceValues(key, this.caller, this.#account);
  }

  resolve = (key: string): Resolved => {
    const values = this.values(key);
    if (values === UNSUPPORTED) {
      this.unsupported(`policy variable \${${key}}`);
      return UNSUPPORTED;
    }
    return values?.length === 1 ? values[0] : undefined;
  };

  unsupported(what: string): void {
    this.unsupportedUses ??= new Set();
    this.unsupportedUses.add(what);
  }

  #globalValues(key: string): KeyValues {
    const { caller } = this;
    if (key.startsWith(PRINCIPAL_TAG))
      return one(this.#account.principalTags(caller).get(key.slice(PRINCIPAL_TAG.length)));
    const known = Object.hasOwn(GLOBAL_KEYS, key) ? GLOBAL_KEYS[key] : undefined;
    if (known !== undefined) return known(caller, this.#account);
    if (ABSENT_KEYS.has(key)) return undefined;
    const service = this.request.action.slice(0, this.request.action.indexOf(":"));
    const isTagKey = key === "aws:tagkeys" || key.startsWith("aws:requesttag/") || key.startsWith("aws:resourcetag/");
    return isTagKey && TAG_AWARE_SERVICES.has(service) ? undefined : UNSUPPORTED;
  }
}

/** What a decision must know besides caller and request. */
export interface AccountFacts {
  accountId: string;
  region: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Tags of the role and its session, names in lower case. */
  principalTags(caller: Caller): ReadonlyMap<string, string>;
  /** When the caller's temporary credentials were issued, milliseconds since the epoch. */
  tokenIssuedAt(caller: Caller): number | undefined;
}

type FromCaller = (caller: Caller, account: AccountFacts) => readonly string[] | undefined;

const PRINCIPAL_TAG = "aws:principaltag/";
const one = (value: string | undefined) => (value === undefined ? undefined : [value]);
const isOurs = (caller: Caller) => caller.kind === "root" || caller.kind === "session";
const isoSeconds = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

const GLOBAL_KEYS: Record<string, FromCaller> = {
  "aws:principalarn": (caller) => one(isOurs(caller) ? (caller.role?.arn ?? caller.arn) : undefined),
  "aws:principalaccount": (caller) => one(isOurs(caller) ? caller.accountId : undefined),
  "aws:principaltype": ({ kind }) =>
    one(
      kind === "root" ? "Account" : kind === "session" ? "AssumedRole" : kind === "anonymous" ? "Anonymous" : undefined,
    ),
  "aws:principalisawsservice": ({ kind }) => [String(kind === "service")],
  "aws:principalservicename": (caller) => one(caller.kind === "service" ? caller.arn : undefined),
  "aws:principalservicenameslist": (caller) => one(caller.kind === "service" ? caller.arn : undefined),
  "aws:userid": (caller) => one(isOurs(caller) ? caller.userId : undefined),
  // Only IAM users have a user name, and there are none here.
  "aws:username": () => undefined,
  "aws:viaawsservice": () => ["false"],
  "aws:multifactorauthpresent": ({ kind }) => one(kind === "session" ? "false" : undefined),
  "aws:tokenissuetime": (caller, account) => {
    const issued = account.tokenIssuedAt(caller);
    return one(issued === undefined ? undefined : isoSeconds(issued));
  },
  // Plain HTTP, but on the loopback interface nobody listens in; policies that insist on TLS must not lock everybody out.
  "aws:securetransport": () => ["true"],
  "aws:sourceip": (caller) => one(caller.sourceIp),
  "aws:useragent": (caller) => one(caller.userAgent),
  "aws:referer": (caller) => one(caller.referer),
  "aws:sourcearn": (caller) => one(caller.sourceArn),
  "aws:sourceaccount": (caller) => one(caller.sourceAccount),
  "aws:currenttime": (_, { now }) => [new Date(now()).toISOString()],
  "aws:epochtime": (_, { now }) => [String(Math.floor(now() / 1000))],
  "aws:requestedregion": ({ signature }, { region }) => {
    const signed = signature?.scope.split("/")[1];
    return [signed || region];
  },
  "aws:resourceaccount": (_, { accountId }) => [accountId],
};

/** Keys that no request here can have: there is no organisation, no VPC, no federation and no chain of services. */
const ABSENT_KEYS = new Set([
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:resourceorgid",
  "aws:resourceorgpaths",
  "aws:sourceorgid",
  "aws:sourceorgpaths",
  "aws:sourcevpc",
  "aws:sourcevpcarn",
  "aws:sourcevpce",
  "aws:vpcsourceip",
  "aws:federatedprovider",
  "aws:multifactorauthage",
  "aws:sourceidentity",
  "aws:calledvia",
  "aws:calledviafirst",
  "aws:calledvialast",
  "aws:sourceinstancearn",
  "aws:chatbotsourcearn",
]);

/** Services that pass the tags of request and resource wherever there are any. */
const TAG_AWARE_SERVICES = new Set(["iam", "sts", "sqs", "logs", "cloudwatch"]);

/** Keys that a service passes whenever the request has them, so that a missing one is really missing; lower case. */
const SERVICE_KEYS = new Set([
  "s3:prefix",
  "s3:delimiter",
  "s3:max-keys",
  "s3:versionid",
  "s3:x-amz-acl",
  "s3:x-amz-server-side-encryption",
  "s3:x-amz-storage-class",
  "s3:x-amz-copy-source",
  "s3:x-amz-metadata-directive",
  "s3:if-match",
  "s3:if-none-match",
  "s3:objectcreationoperation",
  "s3:requestobjecttagkeys",
  // Neither KMS keys nor customer keys nor object locks can be asked for here.
  "s3:x-amz-server-side-encryption-aws-kms-key-id",
  "s3:x-amz-server-side-encryption-customer-algorithm",
  "s3:object-lock-mode",
  "s3:object-lock-legal-hold",
  "iam:policyarn",
  "iam:permissionsboundary",
  "iam:passedtoservice",
  "cloudwatch:namespace",
  "sts:externalid",
  "sts:rolesessionname",
  "sts:transitivetagkeys",
  "sts:sourceidentity",
]);
const SERVICE_KEY_PREFIXES = ["s3:existingobjecttag/", "s3:requestobjecttag/", "iam:resourcetag/"];

function serviceValues(key: string, caller: Caller, account: AccountFacts): KeyValues {
  const { signature } = caller;
  switch (key) {
    case "s3:authtype":
      return one(signature && (signature.presigned ? "REST-QUERY-STRING" : "REST-HEADER"));
    case "s3:signatureversion":
      return one(signature && (signature.scope === "" ? "AWS" : "AWS4-HMAC-SHA256"));
    case "s3:x-amz-content-sha256":
      return one(signature?.payloadHash);
    case "s3:resourceaccount":
      return [account.accountId];
  }
  const isPassed = SERVICE_KEYS.has(key) || SERVICE_KEY_PREFIXES.some((prefix) => key.startsWith(prefix));
  return isPassed ? undefined : UNSUPPORTED;
}

function lowerKeys(conditions: AccessRequest["conditions"]): Map<string, string | string[] | undefined> {
  const lower = new Map<string, string | string[] | undefined>();
  for (const name in conditions) lower.set(name.toLowerCase(), conditions[name]);
  return lower;
}
