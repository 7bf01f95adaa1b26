/**
 * minilake as a library: throw-away lakes for tests.
 *
 *     import { createLake } from "minilake";
 */
export { MinilakeError } from "../errors.ts";
export { createLake } from "./createLake.ts";
export type { CreateLake, CreateLakeOptions, IngestedFile, Lake } from "./types.ts";
