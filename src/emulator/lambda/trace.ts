import { createHash, randomBytes } from "node:crypto";

/** Lambda stops a loop of functions and buckets or queues after about this many rounds. */
export const MAX_ROUNDS = 16;

/**
 * The X-Amzn-Trace-Id for an invocation: the caller's root, or a new one, and the lineage with one more round of this function.
 * The lineage, `Lineage=<hash of the function>:<rounds>|…`, comes back when the function's SDK calls carry the header on.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 *
 * Returns the header and how many rounds of this function went before.
 */
export function nextTrace(incoming: string | undefined, functionArn: string): { header: string; rounds: number } {
  const fields = new Map<string, string>();
  for (const part of (incoming ?? "").split(";")) {
    const equals = part.indexOf("=");
    if (equals > 0) fields.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const self = createHash("sha256").update(functionArn).digest("hex").slice(0, 8);
  const lineage = new Map<string, number>();
  for (const entry of (fields.get("Lineage") ?? "").split("|")) {
    const [hash = "", rounds = ""] = entry.split(":");
    if (/^[0-9a-f]{8}$/.test(hash) && /^\d{1,9}$/.test(rounds)) lineage.set(hash, Number(rounds));
  }
  const rounds = lineage.get(self) ?? 0;
  lineage.set(self, rounds + 1);
  const root = validRoot(fields.get("Root")) ?? newRoot();
  const parent = randomBytes(8).toString("hex");
  const written = [...lineage].map(([hash, count]) => `${hash}:${count}`).join("|");
  return { header: `Root=${root};Parent=${parent};Sampled=0;Lineage=${written}`, rounds };
}

const validRoot = (root: string | undefined) => (root && /^1-[0-9a-f]{8}-[0-9a-f]{24}$/.test(root) ? root : undefined);

function newRoot(): string {
  const seconds = Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, "0");
  return `1-${seconds}-${randomBytes(12).toString("hex")}`;
}
