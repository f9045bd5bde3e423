// The Merkle tree of RFC 6962 over receipts.

import { equal } from "./bytes.js";
import { sha256 } from "./context.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of one entry. */
export const leafOf = (entry: Uint8Array) => sha256(LEAF, entry);
const node = (left: Uint8Array, right: Uint8Array) => sha256(NODE, left, right);

/** As much of a tree as is needed to add to it: one hash for each bit of its size that is set. */
export class Frontier {
  /** `peaks` are the roots of the complete subtrees, the largest and oldest first. Throws a RangeError when their number is wrong. */
  constructor(private count = 0, private readonly roots: Uint8Array[] = []) {
    const bits = BigInt(count).toString(2).replaceAll("0", "").length;
    if (roots.length !== bits) throw new RangeError(`a tree of ${count} has ${bits} peaks, not ${roots.length}`);
  }

  get size(): number {
    return this.count;
  }

  get peaks(): readonly Uint8Array[] {
    return this.roots;
  }

  /** Adds an entry by its `leafOf`. */
  append(leaf: Uint8Array): void {
    let hash = leaf;
    for (let rest = this.count; rest % 2 === 1; rest = (rest - 1) / 2) hash = node(this.roots.pop()!, hash);
    this.roots.push(hash);
    this.count += 1;
  }

  root(): Uint8Array {
    return this.roots.length === 0 ? sha256() : this.roots.reduceRight((hash, peak) => node(peak, hash));
  }
}

export function rootOf(leaves: Uint8Array[]): Uint8Array {
  const frontier = new Frontier();
  leaves.forEach((leaf) => frontier.append(leaf));
  return frontier.root();
}

/** The siblings of a leaf on its way to the root, the nearest first. */
export function prove(leaves: Uint8Array[], index: number): Uint8Array[] {
  if (!(index in leaves)) throw new RangeError(`there is no leaf ${index} of ${leaves.length}`);
  if (leaves.length === 1) return [];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...prove(left, index), rootOf(right)] : [...prove(right, index - split), rootOf(left)];
}

/**
 * Whether `proof` leads from an entry (not its hash: that of a node would pass for a leaf's), at `index` of `size`, to `root`.
 */
export function verifyProof(root: Uint8Array, entry: Uint8Array, index: number, size: number, proof: Uint8Array[]): boolean {
  if (!Number.isSafeInteger(size) || !Number.isInteger(index) || index < 0 || index >= size) return false;
  const half = (number: number) => Math.floor(number / 2);
  let [at, last, hash] = [index, size - 1, leafOf(entry)];
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== 32) return false;
    if (at % 2 === 1 || at === last) {
      hash = node(sibling, hash);
      // A last node without a sibling is its own parent.
      while (at % 2 === 0) [at, last] = [at / 2, half(last)];
    } else {
      hash = node(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(hash, root);
}
