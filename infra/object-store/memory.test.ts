import { objectStoreContract } from "./contract.ts"
import { memoryObjectStore } from "./memory.ts"

objectStoreContract("memory", () => memoryObjectStore)
