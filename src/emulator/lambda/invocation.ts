export interface Invocation {
  requestId: string;
  payload: Buffer;
  invokedFunctionArn: string;
  traceHeader: string;
  /** JSON text. */
  clientContext?: string | undefined;
}

export interface InvocationResult {
  payload: Buffer;
  /** Undefined when the function succeeded. */
  functionError?: "Unhandled";
  durationMs: number;
}
