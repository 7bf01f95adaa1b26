import { AwsError, notImplemented } from "../../awsError.ts";
import type { EventSource } from "../../delivery.ts";
import { bucketArn } from "../access.ts";
import type { S3Context } from "../call.ts";
import { invalidArgument } from "../errors.ts";
import type { NotificationRule } from "./configuration.ts";

export const eventSourceOf = (context: Pick<S3Context, "settings">, bucket: string): EventSource => ({
  service: "s3.amazonaws.com",
  arn: bucketArn(bucket),
  accountId: context.settings.accountId,
});

const ARN_SERVICES = { Topic: "sns", Queue: "sqs", CloudFunction: "lambda" } as const;

/**
 * Refuses rules whose destination cannot be reached: unparsable ARNs always, missing or forbidding destinations unless `skipValidation`.
 * Throws InvalidArgument 400 naming every such destination, NotImplemented 501 for topics.
 */
export function checkDestinations(
  context: S3Context,
  bucket: string,
  rules: readonly NotificationRule[],
  skipValidation: boolean,
): void {
  for (const rule of rules) checkArn(context, rule);
  for (const rule of rules) if (rule.kind === "Topic") throw notImplemented("s3 notifications to SNS topics");
  if (skipValidation) return;
  const details: Record<string, string> = {};
  let refused = 0;
  for (const rule of rules) {
    const refusal = refusalOfDestination(context, bucket, rule.arn);
    if (refusal === undefined) continue;
    refused++;
    details[`ArgumentName${refused}`] = rule.kind === "CloudFunction" ? `${rule.arn}, null` : rule.arn;
    details[`ArgumentValue${refused}`] = refusal;
  }
  if (refused > 0) {
    throw new AwsError("InvalidArgument", "Unable to validate the following destination configurations", 400, {
      details,
    });
  }
}

/** AWS's words for why S3 may not deliver to this ARN now. */
export function refusalOfDestination(
  context: Pick<S3Context, "settings" | "targetFor">,
  bucket: string,
  arn: string,
): string | undefined {
  const target = context.targetFor(arn);
  return target ? target.refusal(arn, eventSourceOf(context, bucket)) : "The destination does not exist";
}

function checkArn(context: S3Context, rule: NotificationRule): void {
  const [arn, , service, region, account, ...resource] = rule.arn.split(":");
  const isWhole = arn === "arn" && service === ARN_SERVICES[rule.kind] && !!region && !!account && !!resource[0];
  if (!isWhole) throw invalidArgument("The ARN could not be parsed", rule.kind, rule.arn);
  if (region !== context.settings.region) {
    throw invalidArgument(
      "The notification destination service region is not valid for the bucket location constraint",
      rule.kind,
      rule.arn,
    );
  }
  if (rule.kind !== "CloudFunction" && rule.arn.endsWith(".fifo")) {
    throw invalidArgument("FIFO SQS queues are not supported.", rule.kind, rule.arn);
  }
}
