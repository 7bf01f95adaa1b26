import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";

/** One call of an AWS API, as seen on the wire. */
export interface SeenCall {
  service: "s3" | "iam" | "sts" | "lambda" | "sqs" | "logs" | "other";
  /** AWS's name of it, such as "PutBucketTagging". */
  operation: string;
  /** Bucket and key, or the path of a function; "" where the name is in the body. */
  subject: string;
  status: number;
}

/** What the proxy does with calls of one operation; the first one that applies is used. */
export interface ScriptLine {
  operation: string;
  /** Only calls whose subject contains this. */
  subject?: string;
  /** How often, counted for each subject by itself. @default 1 */
  times?: number;
  /** Instead of the endpoint's answer. `body`: what the endpoint would say, when the answer is a success of AWS's. */
  answer:
    | { status: number; code: string; message?: string }
    | { status: 200 | 204; body: string; headers?: Record<string, string> }
    /** The endpoint's own answer with members of its JSON replaced. */
    | { replace: Record<string, unknown> };
}

export interface ScriptedProxy {
  url: string;
  /** Replaces the script. */
  play(lines: ScriptLine[]): void;
  /** What is left of the script: lines that nobody met often enough. */
  unplayed(): string[];
  /** Calls since the last `take`, in the order in which they were answered. */
  take(): SeenCall[];
  /** Bucket policies are kept here: behind plain HTTP, one that asks for TLS would lock everybody out. */
  policies: Map<string, string>;
  close(): Promise<void>;
}

