import { stageHandler } from "./functionEntry.ts";
import { prepareValidate } from "./validateObject.ts";

/** The Lambda function of the stage `validate`: CSV objects of raw become objects of trusted that keep the contract. */
export const handler = await stageHandler("validate", import.meta.url, prepareValidate);
