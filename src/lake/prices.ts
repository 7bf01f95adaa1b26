/**
 * What AWS takes for what a lake uses, in USD, without the free tier and without taxes. List prices of one region; others
 * differ by up to a half. https://aws.amazon.com/s3/pricing/ https://aws.amazon.com/lambda/pricing/
 * https://aws.amazon.com/cloudwatch/pricing/
 */
export const PRICES = {
  region: "us-east-1",
  asOf: "2025-06",
  s3: {
    /** PUT, COPY, POST, LIST; S3 Standard. */
    per1000Writes: 0.005,
    /** GET, HEAD. DELETE costs nothing. */
    per1000Reads: 0.0004,
    perGbMonth: 0.023,
  },
  lambda: {
    perMillionRequests: 0.2,
    perGbSecond: { x86_64: 0.0000166667, arm64: 0.0000133334 },
    /** Of /tmp, beyond the first 512 MB. */
    perStorageGbSecond: 0.0000000309,
  },
  logs: { perGbIngested: 0.5 },
} as const;
