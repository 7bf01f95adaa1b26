import type { Operation } from "../call.ts";
import { describeObject } from "../reads.ts";

/** As GetObject, without the bytes; errors have no body either. */
export const headObject: Operation = (context, call) => describeObject(context, call).reply;
