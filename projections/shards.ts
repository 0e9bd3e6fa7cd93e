/**
 * Which database has a row. A key belongs to one of 64 logical shards, a logical shard to one of
 * the databases, both by rendezvous hash (the highest weight wins): another database takes over
 * its share of shards and moves no other. Never change a hash here: rows would be looked for where
 * they are not.
 */

const SHARDS = 64

/** FNV-1a over UTF-16 units, 32 bit. */
const hash = (text: string): number => {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  }
  return state >>> 0
}

/** The finalizer of MurmurHash3: neighbours in, strangers out. */
const mix = (value: number): number => {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return (twice ^ (twice >>> 16)) >>> 0
}

const rendezvous = (seed: number, candidates: number): number => {
  let best = 0
  let highest = -1
  for (let candidate = 0; candidate < candidates; candidate++) {
    const weight = mix(seed ^ mix(Math.imul(candidate + 1, 0x9e3779b1)))
    if (weight > highest) {
      best = candidate
      highest = weight
    }
  }
  return best
}

export const shardOf = (key: string): number => rendezvous(mix(hash(key)), SHARDS)

/** Of the first two hundred salts this one shares 64 shards most evenly among 2 to 8 databases. */
const SALT = 641

export const databaseOfShard = (shard: number, databases: number): number =>
  rendezvous(mix(shard + SALT), databases)

const placements = new Map<number, ReadonlyArray<number>>()

const placementAmong = (databases: number): ReadonlyArray<number> => {
  const known = placements.get(databases)
  if (known !== undefined) return known
  const made = Array.from({ length: SHARDS }, (_, shard) => databaseOfShard(shard, databases))
  placements.set(databases, made)
  return made
}

/** The database, by its place in the list of connection strings, that has the row of this key. */
export const databaseOf = (key: string, databases: number): number =>
  placementAmong(databases)[shardOf(key)] ?? 0
