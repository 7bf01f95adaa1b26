import { MinilakeError } from "../errors.ts";

export async function runDemo(..._options: unknown[]): Promise<void> {
  throw new MinilakeError("Internal", "minilake demo is not there yet.");
}
