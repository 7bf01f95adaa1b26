import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OPERATOR_ACTIONS, OPERATOR_CALLS } from "../../../src/lake/operatorActions.ts";
import { packageRoot } from "../../../src/packageRoot.ts";

/** Every SDK command that the program, not the endpoint, makes. */
function callsMade(): Set<string> {
  const root = join(packageRoot(), "src");
  const calls = new Set<string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // doctor asks about permissions, and says so when it may not.
    if (!entry.isFile() || !path.endsWith(".ts") || path.includes("emulator") || path.endsWith("checks.ts")) continue;
    for (const [, call] of readFileSync(path, "utf8").matchAll(/new ([A-Z]\w+)Command\(/g)) calls.add(call!);
  }
  return calls;
}

test("the permissions that doctor tells of are those of the calls that are made, no more and no less", () => {
  expect([...OPERATOR_CALLS].sort()).toEqual([...callsMade()].sort());
  for (const action of OPERATOR_ACTIONS) expect(action).toMatch(/^(s3|iam|lambda|sqs|logs|cloudwatch):[A-Z][A-Za-z]+$/);
});
