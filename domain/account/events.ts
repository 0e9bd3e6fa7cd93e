/** What is recorded in `account-{accountId}`. */
import { Schema } from "effect"
import { AccountId, Timestamp } from "#domain/ids.ts"

export const AccountEvent = Schema.TaggedUnion({
  /** A one-time sign-in link was used; the same link cannot be used again. */
  SignInLinkUsed: { accountId: AccountId, link: Schema.String, at: Timestamp },
})
export type AccountEvent = typeof AccountEvent.Type
