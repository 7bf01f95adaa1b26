import type { RestRoute } from "../protocols/restJson.ts";

/** Operations that the embedded endpoint performs. */
export type OperationName =
  | "AddPermission"
  | "CreateAlias"
  | "CreateFunction"
  | "DeleteAlias"
  | "DeleteFunction"
  | "DeleteFunctionConcurrency"
  | "DeleteFunctionEventInvokeConfig"
  | "GetAccountSettings"
  | "GetAlias"
  | "GetFunction"
  | "GetFunctionCodeSigningConfig"
  | "GetFunctionConcurrency"
  | "GetFunctionConfiguration"
  | "GetFunctionEventInvokeConfig"
  | "GetFunctionRecursionConfig"
  | "GetPolicy"
  | "GetRuntimeManagementConfig"
  | "Invoke"
  | "InvokeAsync"
  | "ListAliases"
  | "ListFunctionEventInvokeConfigs"
  | "ListFunctions"
  | "ListTags"
  | "ListVersionsByFunction"
  | "PublishVersion"
  | "PutFunctionConcurrency"
  | "PutFunctionEventInvokeConfig"
  | "PutFunctionRecursionConfig"
  | "PutRuntimeManagementConfig"
  | "RemovePermission"
  | "TagResource"
  | "UntagResource"
  | "UpdateAlias"
  | "UpdateFunctionCode"
  | "UpdateFunctionConfiguration"
  | "UpdateFunctionEventInvokeConfig";

const FUNCTIONS = "/2015-03-31/functions";
const FUNCTION = `${FUNCTIONS}/{FunctionName}`;
const ASYNC = "/2019-09-25/functions/{FunctionName}/event-invoke-config";

export const ROUTES: readonly RestRoute<OperationName>[] = [
  { method: "POST", path: `${FUNCTION}/invocations`, operation: "Invoke" },
  { method: "POST", path: FUNCTIONS, operation: "CreateFunction" },
  { method: "GET", path: FUNCTIONS, operation: "ListFunctions" },
  { method: "GET", path: FUNCTION, operation: "GetFunction" },
  { method: "DELETE", path: FUNCTION, operation: "DeleteFunction" },
  { method: "GET", path: `${FUNCTION}/configuration`, operation: "GetFunctionConfiguration" },
  { method: "PUT", path: `${FUNCTION}/configuration`, operation: "UpdateFunctionConfiguration" },
  { method: "PUT", path: `${FUNCTION}/code`, operation: "UpdateFunctionCode" },
  { method: "POST", path: `${FUNCTION}/versions`, operation: "PublishVersion" },
  { method: "GET", path: `${FUNCTION}/versions`, operation: "ListVersionsByFunction" },
  { method: "POST", path: `${FUNCTION}/aliases`, operation: "CreateAlias" },
  { method: "GET", path: `${FUNCTION}/aliases`, operation: "ListAliases" },
  { method: "GET", path: `${FUNCTION}/aliases/{Name}`, operation: "GetAlias" },
  { method: "PUT", path: `${FUNCTION}/aliases/{Name}`, operation: "UpdateAlias" },
  { method: "DELETE", path: `${FUNCTION}/aliases/{Name}`, operation: "DeleteAlias" },
  { method: "POST", path: `${FUNCTION}/policy`, operation: "AddPermission" },
  { method: "GET", path: `${FUNCTION}/policy`, operation: "GetPolicy" },
  { method: "DELETE", path: `${FUNCTION}/policy/{StatementId}`, operation: "RemovePermission" },
  { method: "POST", path: "/2014-11-13/functions/{FunctionName}/invoke-async", operation: "InvokeAsync" },
  { method: "PUT", path: "/2017-10-31/functions/{FunctionName}/concurrency", operation: "PutFunctionConcurrency" },
  {
    method: "DELETE",
    path: "/2017-10-31/functions/{FunctionName}/concurrency",
    operation: "DeleteFunctionConcurrency",
  },
  { method: "GET", path: "/2019-09-30/functions/{FunctionName}/concurrency", operation: "GetFunctionConcurrency" },
  { method: "PUT", path: ASYNC, operation: "PutFunctionEventInvokeConfig" },
  { method: "POST", path: ASYNC, operation: "UpdateFunctionEventInvokeConfig" },
  { method: "GET", path: ASYNC, operation: "GetFunctionEventInvokeConfig" },
  { method: "DELETE", path: ASYNC, operation: "DeleteFunctionEventInvokeConfig" },
  { method: "GET", path: `${ASYNC}/list`, operation: "ListFunctionEventInvokeConfigs" },
  {
    method: "GET",
    path: "/2020-06-30/functions/{FunctionName}/code-signing-config",
    operation: "GetFunctionCodeSigningConfig",
  },
  {
    method: "GET",
    path: "/2021-07-20/functions/{FunctionName}/runtime-management-config",
    operation: "GetRuntimeManagementConfig",
  },
  {
    method: "PUT",
    path: "/2021-07-20/functions/{FunctionName}/runtime-management-config",
    operation: "PutRuntimeManagementConfig",
  },
  {
    method: "GET",
    path: "/2024-08-31/functions/{FunctionName}/recursion-config",
    operation: "GetFunctionRecursionConfig",
  },
  {
    method: "PUT",
    path: "/2024-08-31/functions/{FunctionName}/recursion-config",
    operation: "PutFunctionRecursionConfig",
  },
  { method: "GET", path: "/2017-03-31/tags/{Resource}", operation: "ListTags" },
  { method: "POST", path: "/2017-03-31/tags/{Resource}", operation: "TagResource" },
  { method: "DELETE", path: "/2017-03-31/tags/{Resource}", operation: "UntagResource" },
  { method: "GET", path: "/2016-08-19/account-settings", operation: "GetAccountSettings" },
];

