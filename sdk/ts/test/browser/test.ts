// Stands in for `node:test` in a browser.

const tests: { name: string; run: () => unknown }[] = [];

export function test(name: string, run: () => unknown): void {
  tests.push({ name, run });
}

/** One after the other; the failures, in words. */
export async function runAll(): Promise<{ passed: number; failed: string[] }> {
  const failed: string[] = [];
  for (const { name, run } of tests) {
    try {
      await run();
    } catch (error) {
      failed.push(`${name}: ${(error as Error).stack ?? error}`);
    }
  }
  return { passed: tests.length - failed.length, failed };
}
