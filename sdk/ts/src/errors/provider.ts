// An Anchor provider whose errors say what is wrong.

import type { Provider } from "@anchor-lang/core";
import { explained } from "./explain.js";

/** The same provider, but that what it sends, or simulates, and the cluster refuses is thrown as a `JouleError`. */
export function explaining<P extends Provider>(provider: P): P {
  const wrapped = Object.create(provider) as P;
  for (const name of ["send", "sendAndConfirm", "sendAll", "simulate"] as const) {
    const own = provider[name] as ((...args: unknown[]) => Promise<unknown>) | undefined;
    if (own) Object.defineProperty(wrapped, name, { value: (...args: unknown[]) => explained(own.apply(provider, args)) });
  }
  return wrapped;
}
