/** An account, as far as signing in by a one-time link needs it: a link works once. */
import { Schema } from "effect"
import { accept, type Decider, reject } from "#domain/decider.ts"
import { AccountId, accountStream, Timestamp } from "#domain/ids.ts"
import type { AccountEvent } from "./events.ts"

export const UseSignInLink = Schema.TaggedStruct("UseSignInLink", {
  accountId: AccountId,
  link: Schema.String,
  at: Timestamp,
})
export type UseSignInLink = typeof UseSignInLink.Type

export class SignInLinkSpent extends Schema.TaggedError<SignInLinkSpent>()("SignInLinkSpent", {
  accountId: AccountId,
}) {}

export interface Account {
  readonly spentLinks: ReadonlySet<string>
}

export const account: Decider<Account, UseSignInLink, AccountEvent, SignInLinkSpent> = {
  stream: ({ accountId }) => accountStream(accountId),
  initial: { spentLinks: new Set() },
  decide: ({ spentLinks }, { accountId, link, at }) =>
    spentLinks.has(link)
      ? reject(new SignInLinkSpent({ accountId }))
      : accept({ _tag: "SignInLinkUsed", accountId, link, at }),
  evolve: ({ spentLinks }, { link }) => ({ spentLinks: new Set([...spentLinks, link]) }),
}
