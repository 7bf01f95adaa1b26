import { findVersion, type LambdaContext } from "./context.ts";
import type { Lease } from "./functionPool.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import type { FunctionRecord } from "./records.ts";

/** Where an invocation goes. */
export interface InvocationTarget {
  record: Readonly<FunctionRecord>;
  /** As the caller wrote it; undefined for the function itself. */
  qualifier: string | undefined;
}

/** ARN with the qualifier that was asked for: what context.invokedFunctionArn shows. */
export const invokedArn = ({ record, qualifier }: InvocationTarget): string =>
  qualifier === undefined ? record.arn : `${record.arn}:${qualifier}`;

/** "F", "F:alias" or "F:1": the Resource dimension of the metrics. */
export const metricResource = ({ record, qualifier }: InvocationTarget): string =>
  qualifier === undefined ? record.name : `${record.name}:${qualifier}`;

export const resolveVersion = ({ record, qualifier }: InvocationTarget) => findVersion(record, qualifier);

/**
 * Runs one invocation in a leased environment, gives the lease back when that is free again, and counts what happened.
 *
 * result    rejected when the environment could not be made (role, code) or was closed
 * logTail   the last 4 KB of the invocation's log, once it is complete
 */
export function runInvocation(
  context: Pick<LambdaContext, "metrics" | "pool" | "settings">,
  target: InvocationTarget,
  lease: Lease,
  invocation: Invocation,
): { result: Promise<InvocationResult>; logTail: Promise<Buffer> } {
  const startedAt = context.settings.now();
  const { name } = target.record;
  const resource = metricResource(target);
  const count = (metric: Parameters<typeof context.metrics.add>[0], value: number) =>
    context.metrics.add(metric, name, resource, value, startedAt);
  count("ConcurrentExecutions", context.pool.running(name));
  const { result, finished } = lease.environment.invoke(invocation);
  const logTail = finished.then((tail) => {
    lease.release();
    return tail;
  });
  result.then(
    ({ functionError, durationMs }) => {
      count("Invocations", 1);
      count("Errors", functionError ? 1 : 0);
      count("Duration", durationMs);
    },
    () => undefined,
  );
  return { result, logTail };
}
