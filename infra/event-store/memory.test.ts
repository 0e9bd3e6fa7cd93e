import { eventStoreContract } from "./contract.ts"
import { memoryEventStore } from "./memory.ts"

eventStoreContract("the in-memory", memoryEventStore)