const DURABLE = "/2025-12-01/durable-executions/{DurableExecutionArn}";
const CALLBACK = "/2025-12-01/durable-execution-callbacks/{CallbackId}";
const CAPACITY = "/2025-11-30/capacity-providers";

/** Operations of AWS's that are answered 501, for their names. */
export const UNSUPPORTED: readonly RestRoute<string>[] = [
  ["POST", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy", "AddLayerVersionPermission"],
  ["POST", "/2020-04-22/code-signing-configs", "CreateCodeSigningConfig"],
  ["POST", "/2015-03-31/event-source-mappings", "CreateEventSourceMapping"],
  ["POST", "/2021-10-31/functions/{FunctionName}/url", "CreateFunctionUrlConfig"],
  ["DELETE", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}", "DeleteCodeSigningConfig"],
  ["DELETE", "/2015-03-31/event-source-mappings/{UUID}", "DeleteEventSourceMapping"],
  ["DELETE", "/2020-06-30/functions/{FunctionName}/code-signing-config", "DeleteFunctionCodeSigningConfig"],
  ["DELETE", "/2021-10-31/functions/{FunctionName}/url", "DeleteFunctionUrlConfig"],
  ["DELETE", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}", "DeleteLayerVersion"],
  ["DELETE", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", "DeleteProvisionedConcurrencyConfig"],
  ["GET", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}", "GetCodeSigningConfig"],
  ["GET", "/2015-03-31/event-source-mappings/{UUID}", "GetEventSourceMapping"],
  ["GET", "/2021-10-31/functions/{FunctionName}/url", "GetFunctionUrlConfig"],
  ["GET", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}", "GetLayerVersion"],
  ["GET", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy", "GetLayerVersionPolicy"],
  ["GET", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency?List", "ListProvisionedConcurrencyConfigs"],
  ["GET", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", "GetProvisionedConcurrencyConfig"],
  ["POST", "/2021-11-15/functions/{FunctionName}/response-streaming-invocations", "InvokeWithResponseStream"],
  ["GET", "/2020-04-22/code-signing-configs", "ListCodeSigningConfigs"],
  ["GET", "/2015-03-31/event-source-mappings", "ListEventSourceMappings"],
  ["GET", "/2021-10-31/functions/{FunctionName}/urls", "ListFunctionUrlConfigs"],
  ["GET", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions", "ListFunctionsByCodeSigningConfig"],
  ["GET", "/2018-10-31/layers/{LayerName}/versions", "ListLayerVersions"],
  ["GET", "/2018-10-31/layers?find", "GetLayerVersionByArn"],
  ["GET", "/2018-10-31/layers", "ListLayers"],
  ["POST", "/2018-10-31/layers/{LayerName}/versions", "PublishLayerVersion"],
  ["PUT", "/2020-06-30/functions/{FunctionName}/code-signing-config", "PutFunctionCodeSigningConfig"],
  ["PUT", "/2025-11-30/functions/{FunctionName}/function-scaling-config", "PutFunctionScalingConfig"],
  ["GET", "/2025-11-30/functions/{FunctionName}/function-scaling-config", "GetFunctionScalingConfig"],
  ["PUT", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", "PutProvisionedConcurrencyConfig"],
  [
    "DELETE",
    "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}",
    "RemoveLayerVersionPermission",
  ],
  ["PUT", "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}", "UpdateCodeSigningConfig"],
  ["PUT", "/2015-03-31/event-source-mappings/{UUID}", "UpdateEventSourceMapping"],
  ["PUT", "/2021-10-31/functions/{FunctionName}/url", "UpdateFunctionUrlConfig"],
  ["POST", `${DURABLE}/checkpoint`, "CheckpointDurableExecution"],
  ["POST", CAPACITY, "CreateCapacityProvider"],
  ["DELETE", `${CAPACITY}/{CapacityProviderName}`, "DeleteCapacityProvider"],
  ["DELETE", DURABLE, "DeleteDurableExecution"],
  ["DELETE", "/2026-07-09/resource-policy/{ResourceArn}", "DeleteResourcePolicy"],
  ["GET", `${CAPACITY}/{CapacityProviderName}`, "GetCapacityProvider"],
  ["GET", DURABLE, "GetDurableExecution"],
  ["GET", `${DURABLE}/history`, "GetDurableExecutionHistory"],
  ["GET", `${DURABLE}/state`, "GetDurableExecutionState"],
  ["GET", "/2026-07-09/resource-policy/{ResourceArn}", "GetResourcePolicy"],
  ["GET", CAPACITY, "ListCapacityProviders"],
  ["GET", "/2025-12-01/functions/{FunctionName}/durable-executions", "ListDurableExecutionsByFunction"],
  ["GET", `${CAPACITY}/{CapacityProviderName}/function-versions`, "ListFunctionVersionsByCapacityProvider"],
  ["POST", `${DURABLE}/pause`, "PauseDurableExecution"],
  ["PUT", "/2026-07-09/resource-policy/{ResourceArn}", "PutResourcePolicy"],
  ["POST", `${DURABLE}/resume`, "ResumeDurableExecution"],
  ["POST", `${CALLBACK}/fail`, "SendDurableExecutionCallbackFailure"],
  ["POST", `${CALLBACK}/heartbeat`, "SendDurableExecutionCallbackHeartbeat"],
  ["POST", `${CALLBACK}/succeed`, "SendDurableExecutionCallbackSuccess"],
  ["POST", `${DURABLE}/stop`, "StopDurableExecution"],
  ["PUT", `${CAPACITY}/{CapacityProviderName}`, "UpdateCapacityProvider"],
].map(([method, path, operation]) => ({ method: method!, path: path!, operation: operation! }));
