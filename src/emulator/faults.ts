import { MinilakeError } from "../errors.ts";

/** Delivery faults on demand: the misbehaviour that AWS reserves the right to, made frequent and reproducible. */
export interface Faults {
  /** "seed=42,duplicate=0.2": what to print so that the run can be repeated. */
  describe(): string;
  /** For one S3 event: the delay in milliseconds of each copy to deliver. [] drops it, [0] is the ordinary delivery. */
  eventDelays(): number[];
  /** True: this attempt to start an asynchronous invocation is throttled (429). */
  throttle(): boolean;
  /** True: this S3 request is answered 503 SlowDown. */
  slowDown(): boolean;
}

/** What an endpoint without faults does. */
export const NO_FAULTS: Faults = {
  describe: () => "none",
  eventDelays: () => [0],
  throttle: () => false,
  slowDown: () => false,
};

/** Of 32 bits, as the generator of random numbers. */
const MAX_SEED = 4_294_967_295;

/** How long a reordered event is held back, so that later ones overtake it. */
const REORDER_HOLD_MS = 400;

const RATES = ["duplicate", "reorder", "drop", "throttle", "slowdown"] as const;
type Rate = (typeof RATES)[number];

const EXAMPLE = "seed=42,duplicate=0.2,delay=0..500ms,reorder=0.2,drop=0.05,throttle=0.05,slowdown=0.02";

/**
 * `spec` is like "seed=42,duplicate=0.2,delay=0..500ms,reorder=0.2,drop=0.05,throttle=0.05,slowdown=0.02".
 * Rates are probabilities from 0 to 1, each drawn from a sequence of its own, so the n-th event meets the same fate in every run.
 * Throws MinilakeError Usage naming the part that cannot be read, and why.
 */
export function parseFaults(spec: string): Faults {
  const rates: Record<Rate, number> = { duplicate: 0, reorder: 0, drop: 0, throttle: 0, slowdown: 0 };
  let seed = 1;
  let delay: [number, number] = [0, 0];
  const seen = new Set<string>();
  for (const part of spec.split(",").map((text) => text.trim())) {
    if (part === "") continue;
    const [name = "", ...values] = part.split("=").map((text) => text.trim());
    const value = values.join("=");
    if (seen.has(name)) throw unreadable(part, `${name} is there twice`);
    seen.add(name);
    if (name === "seed") seed = readSeed(part, value);
    else if (name === "delay") delay = readDelay(part, value);
    else if (isRate(name)) rates[name] = readRate(part, value);
    else throw unreadable(part, `there are seed, delay, ${RATES.join(", ")}`);
  }
  const random = Object.fromEntries([...RATES, "delay"].map((name, index) => [name, sequence(seed * 31 + index)]));
  const happens = (rate: Rate) => random[rate]!() < rates[rate];
  const wait = () => delay[0] + Math.floor(random.delay!() * (delay[1] - delay[0] + 1));
  return {
    describe: () => {
      const parts = RATES.filter((rate) => rates[rate] > 0).map((rate) => `${rate}=${rates[rate]}`);
      if (delay[1] > 0) parts.push(`delay=${delay[0]}..${delay[1]}ms`);
      return [`seed=${seed}`, ...parts].join(",");
    },
    eventDelays: () => {
      const dropped = happens("drop");
      const held = happens("reorder") ? REORDER_HOLD_MS : 0;
      const copies = happens("duplicate") ? 2 : 1;
      const delays = Array.from({ length: copies }, () => held + wait());
      return dropped ? [] : delays;
    },
    throttle: () => happens("throttle"),
    slowDown: () => happens("slowdown"),
  };
}

const isRate = (name: string): name is Rate => (RATES as readonly string[]).includes(name);

function readSeed(part: string, value: string): number {
  const seed = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (!(seed <= MAX_SEED)) throw unreadable(part, `a seed is a whole number up to ${MAX_SEED}`);
  return seed;
}

function readDelay(part: string, value: string): [number, number] {
  const [, low, high = low] = /^(\d{1,9})(?:\.\.(\d{1,9}))?(?:ms)?$/.exec(value) ?? [];
  const range: [number, number] = [Number(low), Number(high)];
  if (!(range[0] <= range[1]))
    throw unreadable(part, "a delay is so many milliseconds, or the least and the most: 0..500ms");
  return range;
}

function readRate(part: string, value: string): number {
  const rate = /^(\d+\.?\d*|\.\d+)(e-?\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!(rate >= 0 && rate <= 1)) throw unreadable(part, "a rate is a probability from 0 to 1");
  return rate;
}

const unreadable = (part: string, why: string) =>
  new MinilakeError("Usage", `--faults: "${part}" cannot be read: ${why}.`, {
    hint: `Write it like: --faults '${EXAMPLE}'`,
  });

/** mulberry32: a small seeded generator of numbers from 0 (inclusive) to 1 (exclusive). */
function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
