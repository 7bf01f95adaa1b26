import type { Clients } from "../backends/clients.ts";
import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import { type Bundle, buildLakeBundle } from "./bundle.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import { describeChanges } from "./definitionChanges.ts";
import { type Lease, takeLease } from "./lease.ts";
import { findLeftovers } from "./leftovers.ts";
import type { OnProgress, ResourceReport } from "./progress.ts";
import { listKeys } from "./receipts.ts";
import { ensureBucket, removeBucket } from "./resources/bucket.ts";
import { ensureDefinitionRecord, readDefinitionRecord } from "./resources/definitionRecord.ts";
import { ensureEventInvokeConfig, removeEventInvokeConfig } from "./resources/eventInvokeConfig.ts";
import { ensureFunction, removeFunction } from "./resources/lambdaFunction.ts";
import { ensureLogGroup, removeLogGroup } from "./resources/logGroup.ts";
import { ensureNotification, removeNotifications } from "./resources/notification.ts";
import { ensurePermission, removePermission } from "./resources/permission.ts";
import { removePrefix } from "./resources/prefix.ts";
import { ensureQueue, removeQueue } from "./resources/queue.ts";
import { NOT_OURS, type ResourceContext, reported } from "./resources/resource.ts";
import { ensureRole, removeRole } from "./resources/role.ts";
import { throwIfInterrupted } from "./waiting.ts";

export interface ReconcileOptions {
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
  /** @default built from the package's own functions */
  bundle?: Bundle | undefined;
  /** Who holds the lease. @default this host and process */
  holder?: string | undefined;
  /** Also removes data that the definition has no place for any more. @default false: it is kept, and told of */
  prune?: boolean | undefined;
}

export interface ReconcileResult {
  /** In the order of the definition, which is the order of creation. */
  resources: ResourceReport[];
  changed: boolean;
  /** What changes in the lake's definition and what that means for the files in it, one sentence each. */
  notes: string[];
  durationMs: number;
}

/**
 * Brings the lake to its definition. What is there already and right is not touched: without a difference no mutating call is made.
 * May be interrupted anywhere and run again.
 * Throws MinilakeError NotOurs, LeaseHeld, Timeout, Interrupted; AWS's own errors pass through.
 */
export async function up(
  clients: Clients,
  definition: LakeDefinition,
  options: ReconcileOptions = {},
): Promise<ReconcileResult> {
  const started = performance.now();
  const bundle = options.bundle ?? (await buildLakeBundle(definition, options));
  const prune = options.prune ?? false;
  const planning = contextOf(clients, definition, "plan", { signal: options.signal });
  const controlBucket = bucketOf(definition, "control");
  const control = await ensureBucket(planning, controlBucket);
  if (control.change !== "created") {
    // Nobody needs the lease to find out that there is nothing to do.
    const planned = await ensureAll(planning, { bundle, prune, madeControl: control });
    if (planned.resources.every(({ change }) => change === "unchanged" || change === "kept")) {
      for (const report of planned.resources) options.onProgress?.({ step: "resource", ...report });
      return result(planned, started);
    }
  }
  const context = contextOf(clients, definition, "apply", options);
  const madeControl = await ensureBucket(context, controlBucket);
  const lease = await takeLease(await clients.s3(), controlBucket.name, {
    work: "up",
    bucketIsNew: madeControl.change === "created",
    ...(options.holder === undefined ? {} : { holder: options.holder }),
  });
  try {
    return result(await ensureAll(context, { bundle, prune, lease, madeControl }), started);
  } finally {
    await lease.release();
  }
}

/** What `up` would do. Makes no mutating call. */
export async function plan(
  clients: Clients,
  definition: LakeDefinition,
  options: Omit<ReconcileOptions, "holder"> = {},
): Promise<ReconcileResult> {
  const started = performance.now();
  const bundle = options.bundle ?? (await buildLakeBundle(definition, options));
  const context = contextOf(clients, definition, "plan", options);
  return result(await ensureAll(context, { bundle, prune: options.prune ?? false }), started);
}

interface Outcome {
  resources: ResourceReport[];
  notes: string[];
}

/**
 * Every resource, each as soon as what it needs is there: role, queue and log group before the function, the function before its
 * permission, the permission and the bucket before the notification. A later stage listens before an earlier one does, and
 * what an earlier definition had goes when nothing needs it any more.
 */
