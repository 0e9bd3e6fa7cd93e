/** The ports that the routes ask. */
import type { Cache } from "#infra/cache/port.ts"
import type { EventStore } from "#infra/event-store/port.ts"
import type { Identity } from "#infra/identity/port.ts"
import type { ObjectStore } from "#infra/object-store/port.ts"
import type { PersonalData } from "#infra/personal-data/port.ts"
import type { ReadStore, RowStore } from "#infra/read-store/port.ts"
import type { LiveProgress } from "./live.ts"
import type { LiveQueues } from "./queue.ts"
import type { ApiSettings } from "./settings.ts"

export type ApiServices =
  | ApiSettings
  | Cache
  | EventStore
  | Identity
  | LiveProgress
  | LiveQueues
  | ObjectStore
  | PersonalData
  | ReadStore
  | RowStore
