import { MinilakeError } from "../errors.ts";

export async function runIngest(..._options: unknown[]): Promise<void> {
  throw new MinilakeError("Internal", "minilake ingest is not there yet.");
}
