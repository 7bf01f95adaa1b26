import type { IncomingMessage } from "node:http";
import { AwsError } from "./awsError.ts";

/** Names under which the endpoint may be called; `*.localhost` is there for virtual-host style buckets. */
const LOOPBACK_HOST = /^(?:(?:[a-z0-9.-]+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/;

/**
 * Who may come in at all. The socket listens on loopback only, yet a web page in the user's browser reaches loopback too:
 * a foreign Host is DNS rebinding, an Origin is a script. Throws AwsError 403, and 400 for a request that leaves open where it leads.
 */
export function checkDoor(request: IncomingMessage): void {
  if (!/^[/*]/.test(request.url ?? "")) {
    throw new AwsError("InvalidURI", "minilake's embedded endpoint is no proxy: the request must name a path.");
  }
  if (headerCount(request.rawHeaders, "host") > 1) {
    throw new AwsError("InvalidRequest", "The request must have one Host header.");
  }
  const host = (request.headers.host ?? "").toLowerCase();
  if (!LOOPBACK_HOST.test(host)) {
    throw new AwsError(
      "AccessDenied",
      `minilake's embedded endpoint answers to localhost only, not to the Host "${host}".`,
      403,
    );
  }
  const site = request.headers["sec-fetch-site"];
  if (request.headers.origin !== undefined || (site !== undefined && site !== "none")) {
    throw new AwsError("AccessDenied", "minilake's embedded endpoint does not answer web pages.", 403);
  }
}

/** `rawHeaders` holds names and values by turns. */
function headerCount(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const each = rawHeaders[index]!;
    if (each.length === name.length && each.toLowerCase() === name) count++;
  }
  return count;
}
