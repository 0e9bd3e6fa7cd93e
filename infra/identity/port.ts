/**
 * Who is asking. `hmac.ts` answers from one secret: the owner's token (`Authorization: Bearer`), or
 * the session cookie of a browser that came through a one-time sign-in link. Also derives what
 * must be the same when a request is repeated.
 */
import { Context } from "effect"
import { AccountId, ChannelId as Channel, type ChannelId, type VideoId } from "#domain/ids.ts"

export interface Actor {
  readonly accountId: AccountId
  readonly channelId: ChannelId
}

export interface Credentials {
  readonly authorization?: string | undefined
  readonly cookie?: string | undefined
  /** Of a request that changes something; a browser sends it. */
  readonly origin?: string | undefined
}

export const SESSION_COOKIE = "reelog-session"
export const SESSION_SECONDS = 30 * 24 * 3600
export class Identity extends Context.Service<
  Identity,
  {
    readonly actorOf: (credentials: Credentials, now: number) => Actor | undefined
    readonly session: (accountId: AccountId, now: number) => string
    /** The code of a link that signs in once, within a day. */
    readonly signInCode: (nonce: string, now: number) => string
    /** The link's name when the code is genuine and in time. */
    readonly readSignInCode: (code: string, now: number) => string | undefined
    /** The id that this account's request under this key always gets: 80 bits of HMAC. */
    readonly videoIdFor: (cell: string, accountId: AccountId, key: string) => VideoId
    readonly requestHash: (request: unknown) => string
  }
>()("infra/identity/Identity") {}

export const owner: Actor = { accountId: AccountId.make("owner"), channelId: Channel.make("main") }
