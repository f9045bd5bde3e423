// Anchor's deploy step: creates the protocol and admits its mints. Running it again changes only what is missing.
//
// `anchor migrate` calls the exported function with a provider; `run.ts` does the same without the Anchor CLI. The wallet
// must be the upgrade authority of the treasury program, which becomes the protocol's authority.

import { AnchorProvider, BN, Program, setProvider } from "@anchor-lang/core";
import { PublicKey } from "@solana/web3.js";
import { readFileSync } from "fs";
import { join } from "path";
import type { JouleTreasury } from "../idl/treasury";

const LOADER = new PublicKey("BPFLoaderUpgradeab1e11111111111111111111111");
/** Order of the service numbers on the chain, which has room for eight. */
const SERVICES = ["escrow", "billing", "dataMarket", "depin"] as const;
const SERVICE_SLOTS = 8;
/** Seconds. */
const DAY = 24 * 60 * 60;

export interface Settings {
  /** Basis points of the price, by service. */
  feeBps: Record<(typeof SERVICES)[number], number>;
  /** May pause, and nothing else; without one, the authority itself. */
  guardian: string | null;
  /** Tokens that services take, the smallest payment, and the most that may leave the fee vault a day; in base units. */
  mints: { mint: string; minAmount: string; dailyOutflow: string }[];
}

/** Settings for a cluster, from config.json, or from the file that JOULE_MIGRATION_CONFIG names. */
export function settingsFor(cluster: string): Settings {
  const file = process.env.JOULE_MIGRATION_CONFIG ?? join(__dirname, "config.json");
  const settings = JSON.parse(readFileSync(file, "utf8"))[cluster];
  if (!settings) throw new Error(`${file} has no settings for the cluster ${cluster}`);
  return settings;
}

export async function initialise(provider: AnchorProvider, settings: Settings): Promise<void> {
  setProvider(provider);
  const idl = JSON.parse(readFileSync(join(__dirname, "../idl/treasury.json"), "utf8"));
  const program = new Program<JouleTreasury>(idl, provider);
  const authority = provider.wallet.publicKey;
  const pda = (...seeds: Uint8Array[]) => PublicKey.findProgramAddressSync(seeds, program.programId)[0];
  const seed = (text: string) => Buffer.from(text);
  const [programData] = PublicKey.findProgramAddressSync([program.programId.toBytes()], LOADER);
  const protocol = pda(seed("protocol"));

  if (await provider.connection.getAccountInfo(protocol)) {
    console.log(`protocol ${protocol} exists`);
  } else {
    const fees = Array.from({ length: SERVICE_SLOTS }, (_, n) => (n < SERVICES.length ? settings.feeBps[SERVICES[n]] : 0));
    const guardian = settings.guardian ? new PublicKey(settings.guardian) : authority;
    const signature = await program.methods
      .initializeProtocol(guardian, fees)
      .accountsPartial({ authority, protocol, programData })
      .rpc({ commitment: "confirmed" });
    console.log(`protocol ${protocol} created in ${signature}`);
  }

  for (const { mint: text, minAmount, dailyOutflow } of settings.mints) {
    const mint = new PublicKey(text);
    const acceptedMint = pda(seed("mint"), mint.toBytes());
    if (await provider.connection.getAccountInfo(acceptedMint)) {
      console.log(`mint ${mint} is accepted`);
      continue;
    }
    const account = await provider.connection.getAccountInfo(mint);
    if (!account) throw new Error(`there is no mint ${mint} on this cluster`);
    const signature = await program.methods
      .acceptMint(new BN(minAmount), new BN(dailyOutflow), DAY)
      .accountsPartial({
        authority,
        protocol,
        mint,
        acceptedMint,
        feeVault: pda(seed("fee_vault"), mint.toBytes()),
        tokenProgram: account.owner,
      })
      .rpc({ commitment: "confirmed" });
    console.log(`mint ${mint} accepted in ${signature}`);
  }
}

/** The cluster's name in config.json, by its address. */
export function clusterOf(url: string): string {
  const named = ["devnet", "testnet", "mainnet"].find((name) => url.includes(name));
  return process.env.JOULE_CLUSTER ?? named ?? "localnet";
}

export default async function (provider: AnchorProvider): Promise<void> {
  await initialise(provider, settingsFor(clusterOf(provider.connection.rpcEndpoint)));
}
