/** How the pictures of a source are to be shown, where not as they are: kept in its index, which every later call reads. */
import { Effect } from "effect"
import type { Look } from "./port.ts"
import { openIndex, packIndex } from "./source-index.ts"

/** Its coded pictures can't be shown as they are any more, so no rung is a copy of them. */
export const withLook = (bytes: Uint8Array, look: Look) =>
  Effect.sync(() => {
    const { head, copied: _, ...index } = openIndex(bytes)
    return packIndex({ ...index, look }, head)
  })
