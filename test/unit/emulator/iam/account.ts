import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { AccessRequest, Authorize, Caller } from "../../../../src/emulator/access.ts";
import { createAuthorize } from "../../../../src/emulator/iam/authorize.ts";
import { IdentityStore, newId, type Role } from "../../../../src/emulator/iam/store.ts";
import { Store } from "../../../../src/emulator/store/store.ts";

export const ACCOUNT = "123456789012";
export const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);

/** An account in a folder of its own, with roles but no server. */
export function account() {
  const folder = mkdtempSync(join(tmpdir(), "minilake-iam-"));
  const store = Store.open(folder);
  const identities = new IdentityStore(store);
  const warnings: string[] = [];
  const authorize: Authorize = createAuthorize(identities, {
    accountId: ACCOUNT,
    region: "eu-west-1",
    now: () => NOW,
    report: (message) => warnings.push(message),
  });
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let names = 0;

  function role(details: Partial<Role> = {}): Role {
    const name = details.name ?? `role${++names}`;
    const made: Role = {
      name,
      path: "/",
      id: newId("AROA"),
      arn: `arn:aws:iam::${ACCOUNT}:role/${name}`,
      createdAt: NOW,
      trustPolicy: "{}",
      description: undefined,
      maxSessionSeconds: 3600,
      boundaryArn: undefined,
      tags: [],
      inline: {},
      attached: [],
      ...details,
    };
    identities.change(() => identities.putRole(made));
    return made;
  }

  return { identities, authorize, warnings, role };
}

export function session(role: Role, details: Partial<Caller> = {}): Caller {
  return {
    kind: "session",
    accountId: ACCOUNT,
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role.name}/work`,
    userId: `${role.id}:work`,
    role: { name: role.name, arn: role.arn, id: role.id },
    sessionName: "work",
    sourceIp: "127.0.0.1",
    ...details,
  };
}

export const ROOT: Caller = {
  kind: "root",
  accountId: ACCOUNT,
  arn: `arn:aws:iam::${ACCOUNT}:root`,
  userId: ACCOUNT,
  sourceIp: "127.0.0.1",
};
export const ANONYMOUS: Caller = { kind: "anonymous", accountId: "", arn: "", userId: "", sourceIp: "127.0.0.1" };
export const service = (details: Partial<Caller> = {}): Caller => ({
  kind: "service",
  accountId: ACCOUNT,
  arn: "s3.amazonaws.com",
  userId: "s3.amazonaws.com",
  sourceAccount: ACCOUNT,
  sourceArn: "arn:aws:s3:::raw",
  ...details,
});

export const document = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });

export const GET: AccessRequest = { action: "s3:GetObject", resource: "arn:aws:s3:::raw/in/a.csv" };

/** Policy variables written as <aws:userid>, because in a string they look like a forgotten template. */
export const withVariables = (text: string) => text.replaceAll("<", "$" + "{").replaceAll(">", "}");
