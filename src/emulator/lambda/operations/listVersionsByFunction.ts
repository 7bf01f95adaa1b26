import type { ListVersionsByFunctionResponse } from "@aws-sdk/client-lambda";
import { toConfiguration } from "../configuration.ts";
import { type Operation, page, requireFunction } from "../context.ts";
import { versionsInOrder } from "../store.ts";

/** $LATEST first.  https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html */
export const listVersionsByFunction: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:ListVersionsByFunction");
  const { items, next } = page(versionsInOrder(record), input.query, 50);
  return {
    status: 200,
    body: {
      Versions: items.map((version) =>
        toConfiguration(record, version, context.settings.region, { withStatus: false, qualifier: version.version }),
      ),
      ...(next ? { NextMarker: next } : {}),
    } satisfies ListVersionsByFunctionResponse,
  };
};
