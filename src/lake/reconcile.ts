import type { Clients } from "../backends/clients.ts";
import { MinilakeError } from "../errors.ts";
import { type Bundle, buildBundle } from "./bundle.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import { type Lease, takeLease } from "./lease.ts";
import { findLeftovers } from "./leftovers.ts";
import type { OnProgress, ResourceReport } from "./progress.ts";
import { ensureBucket, removeBucket } from "./resources/bucket.ts";
import { ensureEventInvokeConfig, removeEventInvokeConfig } from "./resources/eventInvokeConfig.ts";
import { ensureFunction, removeFunction } from "./resources/lambdaFunction.ts";
import { ensureLogGroup, removeLogGroup } from "./resources/logGroup.ts";
import { ensureNotification, removeNotification } from "./resources/notification.ts";
import { ensurePermission, removePermission } from "./resources/permission.ts";
import { ensureQueue, removeQueue } from "./resources/queue.ts";
import type { ResourceContext } from "./resources/resource.ts";
import { ensureRole, removeRole } from "./resources/role.ts";
import { throwIfInterrupted } from "./waiting.ts";

export interface ReconcileOptions {
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
  /** @default built from the package's own functions */
  bundle?: Bundle | undefined;
  /** Who holds the lease. @default this host and process */
  holder?: string | undefined;
}

export interface ReconcileResult {
  /** In the order of the definition, which is the order of creation. */
  resources: ResourceReport[];
  changed: boolean;
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
  const bundle = options.bundle ?? (await buildBundle(definition.configuration));
  const planning = contextOf(clients, definition, "plan", { signal: options.signal });
  const controlBucket = bucketOf(definition, "control");
  const control = await ensureBucket(planning, controlBucket);
  if (control.change !== "created") {
    // Nobody needs the lease to find out that there is nothing to do.
    const planned = await ensureAll(planning, bundle, undefined);
    if (planned.every(({ change }) => change === "unchanged")) {
      for (const report of planned) options.onProgress?.({ step: "resource", ...report });
      return result(planned, started);
    }
  }
  const context = contextOf(clients, definition, "apply", options);
  const madeControl = await ensureBucket(context, controlBucket);
  const lease = await takeLease(await clients.s3(), controlBucket.name, {
    work: "up",
    ...(options.holder === undefined ? {} : { holder: options.holder }),
  });
  try {
    return result(await ensureAll(context, bundle, lease, madeControl), started);
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
  const bundle = options.bundle ?? (await buildBundle(definition.configuration));
  return result(await ensureAll(contextOf(clients, definition, "plan", options), bundle, undefined), started);
}

/**
 * Every resource, each as soon as what it needs is there: role, queue and log group before the function, the function before its
 * permission, the permission and the bucket before the notification.
 */
async function ensureAll(
  context: ResourceContext,
  bundle: Bundle,
  lease: Lease | undefined,
  madeControl?: ResourceReport,
): Promise<ResourceReport[]> {
  const { definition } = context;
  const reports = new Map<object, ResourceReport>();
  const slots: object[] = [];
  const failure = new AbortController();
  /** Reserves the report's place in the order of the definition, whatever ends first. */
  const step = (work: () => Promise<ResourceReport>): Promise<ResourceReport> => {
    const slot = {};
    slots.push(slot);
    return run(async () => {
      throwIfInterrupted(context.signal);
      // What was begun is brought to its end; nothing new begins after a failure.
      if (failure.signal.aborted) throw failure.signal.reason;
      lease?.check();
      const report = await work();
      reports.set(slot, report);
      context.onProgress?.({ step: "resource", ...report });
      return report;
    }).catch((error: unknown) => {
      failure.abort(error);
      throw error;
    });
  };
  const buckets = definition.bucketDefinitions.map((bucket) =>
    step(async () => (bucket.layer === "control" && madeControl) || ensureBucket(context, bucket)),
  );
  const queue = step(() => ensureQueue(context));
  const stages = definition.stages.map((stage) => {
    const role = step(() => ensureRole(context, stage));
    const logGroup = step(() => ensureLogGroup(context, stage));
    const lambdaFunction = step(async () => {
      await Promise.all([role, logGroup, queue]);
      return ensureFunction(context, stage, bundle);
    });
    const isNew = async () => ({ functionIsNew: (await lambdaFunction).change === "created" });
    const invokeSettings = step(async () => ensureEventInvokeConfig(context, stage, await isNew()));
    const permission = step(async () => ensurePermission(context, stage, await isNew()));
    const notification = step(async () => {
      // Every bucket, and the invoke settings: the first event may come at once.
      await Promise.all([permission, invokeSettings, ...buckets]);
      return ensureNotification(context, stage);
    });
    return [role, logGroup, lambdaFunction, invokeSettings, permission, notification];
  });
  const all = [...buckets, queue, ...stages.flat()];
  await Promise.allSettled(all);
  if (failure.signal.aborted) throw failure.signal.reason;
  return slots.map((slot) => reports.get(slot)!);
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
    const step = async (works: (() => Promise<ResourceReport>)[]) => {
      const settled = await Promise.allSettled(
        works.map((work) =>
          run(async () => {
            throwIfInterrupted(context.signal);
            lease?.check();
            const report = await work();
            context.onProgress?.({ step: "resource", ...report });
            return report;
          }),
        ),
      );
      for (const outcome of settled) {
        if (outcome.status === "rejected") throw outcome.reason;
        resources.push(outcome.value);
      }
    };
    const stages = [...definition.stages].reverse();
    const forStages = (remove: (context: ResourceContext, stage: StageDefinition) => Promise<ResourceReport>) =>
      stages.map((stage) => () => remove(context, stage));
    await step(forStages(removeNotification));
    await step([...forStages(removePermission), ...forStages(removeEventInvokeConfig)]);
    await step(forStages(removeFunction));
    await step([...forStages(removeLogGroup), ...forStages(removeRole), () => removeQueue(context)]);
    const buckets = [...definition.bucketDefinitions].reverse();
    const others = buckets.filter(({ layer }) => layer !== "control");
    await step(others.map((bucket) => () => removeBucket(context, bucket, { keepData })));
    // Last, because it holds the lease.
    await step([() => removeBucket(context, controlBucket, { keepData })]);
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
    return { ...result(resources, started), leftovers };
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

function result(resources: ResourceReport[], started: number): ReconcileResult {
  return {
    resources,
    changed: resources.some(({ change }) => change === "created" || change === "updated" || change === "removed"),
    durationMs: performance.now() - started,
  };
}
