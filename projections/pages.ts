/**
 * Lists, newest first, a page at a time across all shards. A cursor is the place after the last
 * row shown: its time and its key, so that rows of one millisecond are neither lost nor repeated.
 */

export interface Cursor {
  readonly at: number
  readonly key: string
}

export interface Page<Row> {
  readonly rows: ReadonlyArray<Row>
  /** Text for the next request; `null`: this was the last page. */
  readonly next: string | null
}

/** Before the first row of any list. */
export const fromTheTop: Cursor = { at: Number.MAX_SAFE_INTEGER, key: "" }

export const cursorText = ({ at, key }: Cursor): string => `${at}.${key}`

/** `null`: this is no cursor of ours. */
export const readCursor = (text: string): Cursor | null => {
  const [, at, key] = /^(\d{1,16})\.([A-Za-z0-9:._-]{1,100})$/.exec(text) ?? []
  return at === undefined || key === undefined ? null : { at: Number(at), key }
}

const byCode = (one: string, other: string): number => Number(one > other) - Number(one < other)

/** Each shard answered its own first `limit + 1` rows; the first of them all are the page. */
export const pageOf = <Row>(
  rows: ReadonlyArray<Row>,
  limit: number,
  placeOf: (row: Row) => Cursor,
): Page<Row> => {
  const placed = rows.map((row) => ({ row, place: placeOf(row) }))
  placed.sort(
    (one, other) => other.place.at - one.place.at || byCode(other.place.key, one.place.key),
  )
  const shown = placed.slice(0, limit)
  const last = shown.at(-1)
  const isWhole = placed.length <= limit || last === undefined
  return { rows: shown.map(({ row }) => row), next: isWhole ? null : cursorText(last.place) }
}
