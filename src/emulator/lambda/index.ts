/**
 * Lambda: functions from zip packages, run in processes of their own through the Lambda Runtime API.
 *
 * Operations: see `routes.ts`; everything else answers 501 by name.
 *
 * Gaps:
 * - Packages: no container images, layers, VPC, file systems, SnapStart, code signing, function URLs, provisioned concurrency, response
 *   streaming or event source mappings.
 * - Runtimes: nodejs18.x to 24.x run on the Node that runs this endpoint, python3.9 to 3.14 on the python3 in PATH, whatever
 *   their version is. The AWS SDK is not part of them: a function brings its own (boto3 is used if the machine has it).
 *   Before Node 22.15 `import` finds packages in a node_modules above the data folder.
 * - No containers: the code is not at /var/task but in LAMBDA_TASK_ROOT, CPU share is not limited, read-only code does not stop root, and the
 *   function sees the machine's files and processes.
 * - /tmp is redirected by the runtimes to a folder of the environment, and EphemeralStorage enforced there: not for native code, nor for
 *   programs beyond their arguments, working folder and TMPDIR.
 * - Memory, and the limit of 1,024 processes and threads, are checked on Linux alone, for all processes of an environment: at intervals
 *   (40 ms while it runs, 250 ms for processes not seen before, one second while idle) and with every response. Too many processes end
 *   the environment; on AWS the next one cannot be started.
 * - Processes that a function starts end with it on Linux, by a variable that they inherit; elsewhere only those of its process group.
 * - An idle environment is frozen, except on Windows.
 * - A function that was made or changed has a process waiting for its first invocation, at most two over all functions; it has loaded nothing
 *   of the function, and Init Duration does not count it.
 * - Refused by name: KMS keys, X-Ray tracing, PublishTo, arm64 on a machine that is not, tenants, durable executions, capacity
 *   providers, packages that stay in S3, and members of an input that no operation here reads (`members.ts`).
 * - Destinations and dead letters: SQS, S3 and functions; no SNS, no EventBridge.
 * - Reserved concurrency limits its function and does not keep room free for it.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Authorize, Caller } from "../access.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import type { EventSource, EventTarget } from "../delivery.ts";
import type { Faults } from "../faults.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";
import { refuseOtherMembers } from "../protocols/members.ts";
import { decodeRestJson, encodeRestJson, encodeRestJsonError, restRouter } from "../protocols/restJson.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import { AsyncQueue, newEventId } from "./asyncInvoke.ts";
import { CodeStore } from "./codeStore.ts";
import type { LambdaContext, Operation, OperationInput } from "./context.ts";
import { MAX_REQUEST_BYTES } from "./deployedCode.ts";
import { LogWriter } from "./functionLog.ts";
import { type FunctionReference, parseFunctionName } from "./functionName.ts";
import { FunctionPool } from "./functionPool.ts";
import { endLeftovers } from "./leftovers.ts";
import { MEMBERS } from "./members.ts";
import { LambdaMetrics } from "./metrics.ts";
import { addPermission } from "./operations/addPermission.ts";
import { createAlias } from "./operations/createAlias.ts";
import { createFunction } from "./operations/createFunction.ts";
import { deleteAlias } from "./operations/deleteAlias.ts";
import { deleteFunction } from "./operations/deleteFunction.ts";
import { deleteFunctionConcurrency } from "./operations/deleteFunctionConcurrency.ts";
import { deleteFunctionEventInvokeConfig } from "./operations/deleteFunctionEventInvokeConfig.ts";
import { getAccountSettings } from "./operations/getAccountSettings.ts";
import { getAlias } from "./operations/getAlias.ts";
import { getFunction } from "./operations/getFunction.ts";
import { getFunctionCodeSigningConfig } from "./operations/getFunctionCodeSigningConfig.ts";
import { getFunctionConcurrency } from "./operations/getFunctionConcurrency.ts";
import { getFunctionConfiguration } from "./operations/getFunctionConfiguration.ts";
import { getFunctionEventInvokeConfig } from "./operations/getFunctionEventInvokeConfig.ts";
import { getFunctionRecursionConfig } from "./operations/getFunctionRecursionConfig.ts";
import { getPolicy } from "./operations/getPolicy.ts";
import { getRuntimeManagementConfig } from "./operations/getRuntimeManagementConfig.ts";
import { invoke } from "./operations/invoke.ts";
import { invokeAsync } from "./operations/invokeAsync.ts";
import { listAliases } from "./operations/listAliases.ts";
import { listFunctionEventInvokeConfigs } from "./operations/listFunctionEventInvokeConfigs.ts";
import { listFunctions } from "./operations/listFunctions.ts";
import { listTags } from "./operations/listTags.ts";
import { listVersionsByFunction } from "./operations/listVersionsByFunction.ts";
import { publishVersion } from "./operations/publishVersion.ts";
import { putFunctionConcurrency } from "./operations/putFunctionConcurrency.ts";
import { putFunctionEventInvokeConfig } from "./operations/putFunctionEventInvokeConfig.ts";
import { putFunctionRecursionConfig } from "./operations/putFunctionRecursionConfig.ts";
import { putRuntimeManagementConfig } from "./operations/putRuntimeManagementConfig.ts";
import { removePermission } from "./operations/removePermission.ts";
import { tagResource } from "./operations/tagResource.ts";
import { untagResource } from "./operations/untagResource.ts";
import { updateAlias } from "./operations/updateAlias.ts";
import { updateFunctionCode } from "./operations/updateFunctionCode.ts";
import { updateFunctionConfiguration } from "./operations/updateFunctionConfiguration.ts";
import { updateFunctionEventInvokeConfig } from "./operations/updateFunctionEventInvokeConfig.ts";
import { OrphanGuard } from "./orphanGuard.ts";
import { ProcessWatcher } from "./processWatcher.ts";
import type { VersionRecord } from "./records.ts";
import { policyDocument } from "./resourcePolicy.ts";
import { type OperationName, ROUTES, UNSUPPORTED } from "./routes.ts";
import { FunctionStore, newRevision } from "./store.ts";

export interface LambdaService extends Service, EventTarget {}

/** What Lambda needs of the other services; the types are spelled out here because services do not import each other. */
export interface LambdaDependencies {
  store: Store;
  settings: EmulatorSettings;
  /** Where packages are unpacked and each environment has its /tmp: a folder of Lambda's own inside the data folder. */
  folder: string;
  authorize: Authorize;
  roleRefusal(roleArn: string, service: string): string | undefined;
  assumeRoleForService(
    roleArn: string,
    sessionName: string,
    service: string,
  ): {
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string; expiration: number };
    caller: Caller;
  };
  appendLogs(caller: Caller, group: string, stream: string, events: { timestamp: number; message: string }[]): void;
  recordMetrics(
    data: {
      namespace: string;
      name: string;
      dimensions: Record<string, string>;
      value: number;
      unit: string;
      timestamp: number;
    }[],
  ): void;
  /** Inside a transaction; returns why the message was not stored, or undefined. */
  sendMessage(
    caller: Caller,
    queueArn: string,
    body: string,
    attributes: Record<string, { DataType: string; StringValue?: string }>,
    traceHeader: string,
  ): string | undefined;
  hasQueue(arn: string): boolean;
  hasBucket(name: string): boolean;
  readObject(
    caller: Caller,
    bucket: string,
    key: string,
    versionId: string | undefined,
    maxBytes: number,
  ): Promise<Buffer>;
  putObject(caller: Caller, bucket: string, key: string, body: Buffer): Promise<void>;
  faults: Faults;
}

