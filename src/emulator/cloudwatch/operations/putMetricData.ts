import { type CloudWatchContext, checkAccess } from "../context.ts";
import { invalidCombination, invalidValue, missingParameter } from "../errors.ts";
import {
  type Input,
  numbers,
  optionalInteger,
  optionalNumber,
  optionalStructure,
  optionalTime,
  optionalUnit,
  readDimensions,
  requiredNumber,
  requiredString,
  structures,
} from "../input.ts";
import type { Datum } from "../store.ts";

const MAX_DATA = 1_000;
const MAX_VALUES = 150;
const MAX_MAGNITUDE = 2 ** 360;
const MAX_PAST_MS = 14 * 86_400_000;
const MAX_FUTURE_MS = 2 * 3_600_000;

/**
 * Store values, value distributions or statistic sets of up to 1,000 metrics.
 *
 * Throws   MissingParameter, InvalidParameterValue, InvalidParameterCombination
 * Absent   EntityMetricData: 501
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
 */
export function putMetricData(input: Input, context: CloudWatchContext): object {
  const namespace = requiredString(input, "Namespace");
  checkAccess(context, "cloudwatch:PutMetricData", "*", { "cloudwatch:namespace": namespace });
  if (namespace.startsWith("AWS/")) throw invalidValue("The value AWS/ for parameter Namespace is invalid.");
  if (namespace.length > 255 || namespace.startsWith(":")) {
    throw invalidValue(`The value ${namespace} for parameter Namespace is invalid.`);
  }
  const items = structures(input, "MetricData");
  if (items === undefined || items.length === 0) throw missingParameter("MetricData");
  if (items.length > MAX_DATA) {
    throw invalidValue(`The collection MetricData must not have a size greater than ${MAX_DATA}.`);
  }
  const now = context.settings.now();
  const data = items.map((item, index) => readDatum(item, `MetricData.member.${index + 1}.`, namespace, now));
  context.store.buffer(data);
  context.store.flush();
  return {};
}

function readDatum(item: Input, path: string, namespace: string, now: number): Datum {
  const name = item.MetricName;
  if (typeof name !== "string" || name === "") throw missingParameter(`${path}MetricName`);
  if (name.length > 255) throw invalidValue(`The parameter ${path}MetricName is too long.`);
  const timestamp = optionalTime(item, "Timestamp") ?? now;
  if (timestamp < now - MAX_PAST_MS || timestamp > now + MAX_FUTURE_MS) {
    throw invalidValue(
      `The parameter ${path}Timestamp must specify a time no more than two weeks in the past and two hours in the future.`,
    );
  }
  const resolution = optionalInteger(item, "StorageResolution", 1, 60) ?? 60;
  if (resolution !== 1 && resolution !== 60) {
    throw invalidValue(`The parameter ${path}StorageResolution must be 1 or 60.`);
  }
  return {
    namespace,
    name,
    dimensions: readDimensions(item, path),
    unit: optionalUnit(item, path) ?? "None",
    timestamp,
    resolution,
    ...readValues(item, path),
  };
}

function readValues(item: Input, path: string): Pick<Datum, "values" | "set"> {
  const value = optionalNumber(item, "Value");
  const listed = numbers(item, "Values");
  const values = listed?.length === 0 ? undefined : listed;
  const counts = numbers(item, "Counts");
  const set = optionalStructure(item, "StatisticValues");
  const exclusive = (left: string, right: string) =>
    invalidCombination(
      `The parameters ${path}${left} and ${path}${right} are mutually exclusive and you have specified both.`,
    );
  if (value !== undefined && values !== undefined) throw exclusive("Value", "Values");
  if (value !== undefined && set !== undefined) throw exclusive("Value", "StatisticValues");
  if (values !== undefined && set !== undefined) throw exclusive("Values", "StatisticValues");
  if (counts !== undefined && counts.length > 0 && values === undefined) {
    throw invalidCombination(`The parameter ${path}Counts requires the parameter ${path}Values.`);
  }
  if (set !== undefined) {
    const [sum, count, min, max] = ["Sum", "SampleCount", "Minimum", "Maximum"].map((name) =>
      checkNumber(requiredNumber(set, name), `${path}StatisticValues.${name}`),
    );
    if (count! < 0)
      throw invalidValue(`The value ${count} for parameter ${path}StatisticValues.SampleCount is invalid.`);
    if (min! > max!) {
      throw invalidValue(`The parameter ${path}StatisticValues.Minimum must not be greater than the Maximum.`);
    }
    return { values: [], set: { sum: sum!, count: count!, min: min!, max: max! } };
  }
  if (values !== undefined) {
    if (values.length > MAX_VALUES) {
      throw invalidValue(`The collection ${path}Values must not have a size greater than ${MAX_VALUES}.`);
    }
    if (counts !== undefined && counts.length !== values.length) {
      throw invalidValue(`The parameters ${path}Values and ${path}Counts must be of the same size.`);
    }
    const negative = counts?.find((count) => !(count >= 0 && Number.isFinite(count)));
    if (negative !== undefined) throw invalidValue(`The value ${negative} for parameter ${path}Counts is invalid.`);
    return { values: values.map((each, index) => [checkNumber(each, `${path}Values`), counts?.[index] ?? 1]) };
  }
  if (value === undefined) throw missingParameter(`${path}Value`);
  return { values: [[checkNumber(value, `${path}Value`), 1]] };
}

function checkNumber(value: number, path: string): number {
  if (!Number.isFinite(value)) throw invalidValue(`The value ${value} for parameter ${path} is invalid.`);
  if (Math.abs(value) > MAX_MAGNITUDE) throw invalidValue(`The value for parameter ${path} is out of range.`);
  return value;
}
