// What a job asks for: a module and the limits it runs under. Its JSON is an artifact, and its hash the job's spec hash.

import { utf8 } from "./bytes.js";
import { hashText } from "./artifacts.js";

export interface JobSpec {
  /** sha256 of the WebAssembly module, in hex. */
  module: string;
  /** Units of wasmtime fuel, about one for each instruction. */
  fuel: bigint;
  /** Largest size of the module's memory. */
  memoryBytes: bigint;
  /** Longest time the module may run, in milliseconds. */
  timeoutMs: bigint;
}

const LIMITS = {
  fuel: [1n, 100_000_000_000_000n],
  memoryBytes: [65_536n, 4n << 30n],
  timeoutMs: [1n, 86_400_000n],
} as const;

/** Version 1, as every Joule program writes it: compact, fields in this order. Throws a RangeError for a limit out of range. */
export function specBytes(spec: JobSpec): Uint8Array {
  for (const [name, [least, most]] of Object.entries(LIMITS)) {
    const value = spec[name as keyof typeof LIMITS];
    if (value < least || value > most) throw new RangeError(`${name} is ${value}; it must be from ${least} to ${most}`);
  }
  const { module, fuel, memoryBytes, timeoutMs } = spec;
  return utf8(`{"version":1,"module":"${hashText(module)}","fuel":${fuel},"memory_bytes":${memoryBytes},"timeout_ms":${timeoutMs}}`);
}