const OPERATIONS: Record<OperationName, Operation> = {
  AddPermission: addPermission,
  CreateAlias: createAlias,
  CreateFunction: createFunction,
  DeleteAlias: deleteAlias,
  DeleteFunction: deleteFunction,
  DeleteFunctionConcurrency: deleteFunctionConcurrency,
  DeleteFunctionEventInvokeConfig: deleteFunctionEventInvokeConfig,
  GetAccountSettings: getAccountSettings,
  GetAlias: getAlias,
  GetFunction: getFunction,
  GetFunctionCodeSigningConfig: getFunctionCodeSigningConfig,
  GetFunctionConcurrency: getFunctionConcurrency,
  GetFunctionConfiguration: getFunctionConfiguration,
  GetFunctionEventInvokeConfig: getFunctionEventInvokeConfig,
  GetFunctionRecursionConfig: getFunctionRecursionConfig,
  GetPolicy: getPolicy,
  GetRuntimeManagementConfig: getRuntimeManagementConfig,
  Invoke: invoke,
  InvokeAsync: invokeAsync,
  ListAliases: listAliases,
  ListFunctionEventInvokeConfigs: listFunctionEventInvokeConfigs,
  ListFunctions: listFunctions,
  ListTags: listTags,
  ListVersionsByFunction: listVersionsByFunction,
  PublishVersion: publishVersion,
  PutFunctionConcurrency: putFunctionConcurrency,
  PutFunctionEventInvokeConfig: putFunctionEventInvokeConfig,
  PutFunctionRecursionConfig: putFunctionRecursionConfig,
  PutRuntimeManagementConfig: putRuntimeManagementConfig,
  RemovePermission: removePermission,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateAlias: updateAlias,
  UpdateFunctionCode: updateFunctionCode,
  UpdateFunctionConfiguration: updateFunctionConfiguration,
  UpdateFunctionEventInvokeConfig: updateFunctionEventInvokeConfig,
};