async function ensureAll(
  context: ResourceContext,
  work: { bundle: Bundle; prune: boolean; lease?: Lease; madeControl?: ResourceReport },
): Promise<Outcome> {
  const { definition } = context;
  const { bundle, prune, lease, madeControl } = work;
  const { retired } = definition;
  const reports = new Map<object, ResourceReport[]>();
  const slots: object[] = [];
  const failure = new AbortController();
  /** Reserves the reports' place in the order of the definition, whatever ends first. */
  const steps = <T extends ResourceReport[]>(work: () => Promise<T>): Promise<T> => {
    const slot = {};
    slots.push(slot);
    return run(async () => {
      throwIfInterrupted(context.signal);
      // What was begun is brought to its end; nothing new begins after a failure.
      if (failure.signal.aborted) throw failure.signal.reason;
      lease?.check();
      const made = await work();
      reports.set(slot, made);
      for (const report of made) context.onProgress?.({ step: "resource", ...report });
      return made;
    }).catch((error: unknown) => {
      failure.abort(error);
      throw error;
    });
  };
  const step = (work: () => Promise<ResourceReport>): Promise<ResourceReport> =>
    steps(async () => [await work()]).then(([report]) => report!);
  /** For what an earlier definition had: most lakes have none of it, and it is not told of. */
  const retire = (work: () => Promise<ResourceReport>) =>
    steps(async () => [await work()].filter((report) => report.change !== "absent" && !isOfOthers(report)));

  const recorded = readDefinitionRecord(context);
  const notes = recorded.then((before) => notesOf(context, before));
  // Whoever awaits them later must not be too late for their failure.
  for (const reading of [recorded, notes]) reading.catch((error: unknown) => failure.abort(error));
  const buckets = definition.bucketDefinitions.map((bucket) =>
    step(async () => (bucket.layer === "control" && madeControl) || ensureBucket(context, bucket)),
  );
  const queue = step(() => ensureQueue(context));
  const unheard = retired.buckets.map((bucket) => steps(() => removeNotifications(context, bucket.name)));
  const notifications: Promise<ResourceReport>[] = [];
  const stages = definition.stages.map((stage, index) => {
    const role = step(() => ensureRole(context, stage));
    const logGroup = step(() => ensureLogGroup(context, stage));
    const lambdaFunction = step(async () => {
      await Promise.all([role, logGroup, queue, ...unheard]);
      return ensureFunction(context, stage, bundle);
    });
    const isNew = async () => ({ functionIsNew: (await lambdaFunction).change === "created" });
    const invokeSettings = step(async () => ensureEventInvokeConfig(context, stage, await isNew()));
    const permission = step(async () => ensurePermission(context, stage, await isNew()));
    notifications[index] = step(async () => {
      // Every bucket, and the invoke settings: the first event may come at once.
      await Promise.all([permission, invokeSettings, ...buckets]);
      await notifications[index + 1];
      return ensureNotification(context, stage);
    });
    return [role, logGroup, lambdaFunction, invokeSettings, permission, notifications[index]];
  });
  const inPlace = [...buckets, queue, ...stages.flat()];
  const afterwards = <T>(work: () => Promise<T>) => Promise.all(inPlace).then(work);
  const gone = [
    ...retired.stages.map((stage) => {
      const stopped = retire(() => afterwards(() => removeFunction(context, stage)));
      return [
        stopped,
        retire(() => stopped.then(() => removeRole(context, stage))),
        retire(() => stopped.then(() => removeLogGroup(context, stage, { onlyEmpty: !prune }))),
      ];
    }),
    retired.buckets.map((bucket) =>
      retire(() => afterwards(() => removeBucket(context, bucket, { onlyEmpty: !prune }))),
    ),
    retired.prefixes.map((place) => retire(() => afterwards(() => removePrefix(context, place, { prune })))),
  ].flat();
  const record = step(async () => {
    await Promise.all([...inPlace, ...gone]);
    return ensureDefinitionRecord(context, await recorded);
  });
  await Promise.allSettled([...inPlace, ...unheard, ...gone, record, notes]);
  if (failure.signal.aborted) throw failure.signal.reason;
  return { resources: slots.flatMap((slot) => reports.get(slot)!), notes: await notes };
}

/** Most objects of raw that are counted for a sentence; beyond it is "more than". */
const MOST_COUNTED = 10_000;

/** What changes in the definition, and which files it does not reach by itself. */
async function notesOf(context: ResourceContext, before: FunctionConfiguration | undefined): Promise<string[]> {
  const { configuration, buckets } = context.definition;
  if (before === undefined) return [];
  const changes = describeChanges(before, configuration);
  const notes = changes.map(({ sentence }) => sentence);
  if (!changes.some(({ changesFiles }) => changesFiles)) return notes;
  let files = 0;
  try {
    for await (const _ of listKeys(await context.clients.s3(), buckets.raw, { signal: context.signal })) {
      if (++files > MOST_COUNTED) break;
    }
  } catch (error) {
    if (!isAwsError(error, "NoSuchBucket")) throw error;
  }
  if (files === 0) return notes;
  const count = `${files > MOST_COUNTED ? "More than " : ""}${Math.min(files, MOST_COUNTED).toLocaleString("en-US")} ${files === 1 ? "file" : "files"}`;
  const were =
    files === 1 ? "was made by the older definition and stays" : "were made by the older definition and stay";
  return [
    ...notes,
    `${count} in ${buckets.raw} ${were} so. To apply the new one to ${files === 1 ? "it" : "them"}: minilake reconcile`,
  ];
}

/** Of the same name as a part of ours that is no more: nobody's business. */
function isOfOthers({ change, reason }: ResourceReport): boolean {
  return change === "kept" && reason === NOT_OURS;
}

