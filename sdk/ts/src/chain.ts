// Somebody on a cluster, with a token: what jobs and channels are made with.

import { AnchorProvider, type Wallet as AnchorWallet } from "@anchor-lang/core";
import { Connection, Keypair, PublicKey, SYSVAR_CLOCK_PUBKEY, type Commitment, type Signer as Web3Signer, type TransactionInstruction } from "@solana/web3.js";
import { findAccount, readAccount } from "./accounts.js";
import { inTokens, unitsIn, type Amount, type Token } from "./amount.js";
import { Artifacts, type ArtifactStore } from "./artifacts.js";
import { unlittle } from "./bytes.js";
import type { ProgramName } from "./idls.js";
import * as pda from "./pda.js";
import type { Accounts } from "./plain.js";
import { keyWallet, send, type Wallet } from "./send.js";
import { balanceOf, readMint, type Mint } from "./token.js";

export interface Settings {
  /** URL of a Solana RPC node, or a connection to one. */
  rpc: string | Connection;
  /** Its WebSocket, where that is not the RPC's address with the next port. */
  ws?: string | undefined;
  /** Who pays and signs. */
  wallet: Wallet | Keypair;
  /** The token. */
  mint: PublicKey | string;
  /** What people call it, such as `JOULE`. */
  symbol?: string | undefined;
  /** Where modules, inputs and outputs are: the address of an artifact service, or any other store. */
  artifacts?: string | ArtifactStore | undefined;
  /** [default: confirmed] */
  commitment?: Commitment | undefined;
}

export class Chain {
  protected constructor(
    readonly connection: Connection,
    readonly wallet: Wallet,
    readonly mint: Mint,
    readonly token: Token,
    readonly commitment: Commitment,
    private readonly store: ArtifactStore | null,
  ) {}

  /** Looks the token up. */
  protected static async open(settings: Settings): Promise<[Connection, Wallet, Mint, Token, Commitment, ArtifactStore | null]> {
    const { rpc, ws, wallet, mint, symbol, artifacts, commitment = "confirmed" } = settings;
    const connection = typeof rpc === "string" ? new Connection(rpc, { commitment, ...(ws && { wsEndpoint: ws }) }) : rpc;
    const found = await readMint(connection, new PublicKey(mint));
    const store = typeof artifacts === "string" ? new Artifacts(artifacts) : (artifacts ?? null);
    const who = wallet instanceof Keypair ? keyWallet(wallet) : wallet;
    return [connection, who, found, { symbol: symbol ?? null, decimals: found.decimals }, commitment, store];
  }

  /** Whoever signs. */
  get me(): PublicKey {
    return this.wallet.publicKey;
  }

  /** My usual account of the token. */
  get tokens(): PublicKey {
    return this.tokensOf(this.me);
  }

  tokensOf(owner: PublicKey): PublicKey {
    return pda.associatedToken(owner, this.mint.address, this.mint.program);
  }

  /** Base units that I hold. */
  balance(): Promise<bigint> {
    return balanceOf(this.connection, this.tokens);
  }

  units(amount: Amount): bigint {
    return unitsIn(amount, this.token);
  }

  format(units: bigint): string {
    return inTokens(units, this.token);
  }

  get hasArtifacts(): boolean {
    return this.store !== null;
  }

  /** Throws when nobody has said where they are. */
  get artifacts(): ArtifactStore {
    if (!this.store) throw new Error("nobody has said where artifacts are: name `artifacts` in the settings, such as http://127.0.0.1:7800");
    return this.store;
  }

  /** For Anchor's clients of the programs, such as `escrow(joule.provider)`. */
  get provider(): AnchorProvider {
    const { wallet, connection, commitment } = this;
    const all = async <T>(transactions: T[]) => Promise.all(transactions.map((one) => wallet.signTransaction(one as never)));
    const full = { publicKey: wallet.publicKey, signTransaction: wallet.signTransaction.bind(wallet), signAllTransactions: all } as unknown as AnchorWallet;
    return new AnchorProvider(connection, full, { commitment, preflightCommitment: commitment });
  }

  /** Sends a transaction that I pay for, and waits until it is confirmed. Returns its signature. Throws a `JouleError`. */
  send(instructions: TransactionInstruction[], signers: Web3Signer[] = []): Promise<string> {
    return send(this.connection, this.wallet, instructions, signers, this.commitment);
  }

  find<P extends ProgramName, T extends keyof Accounts<P> & string>(program: P, kind: T, address: PublicKey): Promise<Accounts<P>[T] | null> {
    return findAccount(this.connection, program, kind, address, this.commitment);
  }

  read<P extends ProgramName, T extends keyof Accounts<P> & string>(program: P, kind: T, address: PublicKey): Promise<Accounts<P>[T]> {
    return readAccount(this.connection, program, kind, address, this.commitment);
  }

  /** The cluster's clock, Unix seconds. */
  async now(): Promise<number> {
    const clock = await this.connection.getAccountInfo(SYSVAR_CLOCK_PUBKEY, this.commitment);
    if (!clock) throw new Error("this cluster has no clock");
    return Number(BigInt.asIntN(64, unlittle(clock.data.subarray(32, 40))));
  }

  /** The token program of a mint. */
  async programOf(mint: PublicKey): Promise<PublicKey> {
    return mint.equals(this.mint.address) ? this.mint.program : (await readMint(this.connection, mint)).program;
  }
}
