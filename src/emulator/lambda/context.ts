import type { Caller } from "../access.ts";
import { AwsError } from "../awsError.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { AsyncQueue } from "./asyncInvoke.ts";
import type { CodeStore } from "./codeStore.ts";
import { optionalInteger } from "./constraints.ts";
import { functionArn, functionNotFound, notFound, parseFunctionName } from "./functionName.ts";
import type { FunctionPool } from "./functionPool.ts";
import type { LambdaDependencies } from "./index.ts";
import type { LambdaMetrics } from "./metrics.ts";
import type { FunctionRecord, VersionRecord } from "./records.ts";
import { policyDocument } from "./resourcePolicy.ts";
import type { FunctionStore } from "./store.ts";

/** What every operation works with. */
export interface LambdaContext {
  dependencies: LambdaDependencies;
  settings: EmulatorSettings;
  functions: FunctionStore;
  code: CodeStore;
  pool: FunctionPool;
  queue: AsyncQueue;
  metrics: LambdaMetrics;
  /** Ends State Pending and LastUpdateStatus InProgress a moment from now. */
  settleLater(functionName: string, afterMs?: number): void;
  /** Removes code that nothing refers to any more. */
  collectCode(): void;
  /** URL that downloads the zip for ten minutes. */
  codeLocation(codeHash: string): string;
}

/** One call, decoded. */
export interface OperationInput {
  /** Path parameters, decoded. */
  parameters: Record<string, string>;
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** For Invoke, whose body is not the operation's own JSON. */
  rawBody: Buffer;
  header(name: string): string | undefined;
  caller: Caller;
  requestId: string;
}

export interface OperationOutput {
  status: number;
  /** Undefined gives an empty body. */
  body?: unknown;
  /** Instead of `body`: bytes as they are. */
  rawBody?: Buffer;
  headers?: Record<string, string>;
}

export type Operation = (input: OperationInput, context: LambdaContext) => OperationOutput | Promise<OperationOutput>;

/**
 * The function that {FunctionName} and ?Qualifier name, once the caller may do `action` on it. Throws RNF 404, AccessDenied 403.
 *
 * absent   makes the error for a function that is not there; its words differ between operations
 */
export function requireFunction(
  input: OperationInput,
  context: LambdaContext,
  action: string,
  absent: (arn: string, qualifier: string | undefined) => AwsError = functionNotFound,
): { record: Readonly<FunctionRecord>; qualifier: string | undefined } {
  const { name, qualifier } = parseFunctionName(
    input.parameters.FunctionName ?? "",
    input.query.get("Qualifier"),
    context.settings,
  );
  const arn = functionArn(name, context.settings);
  const record = context.functions.find(name);
  requireAccess(input, context, action, qualifier === undefined ? arn : `${arn}:${qualifier}`, record, qualifier);
  if (!record) throw absent(arn, qualifier);
  return { record, qualifier };
}

/** Throws AccessDeniedException 403 in IAM's words. */
export function requireAccess(
  input: OperationInput,
  context: LambdaContext,
  action: string,
  resource: string,
  record?: Readonly<FunctionRecord>,
  qualifier?: string,
): void {
  const policy = record && policyDocument(record, qualifier);
  const decision = context.dependencies.authorize(input.caller, { action, resource, resourcePolicy: policy });
  if (!decision.allowed) throw new AwsError("AccessDeniedException", decision.message, 403);
}

/** The version behind a qualifier: a version number, an alias, or $LATEST when there is none. Throws RNF 404. */
export function requireVersion(record: Readonly<FunctionRecord>, qualifier: string | undefined): VersionRecord {
  const version = findVersion(record, qualifier);
  if (version) return version;
  throw functionNotFound(record.arn, qualifier);
}

/** As `requireVersion`; of an alias that splits its invocations always the version that it points to. */
export function requireMainVersion(record: Readonly<FunctionRecord>, qualifier: string | undefined): VersionRecord {
  return requireVersion(record, record.aliases[qualifier ?? ""]?.version ?? qualifier);
}

/** With an alias that splits its invocations, each call may give another version. */
export function findVersion(
  record: Readonly<FunctionRecord>,
  qualifier: string | undefined,
): VersionRecord | undefined {
  const direct = record.versions[qualifier ?? "$LATEST"];
  if (direct) return direct;
  const alias = record.aliases[qualifier!];
  if (!alias) return undefined;
  let draw = Math.random();
  for (const [version, weight] of Object.entries(alias.additionalWeights)) {
    if (draw < weight) return record.versions[version];
    draw -= weight;
  }
  return record.versions[alias.version];
}

export function requireAlias(record: Readonly<FunctionRecord>, name: string) {
  const alias = record.aliases[name];
  if (!alias) throw notFound(`Cannot find alias arn: ${record.arn}:${name}`);
  return alias;
}

const MAX_PAGE = 10_000;

/** Start and size of a page: Marker is the number of items before it, in base64. Throws ValidationException. */
export function page<T>(
  items: T[],
  query: URLSearchParams,
  defaultSize: number,
): { items: T[]; next: string | undefined } {
  const marker = query.get("Marker");
  const start = marker ? Number.parseInt(Buffer.from(marker, "base64").toString("latin1"), 10) : 0;
  const asked = query.get("MaxItems");
  const size = optionalInteger({ MaxItems: asked ? Number(asked) : undefined }, "MaxItems", 1, MAX_PAGE) ?? defaultSize;
  const from = Number.isInteger(start) && start >= 0 ? start : 0;
  const rest = from + size < items.length ? Buffer.from(String(from + size)).toString("base64") : undefined;
  return { items: items.slice(from, from + size), next: rest };
}
