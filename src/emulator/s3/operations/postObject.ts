import { notImplemented } from "../../awsError.ts";
import type { Operation } from "../call.ts";

export const postObject: Operation = () => {
  throw notImplemented("s3:PostObject");
};
