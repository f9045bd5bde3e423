// Stands in for `node:assert/strict` in a browser, as far as the tests use it.

type Wanted = RegExp | (new (...args: any[]) => unknown) | Record<string, unknown>;

function fail(what: string, message?: string | Error): never {
  throw message instanceof Error ? message : new Error(message ? `${message}: ${what}` : what);
}

const show = (value: unknown) => {
  const text = JSON.stringify(value, (_, own: unknown) => (typeof own === "bigint" ? `${own}n` : own));
  return String(text).slice(0, 300);
};

function ok(value: unknown, message?: string): asserts value {
  if (!value) fail(`${show(value)} is not true`, message);
}

function equal(actual: unknown, expected: unknown, message?: string): void {
  if (!Object.is(actual, expected)) fail(`${show(actual)} is not ${show(expected)}`, message);
}

/** Own fields, whatever the class, as long as both have the same one. */
function same(a: any, b: any): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Map || a instanceof Set) return same([...a], [...b]);
  if (typeof a.toBase58 === "function") return a.toBase58() === b.toBase58();
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}

function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  if (!same(actual, expected)) fail(`${show(actual)} is not ${show(expected)}`, message);
}

function check(error: unknown, wanted?: Wanted): void {
  if (wanted === undefined) return;
  if (wanted instanceof RegExp) return void (wanted.test(String(error)) || fail(`${error} is not ${wanted}`));
  if (typeof wanted === "function") return void (error instanceof wanted || fail(`${error} is no ${wanted.name}`));
  for (const [key, value] of Object.entries(wanted)) {
    const own = (error as any)?.[key];
    if (value instanceof RegExp ? !value.test(String(own)) : !same(own, value)) fail(`${key} is ${show(own)}, not ${show(value)}`);
  }
}

function throws(act: () => unknown, wanted?: Wanted): void {
  try {
    act();
  } catch (error) {
    return check(error, wanted);
  }
  fail("nothing was thrown");
}

async function rejects(act: Promise<unknown> | (() => Promise<unknown>), wanted?: Wanted): Promise<void> {
  try {
    await (typeof act === "function" ? act() : act);
  } catch (error) {
    return check(error, wanted);
  }
  fail("nothing was thrown");
}

function match(text: string, pattern: RegExp, message?: string): void {
  if (!pattern.test(text)) fail(`${show(text)} is not ${pattern}`, message);
}

const notEqual = (actual: unknown, expected: unknown, message?: string) => void (Object.is(actual, expected) && fail(`${show(actual)} is that`, message));

const assert: any = Object.assign(ok, { ok, equal, notEqual, deepEqual, throws, rejects, match });
export default assert;
