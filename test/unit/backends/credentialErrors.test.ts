import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { awsBackend } from "../../../src/backends/aws.ts";
import { explainCredentials } from "../../../src/backends/credentialErrors.ts";
import { MinilakeError } from "../../../src/errors.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "minilake-home-"));
  mkdirSync(join(home, ".aws", "sso", "cache"), { recursive: true });
  vi.stubEnv("HOME", home);
  vi.stubEnv("AWS_CONFIG_FILE", join(home, ".aws", "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(home, ".aws", "credentials"));
  // Nobody is asked over the network.
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  for (const name of [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
  ]) {
    vi.stubEnv(name, undefined);
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

const configure = (text: string) => writeFileSync(join(home, ".aws", "config"), text);

/** What the SDK says, asked with that profile, and what we make of it. */
async function asked(profile?: string, endpoint = "http://127.0.0.1:9"): Promise<MinilakeError> {
  const client = new STSClient({ region: "eu-west-1", endpoint, maxAttempts: 1, ...(profile && { profile }) });
  const failure = await client.send(new GetCallerIdentityCommand({})).catch((error: unknown) => error);
  client.destroy();
  const explained = explainCredentials(failure, profile);
  expect(explained).toBeInstanceOf(MinilakeError);
  return explained as MinilakeError;
}

describe("credentials that do not work, in words", () => {
  test("none at all", async () => {
    const { message, hint } = await asked();
    expect(message).toBe(
      "No AWS credentials were found: not in the environment, not in ~/.aws, and this machine has no role.",
    );
    expect(hint).toContain("aws sso login");
  });

  test("a profile that is not there", async () => {
    const { message, hint } = await asked("wrok");
    expect(message).toContain('There are no usable credentials for the profile "wrok"');
    expect(hint).toContain("aws configure list-profiles");
  });

  test("a sign-in that has expired", async () => {
    configure(`[profile work]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = Admin
`);
    const { message, hint } = await asked("work");
    expect(message).toBe('The sign-in of the profile "work" to AWS has expired.');
    expect(hint).toBe("Sign in again: aws sso login --profile work");
  });

  test("a second factor", async () => {
    configure(`[profile mfa]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
[profile base]
aws_access_key_id = a
aws_secret_access_key = b
`);
    const { message, hint } = await asked("mfa");
    expect(message).toContain("asks for a code of a second factor");
    expect(hint).toContain("aws configure export-credentials --profile mfa --format env");
  });

  test.each([
    ["ExpiredToken", "The AWS session has expired."],
    ["InvalidClientTokenId", "AWS does not know the access key."],
    ["SignatureDoesNotMatch", "AWS does not accept the secret key."],
  ])("AWS's %s", async (code, message) => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;
    const server: Server = createServer((_, response) => {
      response.writeHead(403, { "content-type": "text/xml" }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    try {
      expect((await asked(undefined, `http://127.0.0.1:${port}`)).message).toBe(message);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("what has nothing to do with credentials is left as it is", () => {
    const error = new Error("a bug");
    expect(explainCredentials(error, "work")).toBe(error);
  });
});

describe("the region on AWS", () => {
  const regionOf = async (options: Parameters<typeof awsBackend>[0]) => {
    const backend = awsBackend(options);
    await backend.start();
    return [backend.region, backend.describe];
  };

  test("is the profile's own when nobody has named one", async () => {
    configure("[default]\nregion = eu-south-1\n[profile work]\nregion = sa-east-1\n");
    const unnamed = { region: "us-east-1", regionIsDefault: true };
    expect(await regionOf({ ...unnamed, profile: "work" })).toEqual(["sa-east-1", "AWS in sa-east-1"]);
    expect(await regionOf(unnamed)).toEqual(["eu-south-1", "AWS in eu-south-1"]);
    expect(await regionOf({ ...unnamed, region: "eu-west-3", regionIsDefault: false })).toEqual([
      "eu-west-3",
      "AWS in eu-west-3",
    ]);
  });

  test("is us-east-1 when the profile has none either", async () => {
    configure("[profile work]\n");
    expect(await regionOf({ region: "us-east-1", regionIsDefault: true, profile: "work" })).toEqual([
      "us-east-1",
      "AWS in us-east-1",
    ]);
  });
});
