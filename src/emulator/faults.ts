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

/** How long a reordered event is held back, so that later ones overtake it. */
const REORDER_HOLD_MS = 400;

const RATES = ["duplicate", "reorder", "drop", "throttle", "slowdown"] as const;
type Rate = (typeof RATES)[number];

/**
 * `spec` is like "seed=42,duplicate=0.2,delay=0..500ms,reorder=0.2,drop=0.05,throttle=0.05,slowdown=0.02".
 * Rates are probabilities from 0 to 1, each drawn from a sequence of its own, so the n-th event meets the same fate in every run.
 * Throws MinilakeError Usage naming the part that cannot be read.
 */
export function parseFaults(spec: string): Faults {
  const rates: Record<Rate, number> = { duplicate: 0, reorder: 0, drop: 0, throttle: 0, slowdown: 0 };
  let seed = 1;
  let delay: [number, number] = [0, 0];
  for (const part of spec.split(",").filter((text) => text.trim() !== "")) {
    const [name = "", value = ""] = part.split("=").map((text) => text.trim());
    if (name === "seed" && /^\d+$/.test(value)) seed = Number(value);
    else if (name === "delay" && /^\d+(\.\.\d+)?(ms)?$/.test(value)) {
      const [low = 0, high = low] = value.replace("ms", "").split("..").map(Number);
      delay = [low, high];
    } else if (
      (RATES as readonly string[]).includes(name) &&
      Number(value) >= 0 &&
      Number(value) <= 1 &&
      value !== ""
    ) {
      rates[name as Rate] = Number(value);
    } else {
      throw new MinilakeError("Usage", `--faults: "${part.trim()}" cannot be read.`, {
        hint: "Write it like: --faults 'seed=42,duplicate=0.2,delay=0..500ms,reorder=0.2,drop=0.05,throttle=0.05,slowdown=0.02'",
      });
    }
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
