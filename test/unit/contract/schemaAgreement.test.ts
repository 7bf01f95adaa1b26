import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkContract } from "../../../src/contract/odcs/load.ts";
import { EVERYTHING, examples, missing, publishedSchema } from "./publishedSchema.ts";

/** What our own checker says against a document, or undefined. */
function ours(text: string): string | undefined {
  try {
    checkContract(text, "x.yaml");
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const KEYS = [
  ...[
    "id",
    "name",
    "type",
    "value",
    "property",
    "metric",
    "rule",
    "query",
    "engine",
    "mustBe",
    "mustBeBetween",
    "unit",
  ],
  ...[
    "logicalType",
    "logicalTypeOptions",
    "properties",
    "items",
    "required",
    "format",
    "minimum",
    "pattern",
    "timezone",
  ],
  ...["server", "location", "port", "host", "database", "schema", "from", "to", "arguments", "severity", "minLength"],
  ...["quality", "relationships", "customProperties", "unknown", "mustBeLessThan", "implementation", "description"],
];

const VALUES: unknown[] = [
  ...["", "a", "a b", "string", "date", "timestamp", "time", "number", "integer", "boolean", "object", "array"],
  ...[
    "library",
    "sql",
    "custom",
    "text",
    "s3",
    "sftp",
    "kafka",
    "postgres",
    "trino",
    "rowCount",
    "nullValues",
    "i32",
    "f32",
  ],
  ...["x.y", "a/b", "x.yaml#/a/b", "sftp://x", "2020-01-01", "v3.1.0", "v3.1", "DataContract", "foreignKey", "error"],
  ...[0, 1, -1, 0.5, 1e3, null, true, false, [], {}, [1, 2], [1, 1], [1, 2, 3], ["x.y"], [null], { a: 1 }, [{}]],
];

type Container = unknown[] | Record<string, unknown>;

/** Changes one place of `document`; `random` gives whole numbers below its argument. */
function mutate(document: unknown, random: (below: number) => number): void {
  const containers: Container[] = [];
  const values: unknown[] = [];
  const visit = (value: unknown) => {
    values.push(value);
    if (typeof value !== "object" || value === null) return;
    containers.push(value as Container);
    Object.values(value).forEach(visit);
  };
  visit(document);
  const container = containers[random(containers.length)]!;
  const keys = Object.keys(container);
  const value = structuredClone(random(3) === 0 ? values[random(values.length)] : VALUES[random(VALUES.length)]);
  const key = keys[random(Math.max(1, keys.length))];
  const action = random(5);
  if (Array.isArray(container)) {
    if (action === 0 && key !== undefined) container.splice(Number(key), 1);
    else if (action === 1) container.push(value);
    else if (action === 2 && key !== undefined) container.push(structuredClone(container[Number(key)]));
    else if (key !== undefined) container[Number(key)] = value;
    return;
  }
  if (action === 0 && key !== undefined) delete container[key];
  else if (action === 1) container[KEYS[random(KEYS.length)]!] = value;
  else if (action === 2 && key !== undefined) {
    container[random(2) === 0 ? `${key}x` : KEYS[random(KEYS.length)]!] = container[key];
    delete container[key];
  } else if (key !== undefined) container[key] = value;
}

describe.skipIf(missing !== undefined)(
  `agreement with the published JSON Schema${missing ? ` (${missing})` : ""}`,
  () => {
    const theirs = missing === undefined ? publishedSchema() : () => undefined;
    const samples = missing === undefined ? examples() : [];

    test("there are examples, and a document with every part of the standard is valid", () => {
      expect(samples.length).toBeGreaterThan(15);
      expect(theirs(EVERYTHING)).toBeUndefined();
      expect(ours(JSON.stringify(EVERYTHING))).toBeUndefined();
    });

    test.each(samples)("%s is accepted by both", (_name, text) => {
      expect(theirs(parse(text))).toBeUndefined();
      expect(ours(text)).toBeUndefined();
    });

    test("changed documents are accepted by both or refused by both", { timeout: 120_000 }, () => {
      const bases = [EVERYTHING, EVERYTHING, ...samples.map(([, text]) => shortened(parse(text)))];
      const verdicts = { accepted: 0, refused: 0 };
      fc.assert(
        fc.property(
          fc.nat(bases.length - 1),
          fc.integer({ min: 1, max: 3 }),
          fc.infiniteStream(fc.nat(1_000_000)),
          (base, changes, numbers) => {
            const document = structuredClone(bases[base]);
            const random = (below: number) => numbers.next().value! % below;
            for (let change = 0; change < changes; change++) mutate(document, random);
            const text = JSON.stringify(document);
            const [published, own] = [theirs(document), ours(text)];
            verdicts[published === undefined ? "accepted" : "refused"]++;
            if ((published === undefined) !== (own === undefined)) {
              throw new Error(`schema: ${published ?? "accepted"}\nours: ${own ?? "accepted"}\n${text}`);
            }
          },
        ),
        { numRuns: Number(process.env.MINILAKE_RUNS ?? 3_000), endOnFailure: true },
      );
      // A test that only ever sees one verdict compares nothing.
      expect(verdicts.accepted).toBeGreaterThan(300);
      expect(verdicts.refused).toBeGreaterThan(300);
    });
  },
);

/** The largest example has 68 tables, and two of them show as much. */
function shortened(document: { schema?: unknown[] }): unknown {
  return document.schema ? { ...document, schema: document.schema.slice(0, 2) } : document;
}
