// Artifacts in a folder, as every Joule program on this machine keeps them: `sha256/<hex>`.

import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { MOST_BYTES, checkHash, hashText, type ArtifactStore } from "../artifacts.js";
import { hex } from "../bytes.js";
import { sha256 } from "../context.js";

export function artifactFolder(folder: string): ArtifactStore {
  const place = (hash: string) => join(folder, "sha256", hash);
  return {
    async put(bytes) {
      const hash = hex(sha256(bytes));
      await mkdir(join(folder, "sha256"), { recursive: true });
      // Nobody sees half of it.
      const partial = `${place(hash)}#${process.pid}`;
      const file = await open(partial, "w");
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(partial, place(hash));
      return hash;
    },
    async get(hash, most = MOST_BYTES) {
      const path = place(hashText(hash));
      const found = await stat(path).catch(() => null);
      if (!found) throw new Error(`artifact ${hashText(hash)} is not in ${folder}`);
      if (found.size > most) throw new RangeError(`artifact ${hashText(hash)} is larger than the ${most} bytes allowed here`);
      return checkHash(hash, new Uint8Array(await readFile(path)), folder);
    },
  };
}
