// How long something takes, as people write it.

/** Seconds, or `"90s"`, `"1h 30m"`, `"7d"`. */
export type Duration = number | string;

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** Throws a RangeError for what is none, or is no whole number of seconds that fits into 32 bits. */
export function secondsIn(duration: Duration): number {
  const parts = typeof duration === "string" ? [...duration.matchAll(/(\d+)\s*([a-z]+)\s*/g)] : [];
  const sum = typeof duration === "number" ? duration : parts.reduce((sum, [, count, unit]) => sum + Number(count) * (SECONDS[unit!] ?? NaN), 0);
  const isWhole = typeof duration === "number" || (parts.length > 0 && parts.map(([part]) => part).join("") === duration.trimStart());
  if (!isWhole || !Number.isInteger(sum) || sum < 0 || sum >= 2 ** 32) {
    throw new RangeError(`${JSON.stringify(duration)} is not a duration: write seconds, or such as "90s", "1h 30m", "7d"`);
  }
  return sum;
}
