// The example of docs/wire.md, made from its keys.

import { Counted, Order, Receipt, Voucher, askedOf, encode, hex, networkOf, nothingKept, sha256, utf8, writePayment, writeSigned } from "../src/index.js";
import { CHANNEL, FACTS, PROVIDER, SESSION_KEY, receiptFor, session } from "./shop.js";

const BODY = '{"model":"digits","messages":[{"role":"user","content":"Which digit?"}],"max_tokens":8}';
const ANSWER = '{"choices":[{"index":0,"message":{"role":"assistant","content":"seven"},"finish_reason":"stop"}]}';

/** What each block says, by its label. */
export function example(): Record<string, string> {
  const own = session(nothingKept());
  const { order } = own.begin(sha256(utf8(BODY)), 40n, 1_900_000_000n, 1_900_000_020n);
  const sign = <M>(format: { encode(message: M): Uint8Array }, message: M) => ({ message, signature: SESSION_KEY.sign(format.encode(message)) });
  const network = networkOf(FACTS.genesis);
  const payment = writePayment({ network, channel: FACTS.address, order: sign(Order, order), voucher: null });
  const receipt = receiptFor(order, 1n, { responseHash: sha256(utf8(ANSWER)), inputTokens: 12n, outputTokens: 2n, milliseconds: 40n, amount: 26n }, PROVIDER);
  const counted = new Counted(askedOf("/v1/chat/completions", utf8(BODY)));
  counted.add(JSON.parse(ANSWER));
  counted.took(60);
  own.accept(order.nonce, receipt, { kind: "whole", hash: sha256(utf8(ANSWER)), counted });
  const response = encode({
    success: true, payer: CHANNEL.toBase58(), transaction: "", network,
    extra: { commitmentId: `${CHANNEL}:1`, chargedAmount: "26", receipt: writeSigned(Receipt, receipt) },
  });
  return {
    body: BODY,
    payment,
    payment_json: new TextDecoder().decode(Uint8Array.from(atob(payment), (letter) => letter.charCodeAt(0))),
    order: hex(Order.encode(order)),
    answer: ANSWER,
    response,
    receipt: hex(Receipt.encode(receipt.message)),
    voucher: writeSigned(Voucher, sign(Voucher, own.voucher()!)),
  };
}

