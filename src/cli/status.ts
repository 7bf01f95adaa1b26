import { MinilakeError } from "../errors.ts";

export async function runStatus(..._options: unknown[]): Promise<void> {
  throw new MinilakeError("Internal", "minilake status is not there yet.");
}