/** Error codes whose text is in the member "Message"; all others write "message". */
const CAPITAL_MESSAGE = new Set(["ResourceNotFoundException", "ServiceException", "AccessDeniedException"]);

/** How long Pending and InProgress last: long enough for a client to see them, and no longer. */
const SETTLE_MS = 10;
/** After a failure to store it, as on a full disk. */
const RETRY_SETTLE_MS = 1_000;

/** Where GetFunction's Code.Location leads; the server hands it over without credentials, the signature in it is the permission. */
const CODE_PATH = "/_minilake/code/";
const CODE_LOCATION = /^\/_minilake\/code\/([0-9a-f]{64})\.(\d+)\.([0-9a-f]{64})$/;
const CODE_LOCATION_MS = 10 * 60_000;

export function createLambda(dependencies: LambdaDependencies): LambdaService {
  const { store, settings, folder } = dependencies;
  const environments = join(folder, "environments");
  const functions = new FunctionStore(store);
  const code = new CodeStore(join(folder, "code"));
  // Without it a package.json above the data folder, of a project with "type": "module", would count for functions that have none.
  writeFileSync(join(folder, "package.json"), "{}\n");
  const logs = new LogWriter({
    append: dependencies.appendLogs,
    transaction: (work) => store.transaction(work),
    report: settings.report,
  });
  const metrics = new LambdaMetrics(dependencies.recordMetrics, settings.report);
  const linkSecret = randomBytes(32);
  const settling = new Set<NodeJS.Timeout>();
  let isStopped = false;

  const isReferenced = (codeHash: string) => functions.usesCode(codeHash);
  const collectCode = () => {
    if (isStopped) return;
    code.collect(isReferenced).catch((error) => settings.report("unused function code was not removed", error));
  };
  const pool = new FunctionPool({
    dependencies: {
      settings,
      code,
      logs,
      watcher: new ProcessWatcher(),
      guard: new OrphanGuard(),
      assumeRole: (role, sessionName) => dependencies.assumeRoleForService(role, sessionName, "lambda.amazonaws.com"),
    },
    folder: environments,
    concurrency: settings.concurrency,
    onRelease: () => context.queue.pump(),
    onClosed: collectCode,
  });

  const context: LambdaContext = {
    dependencies,
    settings,
    functions,
    code,
    pool,
    metrics,
    collectCode,
    settleLater: (name, afterMs = SETTLE_MS) => {
      const timer = setTimeout(() => {
        settling.delete(timer);
        settle(name);
        startAhead(name);
      }, afterMs);
      settling.add(timer);
    },
    codeLocation: (hash) => {
      const expires = settings.now() + CODE_LOCATION_MS;
      return `${settings.endpoint()}${CODE_PATH}${hash}.${expires}.${signLink(linkSecret, hash, expires)}`;
    },
    queue: undefined as unknown as AsyncQueue,
  };
  context.queue = new AsyncQueue(context);

  /** Ends Pending and InProgress. */
  function settle(name: string): void {
    const isSettling = ({ state, updateStatus }: VersionRecord) => state === "Pending" || updateStatus === "InProgress";
    const record = functions.find(name);
    if (!record || !Object.values(record.versions).some(isSettling)) return;
    try {
      functions.update(name, (draft) => {
        for (const version of Object.values(draft.versions).filter(isSettling)) {
          version.state = "Active";
          version.updateStatus = "Successful";
          version.revisionId = newRevision();
        }
      });
    } catch (error) {
      settings.report(`the state of function ${name} could not be stored`, error);
      context.settleLater(name, RETRY_SETTLE_MS);
      return;
    }
    context.queue.pump();
  }

  function startAhead(name: string): void {
    const record = functions.find(name);
    const latest = record?.versions.$LATEST;
    if (record && latest?.state === "Active") pool.startAhead(record, latest);
  }

  const findOperation = restRouter(ROUTES);
  const findUnsupported = restRouter(UNSUPPORTED);

  async function handle(request: EmulatorRequest, caller: Caller): Promise<EmulatorReply> {
    const link = request.method === "GET" ? CODE_LOCATION.exec(request.path) : null;
    if (link) return downloadCode(link[1]!, Number(link[2]), link[3]!);
    if (caller.kind === "anonymous") {
      throw new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", 403);
    }
    const route = findOperation(request.method, request.path, request.query);
    if (!route) {
      const unsupported = findUnsupported(request.method, request.path, request.query);
      throw notImplemented(`lambda:${unsupported?.operation ?? `${request.method} ${request.path}`}`);
    }
    const { operation, parameters } = route;
    if (request.body.length > MAX_REQUEST_BYTES) {
      const message = `Request must be smaller than ${MAX_REQUEST_BYTES} bytes for the ${operation} operation`;
      throw new AwsError("RequestEntityTooLargeException", message, 413);
    }
    const ownBody = operation === "Invoke" || operation === "InvokeAsync";
    const input: OperationInput = {
      parameters,
      query: request.query,
      body: ownBody ? {} : decodeRestJson(request),
      rawBody: request.body,
      header: (name) => {
        const value = request.headers[name];
        return Array.isArray(value) ? value[0] : value;
      },
      caller,
      requestId: request.id,
    };
    refuseOtherMembers(`lambda:${operation}`, input.body, MEMBERS[operation] ?? []);
    const output = await OPERATIONS[operation](input, context);
    if (output.rawBody === undefined) {
      const reply = encodeRestJson(request, output.status, output.body);
      return output.headers ? { ...reply, headers: { ...reply.headers, ...output.headers } } : reply;
    }
    return {
      status: output.status,
      headers: { "x-amzn-requestid": request.id, "content-length": output.rawBody.length, ...output.headers },
      body: output.rawBody,
    };
  }

  function downloadCode(hash: string, expires: number, signature: string): EmulatorReply {
    const expected = Buffer.from(signLink(linkSecret, hash, expires));
    const valid = timingSafeEqual(expected, Buffer.from(signature)) && expires > settings.now();
    const zip = valid ? code.zip(hash) : undefined;
    if (!zip)
      throw new AwsError("AccessDeniedException", "The link is not valid any more. Call GetFunction again.", 403);
    return {
      status: 200,
      headers: { "content-type": "application/zip", "content-length": zip.size },
      body: zip.stream(),
    };
  }

  /** The function and qualifier of an ARN; undefined when it is no function's. */
  function parseArn(arn: string): FunctionReference | undefined {
    if (!arn.startsWith("arn:")) return undefined;
    try {
      return parseFunctionName(arn, undefined, settings);
    } catch {
      return undefined;
    }
  }

  return {
    handle,

    encodeError: (error, request) =>
      encodeRestJsonError(
        error,
        request,
        CAPITAL_MESSAGE.has(error.code) || error.status >= 500 ? "Message" : "message",
      ),

    start: async () => {
      await endLeftovers(environments);
      await code.collect(isReferenced);
      for (const { name } of functions.all()) settle(name);
      context.queue.start();
    },

    stop: async () => {
      isStopped = true;
      context.queue.stop();
      for (const timer of settling) clearTimeout(timer);
      await pool.stop();
      logs.flush();
      metrics.flush();
    },

    refusal: (arn: string, source: EventSource) => {
      const refused = `Not authorized to invoke function [${arn}]`;
      const reference = parseArn(arn);
      const record = reference && functions.find(reference.name);
      if (!reference || !record) return refused;
      const { qualifier } = reference;
      if (qualifier !== undefined && !record.versions[qualifier] && !record.aliases[qualifier]) return refused;
      const caller: Caller = {
        kind: "service",
        accountId: source.accountId,
        arn: source.service,
        userId: "",
        sourceArn: source.arn,
        sourceAccount: source.accountId,
      };
      const { allowed } = dependencies.authorize(caller, {
        action: "lambda:InvokeFunction",
        resource: arn,
        resourcePolicy: policyDocument(record, qualifier),
      });
      return allowed ? undefined : refused;
    },

    deliver: (arn: string, message: string, source: EventSource) => {
      const reference = parseArn(arn);
      // A function that was deleted after its notification was configured: the event has nowhere to go, on AWS too.
      if (!reference || !functions.find(reference.name)) return;
      context.queue.enqueue({
        requestId: newEventId(),
        functionName: reference.name,
        qualifier: reference.qualifier,
        payload: Buffer.from(message),
        traceHeader: source.traceHeader,
      });
    },
  };
}

function signLink(secret: Buffer, hash: string, expires: number): string {
  return createHmac("sha256", secret).update(`${hash}|${expires}`).digest("hex");
}
