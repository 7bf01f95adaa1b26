export { SQSClient } from "@aws-sdk/client-sqs";
