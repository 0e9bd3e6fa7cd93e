import { describe, expect, test } from "bun:test"
import { databaseOf, databaseOfShard, shardOf } from "./shards.ts"
import { videoIdOf } from "./testing-events.ts"

const keys = Array.from({ length: 6_400 }, (_, n) => videoIdOf(n))
const shards = Array.from({ length: 64 }, (_, shard) => shard)

describe("shards", () => {
  test("share the keys about evenly", () => {
    const counts = new Map<number, number>()
    for (const key of keys) counts.set(shardOf(key), (counts.get(shardOf(key)) ?? 0) + 1)
    expect(counts.size).toBe(64)
    expect(Math.min(...counts.values())).toBeGreaterThan(60)
    expect(Math.max(...counts.values())).toBeLessThan(150)
  })

  test("stay where they are when a database is added, but for those that move to it", () => {
    for (const shard of shards) {
      const before = databaseOfShard(shard, 4)
      expect([before, 4]).toContain(databaseOfShard(shard, 5))
    }
  })

  test("lie on every database", () => {
    for (const databases of [2, 3, 5]) {
      const used = new Set(shards.map((shard) => databaseOfShard(shard, databases)))
      expect(used.size).toBe(databases)
    }
  })

  test("are found where they have always been", () => {
    const first = keys.slice(0, 8)
    expect(first.map(shardOf)).toEqual([33, 1, 28, 12, 22, 33, 23, 27])
    expect(first.map((key) => databaseOf(key, 2))).toEqual([1, 0, 0, 1, 1, 1, 0, 1])
  })
})
