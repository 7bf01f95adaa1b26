import type { ListAliasesResponse } from "@aws-sdk/client-lambda";
import { type Operation, page, requireFunction } from "../context.ts";
import { toAlias } from "./createAlias.ts";

/** In the order of their names.  https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html */
export const listAliases: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:ListAliases");
  const version = input.query.get("FunctionVersion");
  const aliases = Object.values(record.aliases)
    .filter((alias) => version === null || alias.version === version)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const { items, next } = page(aliases, input.query, 50);
  return {
    status: 200,
    body: {
      Aliases: items.map((alias) => toAlias(record, alias)),
      ...(next ? { NextMarker: next } : {}),
    } satisfies ListAliasesResponse,
  };
};
