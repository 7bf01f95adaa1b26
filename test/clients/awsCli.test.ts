import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zipOf } from "../conformance/lambdaPackages.ts";
import { waitFor } from "../conformance/target.ts";
import { answers, type ClientEndpoint, endpointForClient } from "./programs.ts";

const isInstalled = answers("aws", ["--version"]);
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
    { Effect: "Allow", Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "sts:AssumeRole" },
  ],
});
const TEN_MIB = Buffer.alloc(10 * 1024 * 1024, "0123456789abcdef\n");

describe.skipIf(!isInstalled)(
  `the AWS CLI${isInstalled ? "" : " (skipped: the program aws is not installed)"}`,
  { timeout: 120_000 },
  () => {
    let e: ClientEndpoint;
    beforeAll(async () => {
      e = await endpointForClient();
    });
    afterAll(() => e?.close());

    const raw = (args: string[], environment?: Record<string, string>) =>
      e.run("aws", args, environment ? { environment } : {});
    /** Its standard output; it must succeed and say nothing on standard error. */
    const aws = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await raw(args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
      return stdout;
    };
    const json = async (...args: string[]) => JSON.parse((await aws(...args, "--output=json")) || "null");
    const file = (name: string, content: string | Buffer) => {
      writeFileSync(join(e.folder, name), content);
      return name;
    };
    /** What it answers when it fails. */
    const refusal = async (args: string[], environment?: Record<string, string>) => {
      const { code, stderr } = await raw(args, environment);
      expect(code).toBeGreaterThan(0);
      return stderr.trim();
    };

    it("copies, lists, moves, synchronises and removes objects", async () => {
      expect(await aws("s3", "mb", "s3://cli-files")).toBe("make_bucket: cli-files\n");
      file("small.csv", "id\n1\n");
      file("large.bin", TEN_MIB);
      mkdirSync(join(e.folder, "tree/deep er"), { recursive: true });
      file("tree/a.txt", "a");
      file("tree/deep er/ü+&.txt", "deep");
      // LastModified has whole seconds, on AWS too, and sync sends again what is newer than that.
      const before = new Date(Date.now() - 60_000);
      for (const name of ["tree/a.txt", "tree/deep er/ü+&.txt"]) utimesSync(join(e.folder, name), before, before);

      await Promise.all([
        aws("s3", "cp", "--no-progress", "small.csv", "s3://cli-files/in/small.csv"),
        aws("s3", "cp", "--no-progress", "large.bin", "s3://cli-files/in/large.bin"),
        aws("s3", "sync", "--no-progress", "tree", "s3://cli-files/tree"),
      ]);
      expect((await aws("s3", "ls", "s3://cli-files")).replaceAll(" ", "")).toBe("PREin/\nPREtree/\n");
      const listed = await aws("s3", "ls", "--recursive", "--summarize", "s3://cli-files");
      expect(listed.replace(/^\d{4}-\S+ \S+ +/gm, "")).toBe(
        `${TEN_MIB.length} in/large.bin\n5 in/small.csv\n1 tree/a.txt\n4 tree/deep er/ü+&.txt\n\nTotal Objects: 4\n   Total Size: ${TEN_MIB.length + 10}\n`,
      );
      expect(await aws("s3", "sync", "tree", "s3://cli-files/tree")).toBe("");

      await aws("s3", "cp", "--no-progress", "s3://cli-files/in/large.bin", "back.bin");
      expect(readFileSync(join(e.folder, "back.bin")).equals(TEN_MIB)).toBe(true);
      expect(await aws("s3", "cp", "s3://cli-files/in/small.csv", "-")).toBe("id\n1\n");
      expect(await aws("s3", "mv", "s3://cli-files/in/large.bin", "s3://cli-files/out/large.bin")).toContain(
        "move: s3://cli-files/in/large.bin to s3://cli-files/out/large.bin",
      );
      const moved = await json("s3api", "head-object", "--bucket=cli-files", "--key=out/large.bin");
      expect(moved).toMatchObject({ ContentLength: TEN_MIB.length, ETag: expect.stringMatching(/^"[0-9a-f]{32}-2"$/) });

      const removed = await aws("s3", "rm", "--recursive", "s3://cli-files/tree");
      expect(removed.trim().split("\n").sort()).toEqual([
        "delete: s3://cli-files/tree/a.txt",
        "delete: s3://cli-files/tree/deep er/ü+&.txt",
      ]);
    });

    it("presigns a URL that anybody can fetch, and removes a bucket with all that is in it", async () => {
      await aws("s3", "mb", "s3://cli-presign");
      await aws("s3", "cp", file("shared.csv", "shared\n"), "s3://cli-presign/a b/ü.csv");
      const url = (await aws("s3", "presign", "s3://cli-presign/a b/ü.csv", "--expires-in=60")).trim();
      const fetched = await fetch(url);
      expect([fetched.status, await fetched.text()]).toEqual([200, "shared\n"]);
      const forged = await fetch(url.replace("%C3%BC", "o"));
      expect([forged.status, await forged.text()]).toEqual([
        403,
        expect.stringContaining("<Code>SignatureDoesNotMatch</Code>"),
      ]);

      expect(await refusal(["s3", "rb", "s3://cli-presign"])).toContain(
        "An error occurred (BucketNotEmpty) when calling the DeleteBucket operation: The bucket you tried to delete is not empty",
      );
      expect(await aws("s3", "rb", "--force", "s3://cli-presign")).toContain("remove_bucket: cli-presign");
      expect(await refusal(["s3", "ls", "s3://cli-presign"])).toMatch(
        /An error occurred \(NoSuchBucket\) when calling the ListObjectsV2 operation: The specified bucket does not exist$/,
      );
    });

    it("pages through lists and versions, and reads an object's attributes", async () => {
      const bucket = "--bucket=cli-lists";
      await aws("s3api", "create-bucket", bucket);
      await aws("s3api", "put-bucket-versioning", bucket, "--versioning-configuration=Status=Enabled");
      mkdirSync(join(e.folder, "many"));
      for (let index = 0; index < 7; index++) file(`many/${index}.txt`, String(index));
      await aws("s3", "cp", "--recursive", "--quiet", "many", "s3://cli-lists/");
      await aws("s3api", "put-object", bucket, "--key=3.txt", "--body", file("second.txt", "second"));
      await aws("s3", "rm", "s3://cli-lists/4.txt");

      const [paged, first, versions, attributes] = await Promise.all([
        json("s3api", "list-objects-v2", bucket, "--page-size=2", "--query=Contents[].Key"),
        json("s3api", "list-objects-v2", bucket, "--max-items=2"),
        json("s3api", "list-object-versions", bucket, "--page-size=3"),
        json(
          ...["s3api", "get-object-attributes", bucket, "--key=3.txt"],
          ...["--object-attributes", "ETag", "ObjectSize", "Checksum", "StorageClass"],
        ),
      ]);
      expect(paged).toEqual(["0.txt", "1.txt", "2.txt", "3.txt", "5.txt", "6.txt"]);
      expect(first.Contents).toHaveLength(2);
      const rest = await json(
        ...["s3api", "list-objects-v2", bucket, "--query=Contents[].Key"],
        `--starting-token=${first.NextToken}`,
      );
      expect(rest).toEqual(["2.txt", "3.txt", "5.txt", "6.txt"]);
      expect(versions.Versions.filter(({ Key }: { Key: string }) => Key === "3.txt")).toMatchObject([
        { IsLatest: true, Size: 6 },
        { IsLatest: false, Size: 1 },
      ]);
      expect(versions.DeleteMarkers).toMatchObject([{ Key: "4.txt", IsLatest: true }]);
      expect(attributes).toMatchObject({
        ETag: "a9f0e61a137d86aa9db53465e0801612",
        ObjectSize: 6,
        StorageClass: "STANDARD",
        Checksum: { ChecksumType: "FULL_OBJECT" },
      });

      const older = versions.Versions.find(
        ({ Key, Size }: { Key: string; Size: number }) => Key === "3.txt" && Size === 1,
      );
      await aws("s3api", "get-object", bucket, "--key=3.txt", `--version-id=${older.VersionId}`, "older.txt");
      expect(readFileSync(join(e.folder, "older.txt"), "utf8")).toBe("3");
      expect(
        await refusal(["s3api", "put-object", bucket, "--key=3.txt", "--body=second.txt", "--if-none-match=*"]),
      ).toContain("An error occurred (PreconditionFailed) when calling the PutObject operation");
    });

    it("deploys a function that an upload runs, and reads what it logged and counted", async () => {
      const role = (await json("iam", "create-role", "--role-name=cli-role", "--assume-role-policy-document", TRUST))
        .Role;
      await aws(
        ...["iam", "attach-role-policy", "--role-name=cli-role"],
        "--policy-arn=arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
      );
      const code = `export const handler = async (event) => {
      console.log("keys", event.Records?.map((record) => record.s3.object.key).join());
      return { echoed: event };
    };`;
      file("function.zip", await zipOf({ "index.mjs": code }));
      const made = await json(
        ...["lambda", "create-function", "--function-name=cli-echo", "--runtime=nodejs22.x", "--handler=index.handler"],
        ...[`--role=${role.Arn}`, "--zip-file=fileb://function.zip"],
      );
      await aws("lambda", "wait", "function-active-v2", "--function-name=cli-echo");
      const [invoked] = await Promise.all([
        json(
          ...["lambda", "invoke", "--function-name=cli-echo", "--log-type=Tail"],
          // As a file: on the command line version 2 of the CLI takes base64, version 1 the text itself.
          ...["--payload", `fileb://${file("payload.json", '{"name":"ü"}')}`, "answer.json"],
        ),
        aws("s3", "mb", "s3://cli-events"),
        aws(
          ...[
            "lambda",
            "add-permission",
            "--function-name=cli-echo",
            "--statement-id=s3",
            "--action=lambda:InvokeFunction",
          ],
          ...["--principal=s3.amazonaws.com", "--source-arn=arn:aws:s3:::cli-events"],
        ),
      ]);
      expect(invoked).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST" });
      expect(Buffer.from(invoked.LogResult, "base64").toString()).toMatch(/START RequestId(.|\n)*REPORT RequestId/);
      expect(JSON.parse(readFileSync(join(e.folder, "answer.json"), "utf8"))).toEqual({ echoed: { name: "ü" } });

      const rules = {
        LambdaFunctionConfigurations: [{ LambdaFunctionArn: made.FunctionArn, Events: ["s3:ObjectCreated:*"] }],
      };
      await aws(
        ...["s3api", "put-bucket-notification-configuration", "--bucket=cli-events"],
        ...["--notification-configuration", JSON.stringify(rules)],
      );
      await aws("s3", "cp", file("event.csv", "id\n"), "s3://cli-events/from the CLI.csv");
      const logged = await waitFor(
        async () => {
          const { events } = await json("logs", "filter-log-events", "--log-group-name=/aws/lambda/cli-echo");
          return (events as { message: string }[]).find(({ message }) => message.includes("from+the+CLI.csv"));
        },
        { what: "the function's line in its log" },
      );
      expect(logged.message).toMatch(/\tINFO\tkeys from\+the\+CLI\.csv\n$/);
      const counted = await waitFor(
        async () => {
          const now = Date.now();
          const { Datapoints } = await json(
            ...["cloudwatch", "get-metric-statistics", "--namespace=AWS/Lambda", "--metric-name=Invocations"],
            ...["--dimensions=Name=FunctionName,Value=cli-echo", "--period=3600", "--statistics=Sum"],
            ...[
              `--start-time=${new Date(now - 3_600_000).toISOString()}`,
              `--end-time=${new Date(now + 60_000).toISOString()}`,
            ],
          );
          const sum = (Datapoints as { Sum: number }[]).reduce((total, { Sum }) => total + Sum, 0);
          return sum >= 2 && sum;
        },
        { what: "two counted invocations" },
      );
      expect(counted).toBe(2);
    });

    it("sends to a queue and receives from it", async () => {
      const queues = `--endpoint-url=${e.endpoint}`;
      const { QueueUrl } = await json("sqs", queues, "create-queue", "--queue-name=cli-queue");
      expect(QueueUrl).toBe(`${e.endpoint}/000000000000/cli-queue`);
      await aws("sqs", queues, "send-message", `--queue-url=${QueueUrl}`, "--message-body=häll=o & co");
      const { Messages } = await json(
        "sqs",
        queues,
        "receive-message",
        `--queue-url=${QueueUrl}`,
        "--wait-time-seconds=1",
      );
      expect(Messages).toMatchObject([{ Body: "häll=o & co" }]);
      await aws(
        ...["sqs", queues, "delete-message", `--queue-url=${QueueUrl}`],
        `--receipt-handle=${Messages[0].ReceiptHandle}`,
      );
      expect(await refusal(["sqs", queues, "get-queue-url", "--queue-name=cli-none"])).toContain(
        "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the GetQueueUrl operation",
      );
    });

    it("says who it is, and is told which action of a role nothing allows", async () => {
      const whoAmI = await json("sts", "get-caller-identity");
      expect(whoAmI).toMatchObject({ Account: "000000000000", Arn: "arn:aws:iam::000000000000:root" });
      await Promise.all([
        aws("s3", "mb", "s3://cli-closed"),
        aws("iam", "create-role", "--role-name=cli-reader", "--assume-role-policy-document", TRUST),
      ]);
      const { Credentials } = await json(
        ...["sts", "assume-role", "--role-session-name=me"],
        "--role-arn=arn:aws:iam::000000000000:role/cli-reader",
      );
      const asReader = {
        AWS_ACCESS_KEY_ID: Credentials.AccessKeyId as string,
        AWS_SECRET_ACCESS_KEY: Credentials.SecretAccessKey as string,
        AWS_SESSION_TOKEN: Credentials.SessionToken as string,
      };
      const session = "arn:aws:sts::000000000000:assumed-role/cli-reader/me";
      expect(await refusal(["s3", "ls", "s3://cli-closed"], asReader)).toContain(
        `An error occurred (AccessDenied) when calling the ListObjectsV2 operation: User: ${session} is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::cli-closed" because no identity-based policy allows the s3:ListBucket action`,
      );
      const policy = {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "s3:ListBucket", Resource: "*" }],
      };
      await aws(
        ...["iam", "put-role-policy", "--role-name=cli-reader", "--policy-name=list"],
        ...["--policy-document", JSON.stringify(policy)],
      );
      expect(await raw(["s3", "ls", "s3://cli-closed"], asReader)).toMatchObject({ code: 0, stderr: "" });
      expect(await refusal(["iam", "get-role", "--role-name=cli-none"])).toContain(
        "An error occurred (NoSuchEntity) when calling the GetRole operation: The role with name cli-none cannot be found.",
      );
      expect(await refusal(["iam", "create-user", "--user-name=somebody"])).toContain(
        "An error occurred (NotImplemented) when calling the CreateUser operation",
      );
    });
  },
);
