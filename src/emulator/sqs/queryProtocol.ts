import type { Input } from "./input.ts";

export const QUERY_NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/";

/** Query name, JSON name, and for maps the member names of an entry. */
const LISTS: [query: string, json: string][] = [
  ["AttributeName", "AttributeNames"],
  ["MessageAttributeName", "MessageAttributeNames"],
  ["MessageSystemAttributeName", "MessageSystemAttributeNames"],
  ["TagKey", "TagKeys"],
  ["SendMessageBatchRequestEntry", "Entries"],
  ["DeleteMessageBatchRequestEntry", "Entries"],
  ["ChangeMessageVisibilityBatchRequestEntry", "Entries"],
];
const MAPS: [query: string, json: string, key: string][] = [
  ["Attribute", "Attributes", "Name"],
  ["MessageAttribute", "MessageAttributes", "Name"],
  ["MessageSystemAttribute", "MessageSystemAttributes", "Name"],
  ["Tag", "Tags", "Key"],
];

/**
 * Parameters of the old query protocol in the names of the JSON protocol.
 *
 * path   "/account/queue": where old clients send instead of naming QueueUrl
 */
export function fromQuery(action: string, query: Input, path: string): Input {
  const input: Input = { ...query };
  for (const [name, jsonName] of LISTS) {
    if (input[name] === undefined) continue;
    const list = Array.isArray(input[name]) ? input[name] : [];
    input[jsonName] = jsonName === "Entries" ? list.map((entry: Input) => fromQuery("", entry, "/")) : list;
    delete input[name];
  }
  for (const [name, jsonName, key] of MAPS) {
    if (!Array.isArray(input[name])) continue;
    const entries = (input[name] as Input[]).map((entry) => [String(entry[key]), entry.Value]);
    input[action === "CreateQueue" && jsonName === "Tags" ? "tags" : jsonName] = Object.fromEntries(entries);
    delete input[name];
  }
  if (input.QueueUrl === undefined && path.split("/").filter(Boolean).length === 2) input.QueueUrl = path;
  return input;
}

/** Output of the JSON protocol with the element names of the query protocol, for flattened lists. */
export function toQuery(action: string, output: Input): Input {
  const result: Input = {};
  for (const [name, value] of Object.entries(output)) {
    if (name === "Messages") result.Message = (value as Input[] | undefined)?.map((message) => toQuery("", message));
    else if (name === "QueueUrls" || name === "queueUrls") result.QueueUrl = value;
    else if (name === "Attributes") result.Attribute = pairs(value, "Name");
    else if (name === "MessageAttributes") result.MessageAttribute = pairs(value, "Name");
    else if (name === "Tags") result.Tag = pairs(value, "Key");
    else if (name === "Successful") result[`${action}ResultEntry`] = value;
    else if (name === "Failed") result.BatchResultErrorEntry = value;
    else if (name === "Results") result.ListMessageMoveTasksResultEntry = value;
    else result[name] = value;
  }
  return result;
}

const pairs = (map: unknown, key: string) =>
  map === undefined ? undefined : Object.entries(map as Input).map(([name, value]) => ({ [key]: name, Value: value }));
