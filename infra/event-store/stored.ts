/** From what the store keeps to `Recorded`, the same way in every adapter. */
import { type Metadata, readEvent } from "#domain/events.ts"
import type { Recorded } from "./port.ts"

export interface Raw {
  readonly stream: string
  readonly revision: number
  readonly position: string
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly metadata: unknown
  readonly recordedAt: number
}

const unknownMetadata: Metadata = {
  $correlationId: "",
  $causationId: "",
  actor: "",
  region: "",
  version: 0,
}

/** Whatever wrote it, each field is there. */
const metadataOf = (metadata: unknown): Metadata =>
  typeof metadata === "object" && metadata !== null && !(metadata instanceof Uint8Array)
    ? { ...unknownMetadata, ...metadata }
    : unknownMetadata

export const recordedOf = (raw: Raw): Recorded => ({
  stream: raw.stream,
  revision: raw.revision,
  position: raw.position,
  id: raw.id,
  event: readEvent(raw.type, raw.data),
  metadata: metadataOf(raw.metadata),
  recordedAt: raw.recordedAt,
  stored: { type: raw.type, data: raw.data },
})
