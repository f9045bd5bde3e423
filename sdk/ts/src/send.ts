// Transactions from instructions to being confirmed.

import { Keypair, Transaction, type Commitment, type Connection, type PublicKey, type Signer as Web3Signer, type TransactionInstruction } from "@solana/web3.js";
import { explain, explained, failureOf, JouleError } from "./errors/index.js";

/** Who pays and signs: what browsers' wallets and Anchor's are. */
export interface Wallet {
  publicKey: PublicKey;
  signTransaction<T extends Transaction>(transaction: T): Promise<T>;
}

/** A key as a wallet. */
export function keyWallet(key: Keypair): Wallet {
  return {
    publicKey: key.publicKey,
    async signTransaction(transaction) {
      transaction.partialSign(key);
      return transaction;
    },
  };
}

const POLL_MS = 250;
const RANK: Commitment[] = ["processed", "confirmed", "finalized"];

/**
 * Returns the signature once the cluster has confirmed it. Throws a `JouleError` when the cluster refuses it or it fails, and an
 * error that names the signature when nobody knows what became of it.
 */
export async function send(
  connection: Connection, wallet: Wallet, instructions: TransactionInstruction[], signers: Web3Signer[] = [], commitment: Commitment = "confirmed",
): Promise<string> {
  const { blockhash, lastValidBlockHeight } = await connection.getLatestBlockhash(commitment);
  const transaction = new Transaction({ feePayer: wallet.publicKey, blockhash, lastValidBlockHeight }).add(...instructions);
  if (signers.length > 0) transaction.partialSign(...signers);
  const signed = await wallet.signTransaction(transaction);
  const signature = await explained(connection.sendRawTransaction(signed.serialize(), { preflightCommitment: commitment }));
  await confirmed(connection, signature, lastValidBlockHeight, commitment);
  return signature;
}

async function confirmed(connection: Connection, signature: string, last: number, commitment: Commitment): Promise<void> {
  for (;;) {
    // Asked before the status: one that was in time is seen by what is asked after.
    const height = await connection.getBlockHeight(commitment);
    const status = (await connection.getSignatureStatuses([signature])).value[0];
    if (status?.err) throw await why(connection, signature, status.err);
    if (status && RANK.indexOf(status.confirmationStatus ?? "processed") >= RANK.indexOf(commitment)) return;
    if (!status && height > last) throw new Error(`transaction ${signature} was not confirmed in time; look it up before sending it again`);
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

/** The logs say which program it was. */
async function why(connection: Connection, signature: string, error: unknown): Promise<unknown> {
  const found = await connection.getTransaction(signature, { commitment: "confirmed", maxSupportedTransactionVersion: 1 }).catch(() => null);
  const logs = found?.meta?.logMessages ?? [];
  const failure = failureOf({ error: error as never, logs });
  return failure ? new JouleError(failure, logs, signature, error) : explain(error);
}
