import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Docker, explainDocker, FREE_TAG, localstackBackend } from "../../../src/backends/localstack.ts";
import { MinilakeError } from "../../../src/errors.ts";
import { packageRoot } from "../../../src/packageRoot.ts";

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
});

async function answering(status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const never: Docker = async (args) => {
  throw new Error(`docker was called: ${args.join(" ")}`);
};

describe("an endpoint that answers", () => {
  test("as LocalStack is used as it is, and not stopped", async () => {
    const url = await answering(200, JSON.stringify({ services: { s3: "running" }, version: "4.14.0" }));
    const backend = localstackBackend({ region: "us-east-1", url, docker: never });
    expect(await backend.isRunning()).toBe(true);
    expect(await backend.start()).toEqual({ started: false, endpoint: url });
    expect(await backend.stop()).toEqual({ stopped: false, removed: [] });
  });

  test("as something else is named", async () => {
    const url = await answering(404, "hello");
    const backend = localstackBackend({ region: "us-east-1", url, docker: never });
    expect(await backend.isRunning()).toBe(false);
    await expect(backend.start()).rejects.toMatchObject({ code: "PortInUse", message: expect.stringContaining(url) });
  });
});

test("nobody at an address that docker-compose.yml does not publish is not ours to start", async () => {
  const backend = localstackBackend({ region: "us-east-1", url: "http://127.0.0.1:9", docker: never });
  await expect(backend.start()).rejects.toMatchObject({ code: "EndpointUnreachable" });
});

describe("the image", () => {
  const started = async (options: { authToken?: string; environment?: Record<string, string> }) => {
    const calls: { args: string[]; environment: Record<string, string | undefined> }[] = [];
    const docker: Docker = async (args, environment) => {
      calls.push({ args, environment });
      throw Object.assign(new Error("stop here"), { stderr: "stop here" });
    };
    // Port 4566 may be taken on this machine: `stop` asks Docker whatever answers there.
    await localstackBackend({ region: "us-east-1", docker, ...options }).stop();
    return calls[0]!;
  };

  test("is the last free one without a token", async () => {
    const { args, environment } = await started({});
    expect(args.slice(0, 2)).toEqual(["compose", "--file"]);
    expect(environment.LOCALSTACK_TAG).toBe(FREE_TAG);
    expect(environment.LOCALSTACK_AUTH_TOKEN).toBeUndefined();
  });

  test("is a newer one with a token, or the one that was asked for", async () => {
    const { environment } = await started({ authToken: "ls-secret" });
    expect(environment).toMatchObject({ LOCALSTACK_TAG: "latest", LOCALSTACK_AUTH_TOKEN: "ls-secret" });
    const asked = await started({ authToken: "ls-secret", environment: { LOCALSTACK_TAG: "4.9" } });
    expect(asked.environment.LOCALSTACK_TAG).toBe("4.9");
  });
});

test("docker-compose.yml publishes on loopback only, pins the free image and lends the Docker socket", () => {
  const compose = parse(readFileSync(join(packageRoot(), "docker-compose.yml"), "utf8"));
  const { localstack } = compose.services;
  expect(localstack.image).toBe(`localstack/localstack:\${LOCALSTACK_TAG:-${FREE_TAG}}`);
  expect(localstack.ports).toEqual(["127.0.0.1:4566:4566"]);
  expect(localstack.volumes).toContain("/var/run/docker.sock:/var/run/docker.sock");
  expect(localstack.environment.SERVICES.split(",").sort()).toEqual(
    ["cloudwatch", "iam", "lambda", "logs", "s3", "sqs", "sts"].sort(),
  );
});

test.each([
  [{ code: "ENOENT" }, "there is no docker command here"],
  [
    { stderr: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" },
    "daemon does not run",
  ],
  [
    { stderr: "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock" },
    "may not use it",
  ],
  [{ stderr: "docker: 'compose' is not a docker command." }, "without its compose command"],
  [
    { stderr: "docker: unknown command: docker compose\n\nRun 'docker --help' for more information" },
    "without its compose command",
  ],
  [{ stderr: "Bind for 127.0.0.1:4566 failed: port is already allocated" }, "port 4566: it is in use"],
  [
    { stderr: "failed to resolve reference: dial tcp: lookup registry-1.docker.io: no such host" },
    "4.14.0 cannot be had",
  ],
  [{ stderr: "dependency failed to start: container minilake-localstack-1 is unhealthy" }, "did not come up"],
  [{ stderr: "some new words" }, "Docker failed: some new words"],
])("docker failing with %j is explained", (error, message) => {
  const explained = explainDocker(Object.assign(new Error("x"), error), FREE_TAG);
  expect(explained).toBeInstanceOf(MinilakeError);
  expect(explained).toMatchObject({
    code: "Docker",
    message: expect.stringContaining(message),
    hint: expect.stringContaining("--backend embedded"),
  });
});
