import { hostname } from "node:os";
import { GetRoleCommand } from "@aws-sdk/client-iam";
import { AddPermissionCommand, GetFunctionCommand } from "@aws-sdk/client-lambda";
import {
  GetBucketNotificationConfigurationCommand,
  HeadBucketCommand,
  type LambdaFunctionConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createClients } from "../../src/backends/clients.ts";
import type { CompiledContract } from "../../src/contract/compiledContract.ts";
import type { Bundle } from "../../src/lake/bundle.ts";
import type { LakeDefinition } from "../../src/lake/definition.ts";
import type { ResourceReport } from "../../src/lake/progress.ts";
import { down, plan, up } from "../../src/lake/reconcile.ts";
import { type LakeFixture, lakeFixture, onCall } from "./lakeFixture.ts";

const CONTRACT: CompiledContract = {
  id: "orders",
  version: "1.0.0",
  schema: "orders",
  columns: [
    { name: "id", type: { name: "integer", bits: "i64" }, required: "error", checks: [] },
    { name: "day", type: { name: "date" }, required: "error", checks: [] },
  ],
  unknownColumns: "keep",
  gates: [],
};

let lake: LakeFixture;
let plain: LakeDefinition;
let checked: LakeDefinition;

beforeAll(async () => {
  lake = await lakeFixture("none");
  plain = lake.definition;
  checked = lake.redefine({ contract: CONTRACT });
});
afterEach(async () => {
  const { leftovers } = await down(lake.clients, plain);
  expect(leftovers).toEqual([]);
});
afterAll(() => lake?.close());

const bundles = new Map<LakeDefinition, Promise<Bundle>>();
const bundleOf = (definition: LakeDefinition): Promise<Bundle> => {
  const made = bundles.get(definition) ?? lake.bundleOf(definition);
  bundles.set(definition, made);
  return made;
};
const bringUp = async (definition: LakeDefinition, options: { prune?: boolean } = {}) =>
  up(lake.clients, definition, { bundle: await bundleOf(definition), ...options });
const planOf = async (definition: LakeDefinition, options: { prune?: boolean } = {}) =>
  plan(lake.clients, definition, { bundle: await bundleOf(definition), ...options });
const differences = (resources: ResourceReport[]) =>
  resources
    .filter(({ change }) => change !== "unchanged")
    .map(({ kind, name, change, aspects }) => [kind, name, change, ...aspects].join(" ").replaceAll(plain.name, "L"));

async function listeners(Bucket: string): Promise<LambdaFunctionConfiguration[]> {
  const s3 = await lake.clients.s3();
  const document = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
  return document.LambdaFunctionConfigurations ?? [];
}
const listenersOf = async (Bucket: string) =>
  (await listeners(Bucket)).map(({ Id = "" }) => Id.replaceAll(plain.name, "L"));
const put = async (Bucket: string, Key: string) =>
  (await lake.clients.s3()).send(new PutObjectCommand({ Bucket, Key, Body: "id,day\n1,2026-01-01\n" }));

describe("a lake with a contract", () => {
  test("has a trusted layer and two stages, each with its own function, role, log and listener", async () => {
    const { resources } = await bringUp(checked);
    expect(differences(resources)).toEqual([
      "bucket raw-L created",
      "bucket trusted-L created",
      "bucket curated-L created",
      "bucket quarantine-L created",
      "bucket control-L created",
      "queue minilake-L-dead-letters created",
      ...["validate", "curate"].flatMap((stage) => [
        `role minilake-L-${stage} created`,
        `log group /aws/lambda/minilake-L-${stage} created`,
        `function minilake-L-${stage} created`,
        `invoke settings minilake-L-${stage} created`,
        `permission minilake-L-${stage}-events created`,
        `notification minilake-L-${stage} created`,
      ]),
      "definition s3://control-L/definition.json created",
    ]);
    expect(await listenersOf(checked.buckets.raw)).toEqual(["minilake-L-validate"]);
    expect(await listenersOf(checked.buckets.trusted!)).toEqual(["minilake-L-curate"]);
    lake.calls.take();
    expect((await bringUp(checked)).changed).toBe(false);
    expect(lake.calls.mutating()).toEqual([]);
  });

  test("the later stage listens before the first file can come in", async () => {
    const heard: string[] = [];
    const watched = onCall((name) => void (name === "PutBucketNotificationConfiguration" && heard.push(name)));
    const clients = watched(createClients({ ...lake.target, forcePathStyle: true }));
    const order: string[] = [];
    await up(clients, checked, {
      bundle: await bundleOf(checked),
      onProgress: (event) => {
        if (event.step === "resource" && event.kind === "notification")
          order.push(event.name.replaceAll(plain.name, "L"));
      },
    });
    clients.destroy();
    expect(heard).toHaveLength(2);
    expect(order).toEqual(["minilake-L-curate", "minilake-L-validate"]);
  });
});

