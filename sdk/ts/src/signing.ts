// Signing, and checking signatures as the chain's ed25519 precompile does.

import { PublicKey } from "@solana/web3.js";
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { concat, equal } from "./formats.js";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

/** What stands in front of the 32 bytes of a key in DER. */
const PKCS8 = bytes("302e020100300506032b657004220420");
const SPKI = bytes("302a300506032b6570032100");

/**
 * The y of every point of small order, in every encoding, without the sign of x. OpenSSL takes them, for keys and for R; the
 * chain does not. In everything else the two agree.
 */
const SMALL_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map(bytes);

function isSmallOrder(point: Uint8Array): boolean {
  const y = Uint8Array.from(point);
  y[31]! &= 0x7f;
  return SMALL_ORDER.some((small) => equal(small, y));
}

function checkLength(what: string, value: Uint8Array, length: number): void {
  if (value.length !== length) throw new RangeError(`a ${what} has ${length} bytes, not ${value.length}`);
}

/** A key to sign with. */
export class Signer {
  readonly publicKey: Uint8Array;
  /** The same in base58. */
  readonly address: string;
  private readonly key: KeyObject;

  /** Of the 32 bytes that Solana's key files begin with. */
  constructor(seed: Uint8Array) {
    checkLength("seed", seed, 32);
    this.key = createPrivateKey({ key: Buffer.from(concat([PKCS8, seed])), format: "der", type: "pkcs8" });
    this.publicKey = new Uint8Array(createPublicKey(this.key).export({ format: "der", type: "spki" }).subarray(SPKI.length));
    this.address = new PublicKey(this.publicKey).toBase58();
  }

  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, message, this.key));
  }
}

/** A key to check with, made ready once. */
export class Verifier {
  private readonly key: KeyObject | null;

  constructor(publicKey: Uint8Array) {
    checkLength("key", publicKey, 32);
    const der = Buffer.from(concat([SPKI, publicKey]));
    this.key = isSmallOrder(publicKey) ? null : createPublicKey({ key: der, format: "der", type: "spki" });
  }

  /** What passes here passes on chain. */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    if (!this.key || signature.length !== 64 || isSmallOrder(signature.subarray(0, 32))) return false;
    return verify(null, message, this.key, signature);
  }
}
