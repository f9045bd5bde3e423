// A global Buffer, where there is none.

import { Buffer } from "buffer";

/** Anchor's packages take the global one in places, in their builds for browsers too; bundlers put none there. Before their code is used. */
export function provideBuffer(): void {
  (globalThis as { Buffer?: unknown }).Buffer ??= Buffer;
}
