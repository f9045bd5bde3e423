// Keys and journals of channels in a folder: `<channel>/session.json`, a Solana key file, and `<channel>/journal.jsonl`, a line
// for each change.

import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { hex } from "../bytes.js";
import { Signer } from "../signing.js";
import { keptOf, writeChanges, type ChannelStore, type Journal } from "../x402/journal.js";

/** For its owner alone. */
const MODE = 0o600;

export function fileStore(folder: string): ChannelStore {
  const keyFile = (channel: string) => join(folder, channel, "session.json");
  const key = async (channel: string) => {
    if (!existsSync(keyFile(channel))) return null;
    return Uint8Array.from(JSON.parse(readFileSync(keyFile(channel), "utf8")) as number[]).slice(0, 32);
  };
  return {
    key,
    async makeKey(channel) {
      const known = await key(channel);
      if (existsSync(join(folder, channel, "journal.jsonl"))) {
        throw new Error(`${join(folder, channel)} has the journal of a channel that another network had at this address: move it away`);
      }
      if (known) return known;
      mkdirSync(join(folder, channel), { recursive: true, mode: 0o700 });
      const secret = Signer.make().secret();
      writeWhole(keyFile(channel), JSON.stringify(Array.from(secret)));
      return secret.slice(0, 32);
    },
    journal: async (channel, context) => openJournal(join(folder, channel, "journal.jsonl"), context),
  };
}

/** On return it is on the disk: all of it, or none. */
function writeWhole(path: string, text: string): void {
  const partial = `${path}.partial`;
  const file = openSync(partial, "w", MODE);
  writeSync(file, text);
  fsyncSync(file);
  closeSync(file);
  renameSync(partial, path);
  syncFolder(dirname(path));
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** The first line is the channel's context; it tells one cluster from another. */
function openJournal(path: string, context: Uint8Array): Journal {
  const unlock = lock(`${path}.lock`);
  try {
    const head = `${JSON.stringify({ context: hex(context) })}\n`;
    if (!existsSync(path)) writeWhole(path, head);
    const text = readFileSync(path, "utf8");
    // Half a line was never safe, so that nothing was signed for it.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (!whole.startsWith(head)) throw new Error(`${path} belongs to another channel`);
    const file = openSync(path, "r+", MODE);
    ftruncateSync(file, Buffer.byteLength(whole));
    fsyncSync(file);
    let at = Buffer.byteLength(whole);
    return {
      read: async () => keptOf(readFileSync(path, "utf8").slice(head.length).split("\n").slice(0, -1)),
      async write(changes) {
        const bytes = Buffer.from(changes.map((change) => `${writeChanges(change)}\n`).join(""));
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
        fsyncSync(file);
        at += bytes.length;
      },
      async close() {
        closeSync(file);
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Of one process at a time; one that was killed has left it behind. Returns what lets go of it. */
function lock(path: string): () => void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  for (;;) {
    try {
      const file = openSync(path, "wx", MODE);
      writeSync(file, `${process.pid}\n`);
      closeSync(file);
      return () => unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(readIfThere(path));
    if (Number.isInteger(holder) && holder > 0 && !isAlive(holder)) {
      // Taken away by name, and looked at again: somebody else may have been as quick.
      const dead = `${path}.${process.pid}`;
      try {
        renameSync(path, dead);
      } catch {
        continue;
      }
      const isTheirs = Number(readFileSync(dead, "utf8")) === holder;
      if (!isTheirs) {
        renameSync(dead, path);
        continue;
      }
      unlinkSync(dead);
      continue;
    }
    throw new Error(`${path} is held by ${holder > 0 ? `process ${holder}` : "another process"}; two that sign for one channel would contradict each other`);
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
