/** What all services of one embedded endpoint share. */
export interface EmulatorSettings {
  region: string;
  accountId: string;
  /** "http://127.0.0.1:4566": what functions get as AWS_ENDPOINT_URL. Known only once the server listens. */
  endpoint: () => string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** True: only issued keys are accepted, `test`/`test` is not. */
  strict: boolean;
  /** True: AWS's real delays between asynchronous tries (60 s, 120 s); false: 1 s and 2 s. */
  awsTiming: boolean;
  /** Most execution environments of all functions together; AWS's is 1,000. */
  concurrency: number;
  /** An unexpected error (our bug) or a warning, for the endpoint's stderr. */
  report: (message: string, error?: unknown) => void;
}
