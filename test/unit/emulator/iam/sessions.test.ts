import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { IdentityService } from "../../../../src/emulator/iam/index.ts";
import { createIam } from "../../../../src/emulator/iam/index.ts";
import type { Session } from "../../../../src/emulator/iam/store.ts";
import { Store } from "../../../../src/emulator/store/store.ts";
import { signedRequest } from "../auth/requests.ts";
import { ACCOUNT, document } from "./account.ts";

const HOUR = 3_600_000;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/curate`;
const LAMBDA = "lambda.amazonaws.com";

let folder: string;
let store: Store;
let now: number;
let identity: IdentityService;

function open() {
  store = Store.open(folder);
  identity = createIam({
    store,
    settings: {
      region: "us-east-1",
      accountId: ACCOUNT,
      endpoint: () => "",
      now: () => now,
      strict: false,
      awsTiming: false,
      concurrency: 4,
      report: () => {},
    },
  });
}

/** A call of IAM by the root, answered with its status. */
async function iam(params: Record<string, string>): Promise<number> {
  const body = new URLSearchParams({ Version: "2010-05-08", ...params }).toString();
  const signed = signedRequest({ accessKeyId: "test", secretAccessKey: "test" }, "iam", now, body);
  return (await identity.iam.handle(signed, identity.authenticate(signed, "iam"))).status;
}

const trusting = (service: string, more: object = {}) =>
  document({ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole", ...more });

const createRole = (AssumeRolePolicyDocument: string) =>
  iam({ Action: "CreateRole", RoleName: "curate", AssumeRolePolicyDocument });

const assume = (sessionName = "curate") => identity.assumeRoleForService(ROLE, sessionName, LAMBDA);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-sessions-"));
  now = Date.UTC(2026, 10, 23, 12, 0, 0);
  open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("roles for services", () => {
  it.each<[string, string, boolean]>([
    ["trusts Lambda", trusting(LAMBDA), true],
    [
      "trusts Lambda of this account",
      trusting(LAMBDA, { Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } } }),
      true,
    ],
    [
      "trusts Lambda of another account",
      trusting(LAMBDA, { Condition: { StringEquals: { "aws:SourceAccount": "999999999999" } } }),
      false,
    ],
    ["trusts another service", trusting("glue.amazonaws.com"), false],
    ["trusts the account", document({ Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "sts:AssumeRole" }), false],
    ["trusts Lambda with another action", trusting(LAMBDA, { Action: "sts:TagSession" }), false],
    [
      "denies Lambda",
      document(
        { Effect: "Allow", Principal: "*", Action: "sts:*" },
        { Effect: "Deny", Principal: { Service: LAMBDA }, Action: "sts:*" },
      ),
      false,
    ],
  ])("a role that %s can be assumed: %s", async (_, trust, expected) => {
    await createRole(trust);
    expect(identity.roleRefusal(ROLE, LAMBDA) === undefined).toBe(expected);
    if (expected) expect(assume().caller.arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/curate/curate`);
    else expect(() => assume()).toThrow(expect.objectContaining({ code: "AccessDenied", status: 403 }));
  });

  it.each([
    "",
    "curate",
    `arn:aws:iam::${ACCOUNT}:role/other`,
    `arn:aws:iam::${ACCOUNT}:role/path/curate`,
    "arn:aws:iam::999999999999:role/curate",
  ])("%j is no role here", async (arn) => {
    await createRole(trusting(LAMBDA));
    expect(identity.roleRefusal(arn, LAMBDA)).toContain("does not exist");
  });

  it("credentials are those of the session, for twelve hours", async () => {
    await createRole(trusting(LAMBDA));
    const { credentials, caller } = assume();
    expect(credentials.expiration).toBe(now + 12 * HOUR);
    const signed = () => signedRequest(credentials, "s3", now);
    expect(identity.authenticate(signed(), "s3")).toMatchObject(caller);
    now += 12 * HOUR;
    expect(() => identity.authenticate(signed(), "s3")).toThrow(
      expect.objectContaining({ code: "ExpiredToken", status: 400 }),
    );
  });

  it("are used again while half of their time is left, also after a restart", async () => {
    await createRole(trusting(LAMBDA));
    const first = assume().credentials;
    expect(assume().credentials).toEqual(first);
    expect(assume("validate").credentials.accessKeyId).not.toBe(first.accessKeyId);
    await store.close();
    open();
    expect(assume().credentials).toEqual(first);
    now += 7 * HOUR;
    const second = assume().credentials;
    expect(second.accessKeyId).not.toBe(first.accessKeyId);
    expect(assume().credentials).toEqual(second);
    // The old ones still work for those who hold them.
    expect(identity.authenticate(signedRequest(first, "s3", now), "s3").kind).toBe("session");
  });

  it("do not pile up", async () => {
    await createRole(trusting(LAMBDA));
    for (let day = 0; day < 10; day++) {
      assume();
      now += 24 * HOUR;
    }
    assume();
    const sessions = store.table<Session>("iam.sessions");
    expect(sessions.count()).toBeLessThanOrEqual(3);
    expect(store.table("iam.sessionExpirations").count()).toBe(sessions.count());
    now += 100 * HOUR;
    await store.close();
    open();
    expect(store.table<Session>("iam.sessions").count()).toBe(0);
  });

  it("end with the role, and do not come back with another of its name", async () => {
    await createRole(trusting(LAMBDA));
    const { credentials } = assume();
    await iam({ Action: "DeleteRole", RoleName: "curate" });
    const call = () => identity.authenticate(signedRequest(credentials, "s3", now), "s3");
    expect(call).toThrow(expect.objectContaining({ code: "InvalidAccessKeyId" }));
    await createRole(trusting(LAMBDA));
    expect(call).toThrow(expect.objectContaining({ code: "InvalidAccessKeyId" }));
    expect(assume().credentials.accessKeyId).not.toBe(credentials.accessKeyId);
  });
});

describe("the root's keys", () => {
  it("are made once and kept", async () => {
    const made = identity.rootCredentials();
    expect(made.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
    await store.close();
    open();
    expect(identity.rootCredentials()).toEqual(made);
    expect(identity.authenticate(signedRequest(made, "iam", now), "iam").kind).toBe("root");
  });
});
