// Signing, and checking signatures as the chain's ed25519 precompile does.

import { ed25519 } from "@noble/curves/ed25519";
import { sha512 } from "@noble/hashes/sha2";
import { PublicKey } from "@solana/web3.js";
import { concat, equal, unlittle } from "./bytes.js";

const { Point } = ed25519;
type Point = InstanceType<typeof Point>;
/** How many multiples the base point has. */
const ORDER = Point.Fn.ORDER;

function checkLength(what: string, value: Uint8Array, length: number): void {
  if (value.length !== length) throw new RangeError(`a ${what} has ${length} bytes, not ${value.length}`);
}

/** The point that these bytes are, in any of its encodings; null for none, or for one of small order, which the chain refuses. */
function pointOf(bytes: Uint8Array): Point | null {
  try {
    const point = Point.fromHex(bytes, true);
    return point.isSmallOrder() ? null : point;
  } catch {
    return null;
  }
}

/** A key to sign with. */
export class Signer {
  readonly publicKey: Uint8Array;
  /** The same in base58. */
  readonly address: string;
  private readonly seed: Uint8Array;

  /** Of the 32 bytes that Solana's key files begin with. */
  constructor(seed: Uint8Array) {
    checkLength("seed", seed, 32);
    this.seed = Uint8Array.from(seed);
    this.publicKey = ed25519.getPublicKey(this.seed);
    this.address = new PublicKey(this.publicKey).toBase58();
  }

  /** With a new key. */
  static make(): Signer {
    return new Signer(ed25519.utils.randomPrivateKey());
  }

  sign(message: Uint8Array): Uint8Array {
    return ed25519.sign(message, this.seed);
  }

  /** The 64 bytes that Solana's key files hold: the secret. */
  secret(): Uint8Array {
    return concat([this.seed, this.publicKey]);
  }
}

/** A key to check with, made ready once. */
export class Verifier {
  private readonly key: Uint8Array;
  private readonly negative: Point | null;

  constructor(publicKey: Uint8Array) {
    checkLength("key", publicKey, 32);
    this.key = Uint8Array.from(publicKey);
    // Multiples of it are kept from the first check on.
    this.negative = pointOf(publicKey)?.negate().precompute(4) ?? null;
  }

  /**
   * What passes here passes on chain. The equation is checked without the cofactor, R = sB - kA, as the precompile does: noble's
   * own `verify` takes signatures that it refuses.
   */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    if (!this.negative || signature.length !== 64) return false;
    const [r, s] = [signature.subarray(0, 32), unlittle(signature.subarray(32))];
    if (s >= ORDER || !pointOf(r)) return false;
    const k = unlittle(sha512(concat([r, this.key, message]))) % ORDER;
    return equal(Point.BASE.multiplyUnsafe(s).add(this.negative.multiplyUnsafe(k)).toBytes(), r);
  }
}
