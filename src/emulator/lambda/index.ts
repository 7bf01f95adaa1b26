import type { Authorize, Caller } from "../access.ts";
import { notImplemented } from "../awsError.ts";
import type { EventTarget } from "../delivery.ts";
import type { Faults } from "../faults.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";

export interface LambdaService extends Service, EventTarget {}

/** What Lambda needs of the other services; the types are spelled out here because services do not import each other. */
export interface LambdaDependencies {
  store: Store;
  settings: EmulatorSettings;
  /** Where packages are unpacked and each environment has its /tmp: a folder of Lambda's own inside the data folder. */
  folder: string;
  authorize: Authorize;
  roleRefusal(roleArn: string, service: string): string | undefined;
  assumeRoleForService(
    roleArn: string,
    sessionName: string,
    service: string,
  ): {
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string; expiration: number };
    caller: Caller;
  };
  appendLogs(caller: Caller, group: string, stream: string, events: { timestamp: number; message: string }[]): void;
  recordMetrics(
    data: {
      namespace: string;
      name: string;
      dimensions: Record<string, string>;
      value: number;
      unit: string;
      timestamp: number;
    }[],
  ): void;
  /** Inside a transaction; returns why the message was not stored, or undefined. */
  sendMessage(
    caller: Caller,
    queueArn: string,
    body: string,
    attributes: Record<string, { DataType: string; StringValue?: string }>,
  ): string | undefined;
  readObject(
    caller: Caller,
    bucket: string,
    key: string,
    versionId: string | undefined,
    maxBytes: number,
  ): Promise<Buffer>;
  putObject(caller: Caller, bucket: string, key: string, body: Buffer): Promise<void>;
  faults: Faults;
}

export function createLambda(_dependencies: LambdaDependencies): LambdaService {
  throw notImplemented("lambda");
}