describe("a contract that comes and goes", () => {
  test("comes: raw changes hands in one put, the entries of others stay, and the plan says so in words", async () => {
    await bringUp(plain);
    const s3 = await lake.clients.s3();
    const theirs: LambdaFunctionConfiguration = {
      Id: "theirs",
      LambdaFunctionArn: plain.stages[0]!.functionArn,
      Events: ["s3:ObjectTagging:Put"],
    };
    const lambda = await lake.clients.lambda();
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: plain.stages[0]!.functionName,
        StatementId: "theirs",
        Action: "lambda:InvokeFunction",
        Principal: "s3.amazonaws.com",
        SourceArn: `arn:aws:s3:::${plain.buckets.raw}`,
      }),
    );
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: plain.buckets.raw,
        NotificationConfiguration: {
          LambdaFunctionConfigurations: [theirs, ...(await listeners(plain.buckets.raw))],
        },
      }),
    );
    await put(plain.buckets.raw, "a.csv");
    await put(plain.buckets.raw, "b.csv");
    lake.calls.take();
    const planned = await planOf(checked);
    expect(lake.calls.mutating()).toEqual([]);
    expect(planned.notes.map((note) => note.replaceAll(plain.name, "L"))).toEqual([
      "The lake gets the contract orders 1.0.0: validate checks every file of raw-L and puts the rows that keep it into trusted-L, which curate reads from now on.",
      "2 files in raw-L were made by the older definition and stay so. To apply the new one to them: minilake reconcile",
    ]);
    const { resources, notes } = await bringUp(checked);
    expect(notes).toEqual(planned.notes);
    expect(differences(resources)).toEqual(differences(planned.resources));
    expect(differences(resources)).toEqual(
      expect.arrayContaining([
        "bucket trusted-L created",
        "function minilake-L-validate created",
        "notification minilake-L-validate created",
        "role minilake-L-curate updated policy",
        "function minilake-L-curate updated code",
        "permission minilake-L-curate-events updated statement",
        "notification minilake-L-curate created",
        "definition s3://control-L/definition.json updated contract",
      ]),
    );
    expect((await listenersOf(checked.buckets.raw)).sort()).toEqual(["minilake-L-validate", "theirs"]);
    expect(await listenersOf(checked.buckets.trusted!)).toEqual(["minilake-L-curate"]);
    expect((await planOf(checked)).changed).toBe(false);
  });

  test("goes: what works on the data goes too, the data stays until it is said, and nothing else listens", async () => {
    await bringUp(checked);
    const { trusted = "", quarantine, control, raw } = checked.buckets;
    await put(trusted, "a.csv");
    await put(quarantine, "validate/a.csv.rejects.csv");
    await put(quarantine, "curate/a.csv.rejects.csv");
    await put(control, "receipts/validate/a.csv.json");
    const first = await bringUp(plain);
    expect(first.notes[0]).toContain("The lake has no contract any more (it was orders 1.0.0)");
    const kept = [
      "bucket trusted-L kept",
      "objects s3://quarantine-L/validate/ kept",
      "objects s3://control-L/receipts/validate/ kept",
    ];
    expect(differences(first.resources)).toEqual(
      expect.arrayContaining([
        "notification minilake-L-curate removed",
        "function minilake-L-validate removed",
        "role minilake-L-validate removed",
        "log group /aws/lambda/minilake-L-validate removed",
        "notification minilake-L-curate created",
        ...kept,
      ]),
    );
    expect(first.resources.find(({ name }) => name === trusted)?.reason).toContain(
      "it holds 1 object; to remove it: minilake up --prune",
    );
    expect(await listenersOf(raw)).toEqual(["minilake-L-curate"]);
    expect(await listenersOf(trusted)).toEqual([]);
    const gone = { name: expect.stringMatching(/NoSuchEntity|ResourceNotFound/) };
    const [iam, lambda] = [await lake.clients.iam(), await lake.clients.lambda()];
    await expect(iam.send(new GetRoleCommand({ RoleName: checked.stages[0]!.roleName }))).rejects.toMatchObject(gone);
    await expect(
      lambda.send(new GetFunctionCommand({ FunctionName: checked.stages[0]!.functionName })),
    ).rejects.toMatchObject(gone);

    lake.calls.take();
    const second = await bringUp(plain);
    expect(differences(second.resources)).toEqual(kept);
    expect(second.changed).toBe(false);
    expect(lake.calls.mutating()).toEqual([]);

    expect((await planOf(plain, { prune: true })).resources.filter(({ change }) => change === "removed")).toHaveLength(
      3,
    );
    const pruned = await bringUp(plain, { prune: true });
    expect(differences(pruned.resources)).toEqual(kept.map((line) => line.replace("kept", "removed")));
    const s3 = await lake.clients.s3();
    await expect(s3.send(new HeadBucketCommand({ Bucket: trusted }))).rejects.toMatchObject({ name: "NotFound" });
    expect(differences((await bringUp(plain)).resources)).toEqual([]);
  });

  test("a trusted bucket that holds nothing goes without a word", async () => {
    await bringUp(checked);
    expect(differences((await bringUp(plain)).resources)).toContain("bucket trusted-L removed");
  });

  test.each([
    [
      "another version",
      { ...CONTRACT, version: "1.1.0", columns: [CONTRACT.columns[0]!, { ...CONTRACT.columns[1]!, required: null }] },
      "The contract's version: 1.0.0 → 1.1.0; validate is deployed again. Columns changed: day.",
    ],
    [
      "the same version with other columns",
      { ...CONTRACT, columns: CONTRACT.columns.slice(1) },
      "The contract orders 1.0.0 has changed and still has the same version, so that receipts cannot tell which one a file has met. Columns removed: id.",
    ],
  ])("changes: %s", async (_, contract, sentence) => {
    await bringUp(checked);
    await put(checked.buckets.raw, "a.csv");
    const changed = lake.redefine({ contract: contract as CompiledContract });
    const { resources, notes } = await bringUp(changed);
    expect(notes).toEqual([
      sentence,
      `1 file in ${checked.buckets.raw} was made by the older definition and stays so. To apply the new one to it: minilake reconcile`,
    ]);
    expect(differences(resources)).toEqual([
      "function minilake-L-validate updated code",
      "function minilake-L-curate updated code",
      "definition s3://control-L/definition.json updated contract",
    ]);
  });

  test("format, dialect, partition and deletions change in words, too", async () => {
    await bringUp(plain);
    const other = lake.redefine({
      format: "parquet",
      dialect: { delimiter: ";" },
      partition: { column: "day", as: "dt_reference", timezone: "UTC" },
      onDelete: "keep",
    });
    const { notes, resources } = await plan(lake.clients, other, { bundle: lake.bundle });
    expect(notes).toEqual([
      "Curated objects are written as parquet instead of csv; a file that is made again leaves none of its csv objects behind.",
      'How raw files are read: delimiter detected → ";".',
      'The partition: column detected → "day".',
      "When a raw object is deleted, what came from it stays in the lake from now on.",
    ]);
    expect(differences(resources)).toEqual([
      "definition s3://control-L/definition.json updated format dialect partition deletions",
    ]);
  });
});

