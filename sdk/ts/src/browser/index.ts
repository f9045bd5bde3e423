// What only browsers have: a database for keys and journals of channels, of which one page at a time holds each.

import { hex } from "../bytes.js";
import { Signer } from "../signing.js";
import { keptOf, writeChanges, type ChannelStore, type Journal } from "../x402/journal.js";

const done = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** In this origin's IndexedDB. Clearing the site's data loses it: the channel can be closed then, and not be used any more. */
export function browserStore(name = "joule"): ChannelStore {
  const database = open(name);
  /** Safe on the disk when it returns. */
  const change = async (store: "keys" | "lines", act: (store: IDBObjectStore) => void) => {
    const transaction = (await database).transaction(store, "readwrite", { durability: "strict" });
    act(transaction.objectStore(store));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  };
  const key = async (channel: string) => ((await done((await database).transaction("keys").objectStore("keys").get(channel))) as Uint8Array | undefined) ?? null;
  return {
    key,
    async makeKey(channel) {
      const known = await key(channel);
      if (known) return known;
      const seed = Signer.make().secret().slice(0, 32);
      await change("keys", (keys) => void keys.add(seed, channel));
      return seed;
    },
    async journal(channel, context): Promise<Journal> {
      const journal = `${channel} ${hex(context)}`;
      const letGo = await hold(`joule ${name} ${journal}`);
      const range = IDBKeyRange.bound([journal, 0], [journal, Infinity]);
      const lines = async () => (await done((await database).transaction("lines").objectStore("lines").getAll(range))) as string[];
      let next = (await lines()).length;
      return {
        read: async () => keptOf(await lines()),
        write: (changes) => change("lines", (store) => changes.forEach((one) => void store.add(writeChanges(one), [journal, next++]))),
        close: async () => letGo(),
      };
    },
  };
}

function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("keys");
    request.result.createObjectStore("lines");
  };
  return done(request);
}

/** Throws when another page has it. Returns what lets go of it. */
function hold(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return reject(new Error("another page has this channel's journal; two that sign for one channel would contradict each other"));
      return new Promise<void>((letGo) => resolve(letGo));
    });
  });
}
