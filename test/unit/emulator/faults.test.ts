import { describe, expect, it } from "vitest";
import { parseFaults } from "../../../src/emulator/faults.ts";

const draw = (spec: string, count = 2000) => {
  const faults = parseFaults(spec);
  return Array.from({ length: count }, () => faults.eventDelays());
};

describe("faults", () => {
  it("repeats the same fates for the same seed and others for another seed", () => {
    const spec = "duplicate=0.3,drop=0.1,reorder=0.2,delay=0..500ms";
    expect(draw(`seed=42,${spec}`)).toEqual(draw(`seed=42,${spec}`));
    expect(draw(`seed=42,${spec}`)).not.toEqual(draw(`seed=43,${spec}`));
  });

  it("drops, doubles and delays about as often and as long as asked", () => {
    const fates = draw("seed=7,duplicate=0.2,drop=0.05,delay=10..20ms", 10_000);
    const share = (matches: (delays: number[]) => boolean) => fates.filter(matches).length / fates.length;
    expect(share((delays) => delays.length === 0)).toBeCloseTo(0.05, 1);
    expect(share((delays) => delays.length === 2)).toBeCloseTo(0.19, 1);
    expect(fates.flat().every((delay) => delay >= 10 && delay <= 20)).toBe(true);
  });

  it("holds a reordered event back long enough for later ones to overtake it", () => {
    const delays = draw("seed=3,reorder=0.5").flat();
    expect(new Set(delays)).toEqual(new Set([0, 400]));
  });

  it("says what is on, so that the run can be repeated", () => {
    const spec = "seed=42,duplicate=0.2,throttle=0.05,delay=0..500ms";
    expect(parseFaults(parseFaults(spec).describe()).describe()).toBe(parseFaults(spec).describe());
    expect(parseFaults(spec).describe()).toBe(spec);
  });

  it.each(["duplicate=2", "drop=-0.1", "speed=1", "delay=fast", "drop=", "seed=x"])("refuses %s by name", (spec) => {
    expect(() => parseFaults(`seed=1,${spec}`)).toThrow(spec);
  });
});
