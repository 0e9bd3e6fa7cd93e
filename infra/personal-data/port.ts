/**
 * Text about a person, sealed before it enters an event and opened where someone may read it. Each
 * account has a key of its own; erasing that key erases the text in every log, table and backup.
 */
import { Context, type Effect } from "effect"
import type { AccountId } from "#domain/ids.ts"
import type { Sealed } from "#domain/sealed.ts"
import type { ObjectStoreUnavailable } from "#infra/object-store/port.ts"

export class PersonalData extends Context.Service<
  PersonalData,
  {
    /** The first seal of an account makes its key. */
    readonly seal: (
      accountId: AccountId,
      text: string,
    ) => Effect.Effect<Sealed, ObjectStoreUnavailable>
    /** `null`: the key it was sealed with is erased, so nobody can read it any more. */
    readonly open: (sealed: Sealed) => Effect.Effect<string | null, ObjectStoreUnavailable>
    /** Here at once; another process that holds the key forgets it within a minute. */
    readonly erase: (accountId: AccountId) => Effect.Effect<void, ObjectStoreUnavailable>
  }
>()("infra/personal-data/PersonalData") {}
