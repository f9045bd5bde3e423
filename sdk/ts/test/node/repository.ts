// Where things are: these tests run from dist/test/node.

import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const SDK = fileURLToPath(new URL("../../../", import.meta.url));
export const REPOSITORY = join(SDK, "../..");
const CACHE = process.env.JOULE_CACHE ?? join(homedir(), ".cache/joule");
/** Where `make build` puts binaries. */
export const BINARIES = join(process.env.CARGO_TARGET_DIR ?? join(CACHE, "target"), "debug");
