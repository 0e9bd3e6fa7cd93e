/** One visitor asking for one page: language, session, and how a page names links and assets. */
import { Effect } from "effect"
import type { Sealed } from "#domain/sealed.ts"
import type { Assets } from "./assets.ts"
import type { Reader, ReaderUnavailable, Session } from "./reader.ts"
import type { Tongue } from "./tongue.ts"

export interface Visit {
  readonly tongue: Tongue
  /** As it stands in the path. */
  readonly locale: string
  readonly session: Session | null
  readonly reader: Reader
  readonly assets: Assets
  /** The path without its language, and what was asked with it. */
  readonly path: string
  readonly query: URLSearchParams
  /** A link inside the site, in the language of the path. */
  readonly href: (path: string) => string
  readonly now: number
}

export const mayEdit = (session: Session | null, video: { readonly channelId: string }): boolean =>
  session !== null && session.channelId === video.channelId

/** Opens each text once; erased ones are absent. */
export const opened = (
  reader: Reader,
  texts: ReadonlyArray<Sealed | null | undefined>,
): Effect.Effect<ReadonlyMap<string, string>, ReaderUnavailable> => {
  const sealed = [...new Set(texts)].filter((text) => text !== null && text !== undefined)
  return Effect.forEach(sealed, (text) => reader.open(text), { concurrency: 8 }).pipe(
    Effect.map((plain) => {
      const pairs = sealed.map((text, index) => [text, plain[index]] as const)
      return new Map(pairs.flatMap(([text, word]) => (word ? [[text, word] as const] : [])))
    }),
  )
}
