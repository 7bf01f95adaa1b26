import type { Receipt } from "../contract/receipt.ts";
import { type LakeStage, receiptKey } from "./lake.ts";

export interface FoundReceipt {
  /** Undefined when the object there is no receipt. */
  receipt: Receipt | undefined;
  /** Why it is none. */
  problem: string;
}

/** Undefined when there is nothing under the receipt's key. */
export async function readReceipt(lake: LakeStage, source: string): Promise<FoundReceipt | undefined> {
  const stored = await lake.reader.readText(lake.definition.buckets.control, receiptKey(lake.stage.name, source));
  if (stored === undefined) return undefined;
  try {
    const receipt = JSON.parse(stored.text) as Receipt;
    const whole =
      receipt !== null &&
      typeof receipt === "object" &&
      receipt.version === 1 &&
      typeof receipt.source?.etag === "string" &&
      typeof receipt.rows?.accepted === "number" &&
      typeof receipt.bytes?.text === "number" &&
      Array.isArray(receipt.outputs);
    return whole ? { receipt, problem: "" } : { receipt: undefined, problem: "fields are missing" };
  } catch (error) {
    return { receipt: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Why a receipt does not answer for a source of this ETag and version; undefined when it does. */
export function whyUnanswered(
  receipt: Receipt,
  source: { etag: string; versionId?: string | null },
): string | undefined {
  if (receipt.writing !== undefined && receipt.writing.length > 0) {
    return "a run has begun to write and has not recorded how it ended";
  }
  if (receipt.status === "removed") return "its receipt speaks of a removal";
  if (receipt.source.etag !== source.etag) return "its receipt speaks of other content";
  if (source.versionId !== undefined && receipt.source.versionId !== source.versionId) {
    return "its receipt speaks of another version";
  }
  return undefined;
}

/** The contract that a receipt was written under, and the lake's: "orders 1.2.0", or "no contract". */
export function contractsOf(lake: LakeStage, receipt: Receipt): { claimed: string; real: string } {
  const named = (contract: { id: string; version: string } | null | undefined): string =>
    contract == null ? "no contract" : `${contract.id} ${contract.version}`;
  return { claimed: named(receipt.contract), real: named(lake.definition.configuration.contract) };
}
