// What convicts a provider, as a file: `joule channel dispute --proof` brings it on chain. docs/wire.md has the format.

import { PublicKey } from "@solana/web3.js";
import { Receipt, Voucher } from "../formats.js";
import { readSigned, writeSigned, type Signed } from "./wire.js";

const VERSION = 1;

export interface Proof {
  /** CAIP-2. */
  network: string;
  channel: PublicKey;
  /** From number 1 on, without a gap: one of them asks for too much, unless there is `other`. */
  receipts: Signed<Receipt>[];
  /** Another one with a number that stands in `receipts`. */
  other: Signed<Receipt> | null;
  /** Pays for all receipts, and whoever has it can settle it; null when there is nothing to pay for. */
  voucher: Signed<Voucher> | null;
}

export function writeProof({ network, channel, receipts, other, voucher }: Proof): string {
  return `${JSON.stringify({
    version: VERSION,
    network,
    channel: channel.toBase58(),
    receipts: receipts.map((receipt) => writeSigned(Receipt, receipt)),
    ...(other && { other: writeSigned(Receipt, other) }),
    ...(voucher && { voucher: writeSigned(Voucher, voucher) }),
  }, null, 1)}\n`;
}

/** Throws a RangeError for what is no such file. Signatures are looked at by whoever brings it on chain. */
export function readProof(text: string): Proof {
  const json = JSON.parse(text) as Record<string, any> | null;
  if (json?.version !== VERSION || typeof json.network !== "string" || !Array.isArray(json.receipts)) throw new RangeError(`no proof of version ${VERSION}`);
  const receipts = json.receipts.map((receipt) => readSigned(Receipt, receipt));
  const gap = receipts.findIndex(({ message }, at) => message.sequence !== BigInt(at) + 1n);
  if (gap >= 0) throw new RangeError(`receipt ${receipts[gap]!.message.sequence} stands where ${gap + 1} should be`);
  return {
    network: json.network, channel: new PublicKey(json.channel), receipts,
    other: json.other === undefined ? null : readSigned(Receipt, json.other),
    voucher: json.voucher === undefined ? null : readSigned(Voucher, json.voucher),
  };
}
