import type { ListFunctionsResponse } from "@aws-sdk/client-lambda";
import { notImplemented } from "../../awsError.ts";
import { toConfiguration } from "../configuration.ts";
import { type Operation, page, requireAccess } from "../context.ts";
import { versionsInOrder } from "../store.ts";

const PAGE = 50;

/** $LATEST of every function, or with FunctionVersion=ALL every version.  https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html */
export const listFunctions: Operation = (input, context) => {
  requireAccess(input, context, "lambda:ListFunctions", "*");
  const master = input.query.get("MasterRegion");
  // There are no replicas of Lambda@Edge that "ALL" could add.
  if (master && master !== "ALL") throw notImplemented(`lambda:ListFunctions with MasterRegion ${master}`);
  const { region } = context.settings;
  const all = input.query.get("FunctionVersion") === "ALL";
  const entries = context.functions.all().flatMap((record) => {
    const versions = all ? versionsInOrder(record) : [record.versions.$LATEST!];
    return versions.map((version) => ({ record, version }));
  });
  const { items, next } = page(entries, input.query, PAGE);
  return {
    status: 200,
    body: {
      Functions: items
        .slice(0, PAGE)
        .map(({ record, version }) =>
          toConfiguration(record, version, region, { withStatus: false, qualifier: all ? version.version : "" }),
        ),
      ...(next ? { NextMarker: next } : {}),
    } satisfies ListFunctionsResponse,
  };
};
