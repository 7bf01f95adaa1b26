import { checkAttributes } from "../attributes.ts";
import { requireQueue, type SqsContext } from "../context.ts";
import { missingParameter } from "../errors.ts";
import { type Input, isString, mapOf } from "../input.ts";
import { checkRedrivePolicy } from "../redrive.ts";

/**
 * Change attributes; those not named stay. "" removes Policy, RedrivePolicy or RedriveAllowPolicy. Takes effect at once, where
 * AWS may need a minute.
 *
 * Throws   InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue (RedrivePolicy)
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
 */
export function setQueueAttributes(input: Input, context: SqsContext): object {
  const { store, settings, polls } = context;
  const found = requireQueue(input, context, "sqs:SetQueueAttributes");
  if (input.Attributes === undefined) throw missingParameter("Attributes");
  const changes = checkAttributes(mapOf(input, "Attributes", isString), false);
  store.transaction(() => {
    const queue = store.findQueue(found.name) ?? found;
    checkRedrivePolicy(changes.RedrivePolicy, queue.arn, store);
    const attributes = { ...queue.attributes, ...changes };
    for (const [name, value] of Object.entries(attributes)) if (value === "") delete attributes[name];
    store.updateQueue({ ...queue, attributes, modifiedAt: settings.now() });
  });
  polls.serve(found.name);
  return {};
}
