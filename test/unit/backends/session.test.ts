import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createBackend } from "../../../src/backends/connect.ts";
import { readSession, removeSession, type Session, writeSession } from "../../../src/backends/session.ts";
import { resolveConfiguration } from "../../../src/lake/configuration.ts";

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-session-"));
  dataDir = join(folder, ".minilake");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const session: Session = {
  version: 1,
  lake: "orders",
  backend: "embedded",
  endpoint: "http://127.0.0.1:4570",
  region: "us-east-1",
  accountId: "000000000000",
  told: { port: 4570 },
};

test("what was told comes back, and keeps the folder out of git", () => {
  expect(writeSession(dataDir, session)).toBe(true);
  expect(readSession(dataDir)).toEqual(session);
  expect(readFileSync(join(dataDir, ".gitignore"), "utf8")).toBe("*\n");
  expect(resolveConfiguration({ session: readSession(dataDir)?.told }).port).toBe(4570);
});

test.each(["", "{", "[]", "null", '{"version":2,"told":{}}', '{"version":1}'])("a damaged one (%j) is none", (text) => {
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, "session.json"), text);
  expect(readSession(dataDir)).toBeUndefined();
});

test("removing it removes the folder, unless something else is in it", () => {
  writeSession(dataDir, session);
  removeSession(dataDir);
  expect(existsSync(dataDir)).toBe(false);
  removeSession(dataDir);
  writeSession(dataDir, session);
  writeFileSync(join(dataDir, "mine.txt"), "");
  removeSession(dataDir);
  expect(readdirSync(dataDir).sort()).toEqual([".gitignore", "mine.txt"]);
});

test("a folder that cannot be written costs the session and nothing else", () => {
  writeFileSync(dataDir, "a file");
  expect(writeSession(dataDir, session)).toBe(false);
  expect(readSession(dataDir)).toBeUndefined();
});

test.each([
  [{}, {}, "embedded", "http://127.0.0.1:4566"],
  [{ port: 4570 }, {}, "embedded", "http://127.0.0.1:4570"],
  [{ endpointUrl: "http://localhost:4566" }, {}, "endpoint", "http://localhost:4566"],
  [{}, { AWS_ENDPOINT_URL: "http://localhost:5000" }, "endpoint", "http://localhost:5000"],
  // Set for the AWS CLI; it is where the embedded endpoint would be.
  [{}, { AWS_ENDPOINT_URL: "http://localhost:4566" }, "embedded", "http://127.0.0.1:4566"],
  [{ backend: "localstack" as const }, {}, "localstack", "http://127.0.0.1:4566"],
  [{ backend: "aws" as const }, {}, "aws", undefined],
])("flags %j and environment %j mean %s", (flags, environment, name, endpoint) => {
  const backend = createBackend(resolveConfiguration({ flags, environment }), { dataDir, environment });
  expect(backend.name).toBe(name);
  expect(backend.endpoint).toBe(endpoint);
});

test("local endpoints get test/test, unless the environment has keys; AWS gets the default chain", () => {
  const open = (flags: object, environment: Record<string, string>) =>
    createBackend(resolveConfiguration({ flags, environment }), { dataDir, environment }).credentials;
  const keys = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "s" };
  expect(open({ endpointUrl: "http://localhost:1" }, {})).toEqual({ accessKeyId: "test", secretAccessKey: "test" });
  expect(open({ endpointUrl: "http://localhost:1" }, keys)).toBeUndefined();
  expect(open({}, keys)).toEqual({ accessKeyId: "test", secretAccessKey: "test" });
  expect(open({ backend: "aws" }, {})).toBeUndefined();
});
