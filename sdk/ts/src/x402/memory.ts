// A store that is gone with the process: for tests, and for channels that are closed before it ends. What a process that is killed
// had promised nobody knows any more, so that its channel can only be closed.

import { hex } from "../bytes.js";
import { Signer } from "../signing.js";
import type { ChannelStore, Journal } from "./journal.js";
import { keptOf, writeChanges } from "./journal.js";

export function memoryStore(): ChannelStore {
  const [keys, journals, open] = [new Map<string, Uint8Array>(), new Map<string, string[]>(), new Set<string>()];
  return {
    async makeKey(channel) {
      const key = keys.get(channel) ?? Signer.make().secret().slice(0, 32);
      keys.set(channel, key);
      return key;
    },
    key: async (channel) => keys.get(channel) ?? null,
    async journal(channel, context): Promise<Journal> {
      const name = `${channel} ${hex(context)}`;
      if (open.has(name)) throw new Error(`the journal of ${channel} is open already; two that sign for one channel would contradict each other`);
      open.add(name);
      const lines = journals.get(name) ?? [];
      journals.set(name, lines);
      return {
        read: async () => keptOf(lines),
        write: async (changes) => void lines.push(...changes.map(writeChanges)),
        close: async () => void open.delete(name),
      };
    },
  };
}