/** Stands before an endpoint, writes down every call, and answers some of them as the script says, in the form of each service. */
export async function scriptedProxy(endpoint: string): Promise<ScriptedProxy> {
  const target = new URL(endpoint);
  let script: { line: ScriptLine; met: Map<string, number> }[] = [];
  let seen: SeenCall[] = [];
  const policies = new Map<string, string>();

  const lineFor = (call: Omit<SeenCall, "status">): ScriptLine | undefined => {
    for (const { line, met } of script) {
      if (line.operation !== call.operation || !call.subject.includes(line.subject ?? "")) continue;
      const count = met.get(call.subject) ?? 0;
      if (count >= (line.times ?? 1)) continue;
      met.set(call.subject, count + 1);
      return line;
    }
    return undefined;
  };

  const server = createServer(async (incoming, outgoing) => {
    const body = await readAll(incoming);
    const call = identify(incoming, body);
    const send = (status: number, text: string | Buffer, headers: IncomingHttpHeaders = {}) => {
      seen.push({ ...call, status });
      const { "transfer-encoding": _, connection: __, ...rest } = headers;
      outgoing.writeHead(status, { ...rest, "content-length": Buffer.byteLength(text) });
      outgoing.end(incoming.method === "HEAD" ? undefined : text);
    };
    const line = lineFor(call);
    const ofPolicy = /BucketPolicy$/.test(call.operation) ? policyAnswer(call, body, policies) : undefined;
    const scripted = line?.answer ?? ofPolicy;
    if (scripted && "code" in scripted) sendError(call.service, scripted, send);
    else if (scripted && "body" in scripted) send(scripted.status, scripted.body, scripted.headers);
    else {
      const answer = await forward(target, incoming, body);
      const text =
        scripted && "replace" in scripted
          ? JSON.stringify({ ...JSON.parse(answer.body.toString("utf8")), ...scripted.replace })
          : answer.body;
      send(answer.status, text, answer.headers);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    play: (lines) => {
      script = lines.map((line) => ({ line, met: new Map() }));
    },
    unplayed: () =>
      script
        .filter(({ line, met }) => met.size === 0 || [...met.values()].some((count) => count < (line.times ?? 1)))
        .map(({ line }) => `${line.operation} ${line.subject ?? ""}`.trim()),
    take: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    policies,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Send = (status: number, text: string | Buffer, headers?: IncomingHttpHeaders) => void;

function policyAnswer(
  { operation, subject }: Omit<SeenCall, "status">,
  body: Buffer,
  policies: Map<string, string>,
): ScriptLine["answer"] {
  if (operation === "PutBucketPolicy") policies.set(subject, body.toString("utf8"));
  if (operation !== "GetBucketPolicy") return { status: 204, body: "" };
  const policy = policies.get(subject);
  return policy === undefined
    ? { status: 404, code: "NoSuchBucketPolicy", message: "The bucket policy does not exist" }
    : { status: 200, body: policy };
}

/** In the form of the service's protocol (AWS-FACTS 0.4). */
function sendError(
  service: SeenCall["service"],
  { status, code, message = `Scripted ${code}` }: { status: number; code: string; message?: string },
  send: Send,
): void {
  if (service === "s3") {
    const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    send(status, xml, { "content-type": "application/xml" });
  } else if (service === "iam" || service === "sts") {
    const xml = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`;
    send(status, xml, { "content-type": "text/xml" });
  } else if (service === "lambda") {
    const headers = { "content-type": "application/json", "x-amzn-errortype": code };
    send(status, JSON.stringify({ Type: "User", Message: message, message }), headers);
  } else {
    send(status, JSON.stringify({ __type: code, message }), { "content-type": "application/x-amz-json-1.0" });
  }
}

function identify(incoming: IncomingMessage, body: Buffer): Omit<SeenCall, "status"> {
  const url = new URL(incoming.url ?? "/", "http://localhost");
  const scope = /Credential=[^/]+\/\d+\/[^/]+\/(\w+)\//.exec(incoming.headers.authorization ?? "")?.[1] ?? "other";
  const method = incoming.method ?? "GET";
  const target = String(incoming.headers["x-amz-target"] ?? "");
  switch (scope) {
    case "s3":
      return { service: "s3", ...s3Operation(method, url) };
    case "lambda":
      return { service: "lambda", ...lambdaOperation(method, url) };
    case "iam":
    case "sts": {
      const form = new URLSearchParams(body.toString("utf8"));
      return { service: scope, operation: form.get("Action") ?? "", subject: form.get("RoleName") ?? "" };
    }
    case "sqs":
    case "logs":
      return { service: scope, operation: target.slice(target.indexOf(".") + 1), subject: "" };
    default:
      return { service: "other", operation: `${method} ${url.pathname}`, subject: "" };
  }
}

/** Sub-resource of a bucket -> the operation's name without its verb. */
const BUCKET_PARTS: Record<string, string> = {
  tagging: "BucketTagging",
  versioning: "BucketVersioning",
  notification: "BucketNotificationConfiguration",
  lifecycle: "BucketLifecycleConfiguration",
  encryption: "BucketEncryption",
  publicAccessBlock: "PublicAccessBlock",
  policy: "BucketPolicy",
};

function s3Operation(method: string, url: URL): { operation: string; subject: string } {
  const [bucket = "", ...rest] = url.pathname.slice(1).split("/");
  const key = decodeURIComponent(rest.join("/"));
  const subject = key === "" ? bucket : `${bucket}/${key}`;
  const verb = { GET: "Get", PUT: "Put", DELETE: "Delete", HEAD: "Head", POST: "Post" }[method] ?? method;
  if (bucket === "") return { operation: "ListBuckets", subject };
  if (key !== "") return { operation: `${verb}Object`, subject };
  const part = Object.keys(BUCKET_PARTS).find((name) => url.searchParams.has(name));
  if (part) return { operation: `${verb}${BUCKET_PARTS[part]}`, subject };
  if (url.searchParams.has("delete")) return { operation: "DeleteObjects", subject };
  if (method === "GET") {
    const listing = url.searchParams.has("versions") ? "ListObjectVersions" : "ListObjectsV2";
    return { operation: url.searchParams.has("uploads") ? "ListMultipartUploads" : listing, subject };
  }
  return { operation: method === "PUT" ? "CreateBucket" : `${verb}Bucket`, subject };
}

/** Last part of a function's path -> operation by method. */
const FUNCTION_PARTS: Record<string, Partial<Record<string, string>>> = {
  configuration: { GET: "GetFunctionConfiguration", PUT: "UpdateFunctionConfiguration" },
  code: { PUT: "UpdateFunctionCode" },
  policy: { GET: "GetPolicy", POST: "AddPermission" },
  concurrency: { PUT: "PutFunctionConcurrency", DELETE: "DeleteFunctionConcurrency" },
  "event-invoke-config": {
    GET: "GetFunctionEventInvokeConfig",
    PUT: "PutFunctionEventInvokeConfig",
    DELETE: "DeleteFunctionEventInvokeConfig",
  },
};

function lambdaOperation(method: string, url: URL): { operation: string; subject: string } {
  const [, , area, subject = "", part = "", more] = url.pathname.split("/");
  if (area === "tags") return { operation: method === "GET" ? "ListTags" : "TagResource", subject };
  if (subject === "") return { operation: method === "GET" ? "ListFunctions" : "CreateFunction", subject };
  if (more !== undefined && part === "policy") return { operation: "RemovePermission", subject };
  if (part === "") return { operation: method === "GET" ? "GetFunction" : "DeleteFunction", subject };
  return { operation: FUNCTION_PARTS[part]?.[method] ?? `${method} ${part}`, subject };
}

function forward(
  target: URL,
  incoming: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    // With the caller's Host: it is a part of what was signed.
    const { expect: _, "transfer-encoding": __, ...headers } = incoming.headers;
    const sent = request(
      {
        host: target.hostname,
        port: target.port,
        method: incoming.method ?? "GET",
        path: incoming.url ?? "/",
        headers: { ...headers, "content-length": body.length },
      },
      (answer) => {
        readAll(answer).then(
          (read) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: read }),
          reject,
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