export interface DownOptions extends Omit<ReconcileOptions, "bundle"> {
  /** Buckets and what is in them stay; everything that works on them goes. */
  keepData?: boolean | undefined;
}

export interface DownResult extends ReconcileResult {
  /** What still carries the lake's tags, by kind and name; empty unless data was to be kept. */
  leftovers: { kind: string; name: string }[];
}

/**
 * Removes everything that `up` made, the other way round, and looks whether something is left. What is gone already counts as done,
 * what is not ours stays. May be interrupted anywhere and run again.
 */
export async function down(
  clients: Clients,
  definition: LakeDefinition,
  options: DownOptions = {},
): Promise<DownResult> {
  const started = performance.now();
  const context = contextOf(clients, definition, "apply", options);
  const { keepData } = options;
  const controlBucket = bucketOf(definition, "control");
  const control = await ensureBucket(contextOf(clients, definition, "plan", {}), controlBucket).catch(
    (error: unknown) => {
      if (error instanceof MinilakeError && error.code === "NotOurs") return undefined;
      throw error;
    },
  );
  const lease =
    control === undefined || control.change === "created"
      ? undefined
      : await takeLease(await clients.s3(), controlBucket.name, {
          work: "down",
          ...(options.holder === undefined ? {} : { holder: options.holder }),
        });
  try {
    const resources: ResourceReport[] = [];
    const step = async (works: (() => Promise<ResourceReport[]>)[]) => {
      const settled = await Promise.allSettled(
        works.map((work) =>
          run(async () => {
            throwIfInterrupted(context.signal);
            lease?.check();
            const reports = await work();
            for (const report of reports) context.onProgress?.({ step: "resource", ...report });
            return reports;
          }),
        ),
      );
      for (const outcome of settled) {
        if (outcome.status === "rejected") throw outcome.reason;
        resources.push(...outcome.value);
      }
    };
    const { retired } = definition;
    const stages = [...definition.stages, ...retired.stages].reverse();
    const isRetired = (part: object) => [...retired.stages, ...retired.buckets].some((each) => each === part);
    const forStages = (remove: (context: ResourceContext, stage: StageDefinition) => Promise<ResourceReport>) =>
      stages.map((stage) => () => unlessAbsent(stage, remove(context, stage)));
    /** Of parts that another definition has, only those are told of that are there. */
    const unlessAbsent = async (part: object, removing: Promise<ResourceReport>) => {
      const report = await removing;
      return isRetired(part) && (report.change === "absent" || isOfOthers(report)) ? [] : [report];
    };
    const sources = [...retired.buckets, ...definition.bucketDefinitions].filter(
      ({ layer }) => layer === "raw" || layer === "trusted",
    );
    await step(
      sources.map(({ name }) => async () => {
        const removed = await removeNotifications(context, name);
        const expected = definition.stages.find(({ sourceBucket }) => sourceBucket === name);
        if (removed.length > 0 || expected === undefined) return removed;
        return [reported("notification", expected.notificationId, "absent")];
      }),
    );
    await step([...forStages(removePermission), ...forStages(removeEventInvokeConfig)]);
    await step(forStages(removeFunction));
    await step([...forStages(removeLogGroup), ...forStages(removeRole), async () => [await removeQueue(context)]]);
    const buckets = [...definition.bucketDefinitions, ...retired.buckets].reverse();
    const others = buckets.filter(({ layer }) => layer !== "control");
    await step(others.map((bucket) => () => unlessAbsent(bucket, removeBucket(context, bucket, { keepData }))));
    // Last, because it holds the lease.
    await step([async () => [await removeBucket(context, controlBucket, { keepData })]]);
    let leftovers = await findLeftovers(context);
    if (leftovers.some(({ kind }) => kind === "log group")) {
      // A run that ended late has written its log once more.
      for (const stage of stages) await removeLogGroup(context, stage);
      leftovers = await findLeftovers(context);
    }
    if (leftovers.length > 0 && !keepData) {
      const names = leftovers.map(({ kind, name }) => `${kind} ${name}`).join(", ");
      throw new MinilakeError("Internal", `After everything was removed this is still there: ${names}.`, {
        hint: "Run minilake down again.",
      });
    }
    return { ...result({ resources, notes: [] }, started), leftovers };
  } finally {
    await lease?.release();
  }
}

function contextOf(
  clients: Clients,
  definition: LakeDefinition,
  mode: "apply" | "plan",
  { onProgress, signal }: Pick<ReconcileOptions, "onProgress" | "signal">,
): ResourceContext {
  return { clients, definition, mode, onProgress, signal };
}

function bucketOf(definition: LakeDefinition, layer: "control") {
  return definition.bucketDefinitions.find((bucket) => bucket.layer === layer)!;
}

/** Turns what `work` throws before its first await into a rejection, too. */
async function run<T>(work: () => Promise<T>): Promise<T> {
  return work();
}

function result({ resources, notes }: Outcome, started: number): ReconcileResult {
  return {
    resources,
    notes,
    changed: resources.some(({ change }) => change === "created" || change === "updated" || change === "removed"),
    durationMs: performance.now() - started,
  };
}
