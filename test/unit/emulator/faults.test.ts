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

  it.each([
    ["duplicate=2", "a rate is a probability from 0 to 1"],
    ["drop=-0.1", "a rate is a probability from 0 to 1"],
    ["drop=", "a rate is a probability from 0 to 1"],
    ["drop=0x1", "a rate is a probability from 0 to 1"],
    ["drop=0.1=5", "a rate is a probability from 0 to 1"],
    ["drop=50%", "a rate is a probability from 0 to 1"],
    ["speed=1", "there are seed, delay, duplicate, reorder, drop, throttle, slowdown"],
    ["drop", "a rate is a probability from 0 to 1"],
    ["delay=fast", "a delay is so many milliseconds"],
    ["delay=500..0ms", "a delay is so many milliseconds"],
    ["delay=0..5s", "a delay is so many milliseconds"],
    ["reorder=0.2,reorder=0.3", "reorder is there twice"],
  ])("refuses %s by name, and says why", (spec, why) => {
    expect(() => parseFaults(`seed=1,${spec}`)).toThrow(`"${spec.split(",").at(-1)}" cannot be read: ${why}`);
  });

  it.each(["seed=x", "seed=-1", "seed=1.5", "seed=4294967296"])("refuses %s", (spec) => {
    expect(() => parseFaults(spec)).toThrow(`"${spec}" cannot be read: a seed is a whole number`);
  });

  it("draws each rate as often as asked, whatever the seed", () => {
    const count = 10_000;
    for (const seed of [0, 1, 2, 42, 4_294_967_295]) {
      const faults = parseFaults(`seed=${seed},duplicate=0.3,reorder=0.2,drop=0.1,throttle=0.05,slowdown=0.02`);
      const seen = { drop: 0, duplicate: 0, reorder: 0, throttle: 0, slowdown: 0 };
      for (let index = 0; index < count; index++) {
        const delays = faults.eventDelays();
        if (delays.length === 0) seen.drop++;
        if (delays.length === 2) seen.duplicate++;
        if ((delays[0] ?? 0) > 0) seen.reorder++;
        if (faults.throttle()) seen.throttle++;
        if (faults.slowDown()) seen.slowdown++;
      }
      // An event that is dropped can be neither doubled nor held back.
      const expected = { drop: 0.1, duplicate: 0.9 * 0.3, reorder: 0.9 * 0.2, throttle: 0.05, slowdown: 0.02 };
      for (const [name, rate] of Object.entries(expected)) {
        // Five standard deviations.
        const tolerance = 5 * Math.sqrt((rate * (1 - rate)) / count);
        expect(Math.abs(seen[name as keyof typeof seen] / count - rate), `${name}, seed ${seed}`).toBeLessThan(
          tolerance,
        );
      }
    }
  });
});