describe("ended in the middle", () => {
  const DEAD = `${hostname()}:99999999`;
  const dyingAt = (call: number) => {
    let calls = 0;
    return onCall((name) => {
      if (/^(Get|List|Describe|Head)/.test(name)) return;
      if (++calls >= call) throw new Error("killed");
    });
  };

  test.each([
    ["comes", () => [plain, checked] as const],
    ["goes", () => [checked, plain] as const],
  ])(
    "a contract that %s, killed at any call and run again, ends where an undisturbed one does",
    async (_, both) => {
      const [before, after] = both();
      for (let call = 1; ; call++) {
        await bringUp(before);
        const dying = dyingAt(call)(createClients({ ...lake.target, forcePathStyle: true }));
        const outcome = await up(dying, after, { bundle: await bundleOf(after), holder: DEAD }).catch(
          (error: Error) => error.message,
        );
        dying.destroy();
        if (typeof outcome !== "string") {
          expect(call).toBeGreaterThan(8);
          break;
        }
        expect(outcome).toBe("killed");
        await bringUp(after);
        const settled = await planOf(after);
        expect(differences(settled.resources)).toEqual([]);
        expect(await listenersOf(after.buckets.raw)).toEqual([
          after === plain ? "minilake-L-curate" : "minilake-L-validate",
        ]);
      }
    },
    120_000,
  );

  test("down, killed at any call, leaves nothing of a lake with a contract, whatever definition finishes it", async () => {
    for (let call = 1; ; call += 3) {
      await bringUp(checked);
      await put(checked.buckets.trusted!, "a.csv");
      const dying = dyingAt(call)(createClients({ ...lake.target, forcePathStyle: true }));
      const outcome = await down(dying, checked, { holder: DEAD }).catch((error: Error) => error.message);
      dying.destroy();
      if (typeof outcome !== "string") break;
      expect((await down(lake.clients, plain)).leftovers).toEqual([]);
    }
  }, 120_000);
});
