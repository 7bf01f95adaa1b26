import { prepareCurate } from "./curateObject.ts";
import { stageHandler } from "./functionEntry.ts";

/** The Lambda function of the stage `curate`: CSV objects of the source bucket become partitions in the target bucket. */
export const handler = await stageHandler("curate", import.meta.url, prepareCurate);
