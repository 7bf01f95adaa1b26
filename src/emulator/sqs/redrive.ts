import { allowsRedriveFrom, parseRedrivePolicy } from "./attributes.ts";
import { invalidParameter } from "./errors.ts";
import type { QueueStore } from "./store.ts";

/** A redrive policy must name a queue of this account that is there and lets this source use it. Throws InvalidParameterValue. */
export function checkRedrivePolicy(policy: string | undefined, sourceArn: string, store: QueueStore): void {
  if (policy === undefined || policy === "") return;
  const target = store.findQueueByArn(parseRedrivePolicy(policy).deadLetterTargetArn);
  const refuse = (reason: string) =>
    invalidParameter(`Value ${policy} for parameter RedrivePolicy is invalid. Reason: ${reason}`);
  if (target === undefined) throw refuse("Dead letter target does not exist.");
  if (!allowsRedriveFrom(target.attributes.RedriveAllowPolicy, sourceArn)) {
    throw refuse("Dead letter target does not allow this queue as a source.");
  }
}
