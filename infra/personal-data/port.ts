/**
 * Texts about people, sealed with a key per account before they enter an event: deleting the key
 * erases them everywhere. `vault.ts` keeps the keys, wrapped, in the object store.
 */
import { Context, type Effect } from "effect"
import type { AccountId } from "#domain/ids.ts"
import type { Sealed } from "#domain/sealed.ts"
import type { ObjectStoreUnavailable } from "#infra/object-store/port.ts"

export class PersonalData extends Context.Service<
  PersonalData,
  {
    readonly seal: (
      accountId: AccountId,
      text: string,
    ) => Effect.Effect<Sealed, ObjectStoreUnavailable>
    /** `null`: the key is gone, and with it the text. */
    readonly open: (sealed: string) => Effect.Effect<string | null, ObjectStoreUnavailable>
    /** Destroys the account's key. */
    readonly erase: (accountId: AccountId) => Effect.Effect<void, ObjectStoreUnavailable>
  }
>()("infra/personal-data/PersonalData") {}
