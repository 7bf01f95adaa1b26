import type { EmulatorRequest, ServiceName } from "./http.ts";
import { isRpcV2Cbor, rpcV2Service } from "./protocols/rpcV2Cbor.ts";

const SCOPE_SERVICES: Readonly<Record<string, ServiceName>> = {
  s3: "s3",
  iam: "iam",
  sts: "sts",
  lambda: "lambda",
  sqs: "sqs",
  logs: "logs",
  monitoring: "monitoring",
};

const TARGET_SERVICES: readonly [prefix: string, ServiceName][] = [
  ["AmazonSQS.", "sqs"],
  ["Logs_20140328.", "logs"],
  ["GraniteServiceVersion20100801.", "monitoring"],
];

const QUERY_VERSIONS: Readonly<Record<string, ServiceName>> = {
  "2010-05-08": "iam",
  "2011-06-15": "sts",
  "2012-11-05": "sqs",
  "2010-08-01": "monitoring",
};

/** Paths of Lambda's REST API, all of which start with the date of an API version. */
const LAMBDA_PATH =
  /^\/20(?:14-11-13|15-03-31|16-08-19|17-03-31|17-10-31|18-10-31|19-09-25|19-09-30|20-\d\d-\d\d|21-\d\d-\d\d|24-08-31)\//;

/**
 * The service a request is for. The credential scope decides, because S3 paths are user data: a key may look like any
 * other service's path. Without a signature, the target header, the path and the API version are asked in this order.
 * Returns the name in the scope as it is when it is none of ours, so that the refusal can name it.
 */
export function routeService(
  request: Pick<EmulatorRequest, "headers" | "query" | "path" | "body">,
): ServiceName | { unknown: string } {
  const scope = credentialScope(request);
  if (scope !== undefined) return SCOPE_SERVICES[scope] ?? { unknown: scope };
  const target = request.headers["x-amz-target"];
  if (typeof target === "string") {
    const known = TARGET_SERVICES.find(([prefix]) => target.startsWith(prefix));
    return known ? known[1] : { unknown: target };
  }
  if (isRpcV2Cbor(request)) {
    const service = rpcV2Service(request.path);
    if (service === "GraniteServiceVersion20100801") return "monitoring";
    if (service !== undefined) return { unknown: service };
  }
  if (LAMBDA_PATH.test(request.path)) return "lambda";
  const version = request.query.get("Version");
  if (version !== null && request.query.has("Action"))
    return QUERY_VERSIONS[version] ?? { unknown: `Version=${version}` };
  return "s3";
}

/** Service part of `Credential=AK/YYYYMMDD/REGION/SERVICE/aws4_request`, from the header or a presigned URL. */
function credentialScope(request: Pick<EmulatorRequest, "headers" | "query">): string | undefined {
  const authorization = request.headers.authorization;
  if (authorization !== undefined) {
    const at = authorization.indexOf("Credential=");
    if (at < 0) return undefined;
    const end = authorization.indexOf(",", at);
    return authorization
      .slice(at + 11, end < 0 ? undefined : end)
      .split("/")
      .at(-2);
  }
  return request.query.get("X-Amz-Credential")?.split("/").at(-2);
}
