import { randomBytes, randomInt } from "node:crypto";
import type { Store, Table } from "../store/store.ts";
import { type ManagedPolicy, managedPolicy } from "./managedPolicies.ts";

/** Key and value, in the order in which they were set. */
export type Tags = [key: string, value: string][];

export interface Role {
  name: string;
  /** "/" or "/service-role/" */
  path: string;
  /** AROA… */
  id: string;
  arn: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  trustPolicy: string;
  description: string | undefined;
  maxSessionSeconds: number;
  boundaryArn: string | undefined;
  tags: Tags;
  /** Inline policies: name to document, as it was put. */
  inline: Record<string, string>;
  /** ARNs of attached managed policies, oldest attachment first. */
  attached: string[];
}

export interface PolicyVersion {
  /** "v1" */
  id: string;
  document: string;
  createdAt: number;
}

export interface Policy {
  name: string;
  path: string;
  /** ANPA… */
  id: string;
  arn: string;
  createdAt: number;
  updatedAt: number;
  description: string | undefined;
  defaultVersionId: string;
  /** Numbers are never used twice. */
  nextVersion: number;
  versions: PolicyVersion[];
  tags: Tags;
}

/** A set of temporary credentials and whom they stand for. */
export interface Session {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  issuedAt: number;
  /** Milliseconds since the epoch. */
  expiration: number;
  /** Undefined: a session of the account root (GetSessionToken). */
  role: { name: string; id: string; arn: string } | undefined;
  sessionName: string;
  /** Documents of session policies, inline and managed, as they were when the role was assumed. */
  policies: string[];
  tags: Tags;
  /** Keys of the tags that the sessions assumed with this one inherit, lower case. */
  transitiveTagKeys?: string[];
  /** "lambda.amazonaws.com" when a service assumed the role for itself. */
  service: string | undefined;
  externalId?: string | undefined;
}

export interface KeyPair {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface RootKey extends KeyPair {
  /** When the account began, milliseconds since the epoch. */
  createdAt: number;
}

/** Expired sessions are kept this long, so that a late caller hears "expired" and not "unknown". */
const EXPIRED_KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * Roles, policies and sessions of the one account. Reads are remembered in memory; every change goes through `change`,
 * which forgets them, so what was read in a transaction that was undone is never kept.
 */
export class IdentityStore {
  readonly #store: Store;
  readonly #roles: Table<Role>;
  readonly #policies: Table<Policy>;
  readonly #sessions: Table<Session>;
  /** [expiration, access key id] */
  readonly #expirations: Table<true>;
  readonly #account: Table<RootKey>;
  readonly #knownRoles = new Map<string, Role>();
  readonly #knownSessions = new Map<string, Session>();
  #generation = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#roles = store.table("iam.roles");
    this.#policies = store.table("iam.policies");
    this.#sessions = store.table("iam.sessions");
    this.#expirations = store.table("iam.sessionExpirations");
    this.#account = store.table("iam.account");
  }

  /** Counts changes of roles and policies: what was derived from them is stale when it has moved on. */
  get generation(): number {
    return this.#generation;
  }

  /** One atomic change of roles or policies. */
  change<T>(work: () => T): T {
    try {
      return this.#store.transaction(work);
    } finally {
      this.#generation++;
      this.#knownRoles.clear();
    }
  }

  /** Role names are unique without regard to case. */
  findRole(name: string): Role | undefined {
    const key = name.toLowerCase();
    const known = this.#knownRoles.get(key);
    if (known !== undefined) return known;
    const role = this.#roles.get(key);
    if (role !== undefined) this.#knownRoles.set(key, role);
    return role;
  }

  /** In the order of their names. */
  *roles(): Iterable<Role> {
    for (const { value } of this.#roles.range()) yield value;
  }

  /** Only inside `change`. */
  putRole(role: Role): void {
    this.#roles.put(role.name.toLowerCase(), role);
  }

  /** Only inside `change`. */
  removeRole(name: string): void {
    this.#roles.remove(name.toLowerCase());
  }

  /** A policy of this account, or one of AWS's that the endpoint knows. */
  findPolicy(arn: string): Policy | ManagedPolicy | undefined {
    return managedPolicy(arn) ?? this.findOwnPolicy(arn);
  }

  /** Text of the policy's default version. */
  defaultDocument(arn: string): string | undefined {
    const policy = this.findPolicy(arn);
    return policy?.versions.find(({ id }) => id === policy.defaultVersionId)?.document;
  }

  findOwnPolicy(arn: string): Policy | undefined {
    return arn.length > 1000 ? undefined : this.#policies.get(arn);
  }

  *ownPolicies(): Iterable<Policy> {
    for (const { value } of this.#policies.range()) yield value;
  }

  /** Only inside `change`. */
  putPolicy(policy: Policy): void {
    this.#policies.put(policy.arn, policy);
  }

  /** Only inside `change`. */
  removePolicy(arn: string): void {
    this.#policies.remove(arn);
  }

  findSession(accessKeyId: string): Session | undefined {
    const known = this.#knownSessions.get(accessKeyId);
    if (known !== undefined) return known;
    const session = accessKeyId.length > 128 ? undefined : this.#sessions.get(accessKeyId);
    if (session !== undefined) this.#knownSessions.set(accessKeyId, session);
    return session;
  }

  *sessions(): Iterable<Session> {
    for (const { value } of this.#sessions.range()) yield value;
  }

  /** Stores a session and removes those that expired long ago. */
  addSession(session: Session, now: number): void {
    this.#store.transaction(() => {
      this.removeExpired(now);
      this.#sessions.put(session.accessKeyId, session);
      this.#expirations.put([session.expiration, session.accessKeyId], true);
    });
  }

  removeExpired(now: number): void {
    this.#store.transaction(() => {
      const gone = [...this.#expirations.keys({ end: [now - EXPIRED_KEPT_MS] })] as [number, string][];
      for (const [expiration, accessKeyId] of gone) {
        this.#expirations.remove([expiration, accessKeyId]);
        this.#sessions.remove(accessKeyId);
        this.#knownSessions.delete(accessKeyId);
      }
    });
  }

  /** The root's own key pair, made when there is none yet. */
  rootKey(): RootKey {
    const known = this.#account.get("rootKey");
    if (known !== undefined) return known;
    const made = { ...newKeyPair("AKIA"), createdAt: Date.now() };
    this.#store.transaction(() => this.#account.put("rootKey", made));
    return made;
  }
}

const ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function letters(count: number): string {
  let text = "";
  for (let at = 0; at < count; at++) text += ID_LETTERS[randomInt(ID_LETTERS.length)];
  return text;
}

/** "AROA" and 17 letters or digits, as AWS's own: 21 characters. */
export const newId = (prefix: "AROA" | "ANPA") => prefix + letters(17);

/** Access key id of 20 characters, secret of 40. */
export function newKeyPair(prefix: "AKIA" | "ASIA"): KeyPair {
  return { accessKeyId: prefix + letters(16), secretAccessKey: randomBytes(30).toString("base64") };
}
