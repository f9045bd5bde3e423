// Runs deploy.ts as `anchor migrate` does, for machines without the Anchor CLI.
//
// The cluster and the wallet are those of Anchor.toml, or ANCHOR_PROVIDER_URL and ANCHOR_WALLET where they are set. An address
// has no name: unless it is a public cluster's, JOULE_CLUSTER says which settings it gets.

import { AnchorProvider, Wallet } from "@anchor-lang/core";
import { Connection, Keypair } from "@solana/web3.js";
import { readFileSync } from "fs";
import { join } from "path";
import migrate from "./deploy";

const CLUSTERS: Record<string, string> = {
  localnet: "http://127.0.0.1:8899",
  devnet: "https://api.devnet.solana.com",
  testnet: "https://api.testnet.solana.com",
  mainnet: "https://api.mainnet-beta.solana.com",
};

function setting(toml: string, name: string): string {
  const found = toml.match(new RegExp(`^${name}\\s*=\\s*"([^"]+)"`, "m"));
  if (!found) throw new Error(`Anchor.toml has no ${name} under [provider]`);
  return found[1];
}

async function main() {
  const root = join(__dirname, "..");
  const toml = readFileSync(join(root, "Anchor.toml"), "utf8");
  const cluster = setting(toml, "cluster");
  const given = process.env.ANCHOR_PROVIDER_URL;
  const url = given ?? CLUSTERS[cluster] ?? cluster;
  const named = given === undefined && cluster in CLUSTERS ? cluster : undefined;
  const file = process.env.ANCHOR_WALLET ?? join(root, setting(toml, "wallet"));
  const wallet = new Wallet(Keypair.fromSecretKey(Uint8Array.from(JSON.parse(readFileSync(file, "utf8")))));
  await migrate(new AnchorProvider(new Connection(url, "confirmed"), wallet, { commitment: "confirmed" }), named);
}

main().catch((error) => {
  console.error(`migration failed: ${error.message ?? error}`);
  process.exit(1);
});
