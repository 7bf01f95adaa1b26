import { notImplemented } from "../awsError.ts";

/** Of one operation: the members of its input that it acts on, or that change nothing. */
export type Members = readonly string[];

/**
 * What an operation does not act on must not be accepted as if it did: AWS adds members to old operations every year.
 * Absent, empty and null members ask for nothing. Throws NotImplemented 501 naming the member.
 *
 * where    what has the members: "sqs:SendMessage"
 */
export function refuseOtherMembers(where: string, input: Readonly<Record<string, unknown>>, known: Members): void {
  for (const name of Object.keys(input)) {
    if (!known.includes(name) && !isEmpty(input[name])) throw notImplemented(`${where} with ${name}`);
  }
}

const isEmpty = (value: unknown) =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
