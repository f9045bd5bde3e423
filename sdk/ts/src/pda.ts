// Where the programs keep their accounts. The same as sdk/rust's `pda`.

import { PublicKey } from "@solana/web3.js";
import { little, utf8 } from "./bytes.js";
import { sha256 } from "./context.js";
import { PROGRAMS } from "./idls.js";

type Seed = string | PublicKey | Uint8Array;

function find(program: PublicKey, ...seeds: Seed[]): PublicKey {
  const bytes = (seed: Seed) => (typeof seed === "string" ? utf8(seed) : seed instanceof PublicKey ? seed.toBytes() : seed);
  return PublicKey.findProgramAddressSync(seeds.map(bytes), program)[0];
}

const { billing, escrow, registry, staking, treasury } = PROGRAMS;
const LOADER = new PublicKey("BPFLoaderUpgradeab1e11111111111111111111111");

/** SPL Token, Token-2022, and the program of usual token accounts. */
export const TOKEN_PROGRAM = new PublicKey("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
export const TOKEN_2022_PROGRAM = new PublicKey("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
export const ASSOCIATED_TOKEN_PROGRAM = new PublicKey("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

export const protocol = () => find(treasury, "protocol");
export const acceptedMint = (mint: PublicKey) => find(treasury, "mint", mint);
export const feeVault = (mint: PublicKey) => find(treasury, "fee_vault", mint);

/** A provider by its authority. */
export const provider = (authority: PublicKey) => find(registry, "provider", authority);
export const attestor = (authority: PublicKey) => find(registry, "attestor", authority);
/** The credentials of a subject; for a provider that is its authority. */
export const attestations = (subject: PublicKey) => find(registry, "attestations", subject);
/** `hash` is sha256 of what is wanted. */
export const requirements = (client: PublicKey, hash: Uint8Array) => find(registry, "requirements", client, hash);
/** `id` is the creator's own number for it. */
export const model = (creator: PublicKey, id: bigint) => find(registry, "model", creator, little(id, 8));
/** One version of a model's price list. */
export const prices = (model: PublicKey, version: number) => find(registry, "prices", model, little(BigInt(version), 4));

/** The account that counts a client's jobs. */
export const client = (client: PublicKey) => find(escrow, "client", client);
export const job = (client: PublicKey, id: bigint) => find(escrow, "job", client, little(id, 8));
export const vault = (job: PublicKey) => find(escrow, "vault", job);
/** `provider` is the registry's account. */
export const bid = (job: PublicKey, provider: PublicKey) => find(escrow, "bid", job, provider);
export const dispute = (job: PublicKey) => find(escrow, "dispute", job);
export const vote = (dispute: PublicKey, round: number, juror: PublicKey) => find(escrow, "vote", dispute, little(BigInt(round), 1), juror);
export const panel = (mint: PublicKey, epoch: bigint) => find(escrow, "panel", mint, little(epoch, 8));
/** The claim behind a resolver's seat in a panel. */
export const seatClaim = (panel: PublicKey, resolver: PublicKey) =>
  claim(claimSigner(escrow), new PublicKey(sha256(utf8("seat"), panel.toBytes(), resolver.toBytes())));

export const pool = (mint: PublicKey) => find(staking, "pool", mint);
export const poolVault = (pool: PublicKey) => find(staking, "pool_vault", pool);
export const stake = (pool: PublicKey, owner: PublicKey) => find(staking, "stake", pool, owner);
/** `number` is the service's. */
export const service = (number: number) => find(staking, "service", little(BigInt(number), 1));
/** Who signs for the claims of the service at `program`. */
export const claimSigner = (program: PublicKey) => find(program, "claims");
export const bond = (owner: PublicKey, mint: PublicKey) => find(staking, "bond", owner, mint);
export const bondVault = (bond: PublicKey) => find(staking, "bond_vault", bond);
/** `signer` is the service's `claimSigner`. */
export const claim = (signer: PublicKey, subject: PublicKey) => find(staking, "claim", signer, subject);

/** The account that says which cluster this is. */
export const cluster = () => find(billing, "cluster");
/** The account that `owner` pays from in `mint`. */
export const payer = (owner: PublicKey, mint: PublicKey) => find(billing, "payer", owner, mint);
export const payerVault = (payer: PublicKey) => find(billing, "vault", payer);
/** A payer account's channel by its number. */
export const channel = (payer: PublicKey, number: bigint) => find(billing, "channel", payer, little(number, 8));
/** The standing payment on a channel. */
export const plan = (channel: PublicKey) => find(billing, "plan", channel);

/** The signer of a program's events. */
export const eventAuthority = (program: PublicKey) => find(program, "__event_authority");
/** The usual token account of `owner`, which may itself be a PDA. */
export const associatedToken = (owner: PublicKey, mint: PublicKey, tokenProgram = TOKEN_PROGRAM) =>
  find(ASSOCIATED_TOKEN_PROGRAM, owner, tokenProgram, mint);
/** Where the loader keeps a program's code and upgrade authority. */
export const programData = (program: PublicKey) => find(LOADER, program);
