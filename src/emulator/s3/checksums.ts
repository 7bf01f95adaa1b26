import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { createCRC32, createCRC64, createXXHash3, createXXHash64, createXXHash128, type IHasher } from "hash-wasm";

/** In the order in which S3 lists them in its messages. */
export const CHECKSUM_ALGORITHMS = [
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "MD5",
  "SHA1",
  "SHA256",
  "SHA512",
  "XXHASH128",
  "XXHASH3",
  "XXHASH64",
] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** Digest lengths in bytes. */
export const CHECKSUM_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  MD5: 16,
  SHA1: 20,
  SHA256: 32,
  SHA512: 64,
  XXHASH128: 16,
  XXHASH3: 8,
  XXHASH64: 8,
};

/** "x-amz-checksum-crc32" */
export const checksumHeader = (algorithm: ChecksumAlgorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`;
/** "ChecksumCRC32" */
export const checksumElement = (algorithm: ChecksumAlgorithm) => `Checksum${algorithm}`;

export interface Hasher {
  update(chunk: Uint8Array): void;
  digest(): Buffer;
}

/** Polynomials in reflected form. */
const CRC_POLYNOMIALS = { CRC32: 0xedb88320n, CRC32C: 0x82f63b78n, CRC64NVME: 0x9a6c9329ac4bc9b5n } as const;
export type CrcAlgorithm = keyof typeof CRC_POLYNOMIALS;

export const isCrc = (algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm => algorithm in CRC_POLYNOMIALS;

/** Those that Node has not got, as WebAssembly; XXHash with seed 0, its digests in the canonical, big-endian form. */
const WASM_HASHERS = {
  CRC32C: () => createCRC32(Number(CRC_POLYNOMIALS.CRC32C)),
  CRC64NVME: () => createCRC64(CRC_POLYNOMIALS.CRC64NVME.toString(16)),
  XXHASH128: () => createXXHash128(0, 0),
  XXHASH3: () => createXXHash3(0, 0),
  XXHASH64: () => createXXHash64(0, 0),
} satisfies Partial<Record<ChecksumAlgorithm, () => Promise<IHasher>>>;
type WasmAlgorithm = keyof typeof WASM_HASHERS;

const isWasm = (algorithm: ChecksumAlgorithm): algorithm is WasmAlgorithm => Object.hasOwn(WASM_HASHERS, algorithm);

/** One instance per algorithm, lent out through saved states: making one takes milliseconds, a state microseconds. */
const instances: Partial<Record<WasmAlgorithm, IHasher>> = {};
const loading: Partial<Record<WasmAlgorithm, Promise<void>>> = {};

/** What must have resolved before `createHasher` is asked for one of these; undefined when it can be asked at once. */
export function loadHashers(algorithms: Iterable<ChecksumAlgorithm>): Promise<unknown> | undefined {
  let missing: Promise<void>[] | undefined;
  for (const algorithm of algorithms) {
    if (!isWasm(algorithm) || instances[algorithm]) continue;
    loading[algorithm] ??= WASM_HASHERS[algorithm]().then((instance) => {
      instances[algorithm] = instance;
    });
    missing ??= [];
    missing.push(loading[algorithm]);
  }
  return missing && Promise.all(missing);
}

export function createHasher(algorithm: ChecksumAlgorithm): Hasher {
  if (algorithm === "CRC32") return crc32Hasher();
  if (isWasm(algorithm)) return wasmHasher(algorithm);
  return createHash(algorithm.toLowerCase()) as Hash;
}

export function digestOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Buffer {
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  return hasher.digest();
}

function crc32Hasher(): Hasher {
  let value = 0;
  return {
    update: (chunk) => {
      value = crc32(chunk, value);
    },
    digest: () => {
      const digest = Buffer.allocUnsafe(4);
      digest.writeUInt32BE(value);
      return digest;
    },
  };
}

/** Interleaved users of one instance: each loads its state before, and saves it after, every update. */
function wasmHasher(algorithm: WasmAlgorithm): Hasher {
  const instance = instances[algorithm];
  if (!instance) throw new Error(`loadHashers was not asked for ${algorithm}`);
  instance.init();
  let state = instance.save();
  return {
    update: (chunk) => {
      instance.load(state);
      instance.update(chunk);
      state = instance.save();
    },
    digest: () => {
      instance.load(state);
      return Buffer.from(instance.digest("binary"));
    },
  };
}

/**
 * CRC of A followed by B, from the CRC of each and the length of B in bytes: A's register is advanced over B's length in zero
 * bits, which is a multiplication by x^(8·length) modulo the polynomial.
 */
export function combineCrc(algorithm: CrcAlgorithm, first: Buffer, second: Buffer, secondBytes: number): Buffer {
  const width = CHECKSUM_BYTES[algorithm] * 8;
  const polynomial = CRC_POLYNOMIALS[algorithm];
  const a = BigInt(`0x${first.toString("hex")}`);
  const b = BigInt(`0x${second.toString("hex")}`);
  const key = `${algorithm}/${secondBytes}`;
  // Parts are mostly of one size: its power is computed once.
  if (lastPower.key !== key) lastPower = { key, value: powerOfX(BigInt(secondBytes) * 8n, polynomial, width) };
  const combined = multiply(a, lastPower.value, polynomial, width) ^ b;
  return Buffer.from(combined.toString(16).padStart(width / 4, "0"), "hex");
}

let lastPower = { key: "", value: 0n };

/** Polynomials over GF(2) with the bits reversed: the highest bit of the word is x^0. */
function multiply(a: bigint, b: bigint, polynomial: bigint, width: number): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = BigInt(width - 1); bit >= 0n; bit--) {
    if ((a >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}

function powerOfX(exponent: bigint, polynomial: bigint, width: number): bigint {
  const one = 1n << BigInt(width - 1);
  let result = one;
  let base = one >> 1n;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(result, base, polynomial, width);
    base = multiply(base, base, polynomial, width);
  }
  return result;
}
