import { notImplemented } from "./awsError.ts";

/** Throws 501 for the one name of a member that the store does not keep as it is. */
export function refuseReservedName(name: string): void {
  if (name === "__proto__") throw notImplemented('the name "__proto__"');
}
