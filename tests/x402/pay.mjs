// Buys one request as any x402 client does, and prints what it sent and what it got, as JSON.
// node pay.mjs <rpc url> <keypair file> <endpoint> <body>

import { readFileSync } from "node:fs";
import { createKeyPairSignerFromBytes } from "@solana/kit";
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { SOLANA_DEVNET_CAIP2 } from "@x402/svm";
import { ExactSvmScheme } from "@x402/svm/exact/client";

const [rpcUrl, keypair, endpoint, body] = process.argv.slice(2);
const signer = await createKeyPairSignerFromBytes(Uint8Array.from(JSON.parse(readFileSync(keypair, "utf8"))));
const scheme = new ExactSvmScheme(signer, { rpcUrl });

// The library knows three networks by name and refuses all others, though with an RPC URL of our own the name decides nothing
// but the type of that URL. The transaction, and what the gateway is told was accepted, are the library's as they are.
const client = new x402Client().register("solana:*", {
  scheme: scheme.scheme,
  createPaymentPayload: (version, terms) => scheme.createPaymentPayload(version, { ...terms, network: SOLANA_DEVNET_CAIP2 }),
});
// Its limit is in dollars of tokens that it knows.
client.setSpendControls(false);

let sent = null;
let refusal = null;
const watched = async (request) => {
  sent = request.headers.get("payment-signature") ?? sent;
  const response = await fetch(request);
  refusal = response.ok ? null : response.status;
  return response;
};
const response = await wrapFetchWithPayment(watched, client)(endpoint, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body,
});
const settled = response.headers.get("payment-response");
console.log(
  JSON.stringify({
    status: response.status,
    refusal,
    sent,
    settled: settled && decodePaymentResponseHeader(settled),
    body: await response.text(),
  }),
);
