import { request } from "node:http";
import { request as requestTls } from "node:https";

export type Probe =
  /** Nobody listens there. */
  | { answer: "refused"; code: string }
  /** Somebody listens and says nothing that HTTP knows, or nothing at all in time. reset: the connection was cut. */
  | { answer: "silent"; reset: boolean }
  | { answer: "http"; status: number; body: string };

const MAX_BODY_BYTES = 64 * 1024;

/** One GET, to find out who answers at `url`; never throws. */
export function probe(url: string, timeoutMs: number): Promise<Probe> {
  return new Promise((resolve) => {
    const get = url.startsWith("https:") ? requestTls : request;
    const sent = get(url, { agent: false, headers: { connection: "close" } }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = () => {
        clearTimeout(timer);
        sent.destroy();
        resolve({ answer: "http", status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      };
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > MAX_BODY_BYTES) finish();
      });
      response.on("end", finish);
      response.on("error", finish);
    });
    const timer = setTimeout(() => {
      resolve({ answer: "silent", reset: false });
      sent.destroy();
    }, timeoutMs);
    sent.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const { code = "" } = error;
      resolve(NOBODY.has(code) ? { answer: "refused", code } : { answer: "silent", reset: code === "ECONNRESET" });
    });
    sent.end();
  });
}

const NOBODY = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"]);
