// What only Node has: files.

export { artifactFolder } from "./folder.js";
export { readKey } from "./keys.js";
export { localnet } from "./localnet.js";
export { fileStore } from "./store.js";
