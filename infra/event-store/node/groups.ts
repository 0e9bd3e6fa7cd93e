/** All groups: created, changed and deleted in the log's own file, opened at the start. */
import type { Database } from "bun:sqlite"
import { logCursor, streamCursor } from "./cursor.ts"
import { groupDropped, groupExists, groupMissing, unavailable } from "./failures.ts"
import { everything, wantedBy } from "./filter.ts"
import { type OpenGroup, openGroup } from "./group.ts"
import { ALL, type GroupSettings } from "./group-settings.ts"
import { openParking, parkedStreamOf } from "./parking.ts"
import type { Reader } from "./reader.ts"
import { resolverOf } from "./reading.ts"
import type { Tail } from "./tail.ts"
import type { Writer } from "./writer.ts"

interface Row {
  readonly settings: string
  readonly checkpoint: number
}

const keyOf = (source: string, name: string) => `${name}@${source}`

export const openGroups = (db: Database, reader: Reader, tail: Tail, writer: Writer) => {
  const insert = db.query(
    "INSERT INTO groups (source, name, settings, checkpoint) VALUES (?, ?, ?, ?)",
  )
  const change = db.query(
    "UPDATE groups SET settings = ?, checkpoint = ? WHERE source = ? AND name = ?",
  )
  const saveCheckpoint = db.query("UPDATE groups SET checkpoint = ? WHERE source = ? AND name = ?")
  const remove = db.query("DELETE FROM groups WHERE source = ? AND name = ?")
  const groups = new Map<string, OpenGroup>()

  const open = (settings: GroupSettings, checkpoint: number) => {
    const { source, name, filter } = settings
    const group = openGroup({
      settings,
      tail,
      cursor:
        source === ALL
          ? logCursor(tail, checkpoint, filter === null ? everything : wantedBy(filter))
          : streamCursor(reader, source, checkpoint),
      parking: openParking(reader, writer, parkedStreamOf(source, name)),
      resolve: resolverOf(reader),
      save: (place) =>
        writer.submit(() => {
          saveCheckpoint.run(place, source, name)
        }),
    })
    groups.set(keyOf(source, name), group)
  }

  const openAll = () => {
    const rows = db.query<Row, []>("SELECT settings, checkpoint FROM groups").all()
    for (const row of rows) open(JSON.parse(row.settings) as GroupSettings, row.checkpoint)
  }

  const find = (source: string, name: string): OpenGroup => {
    const group = groups.get(keyOf(source, name))
    if (group === undefined) throw groupMissing(source, name)
    return group
  }

  const startOf = ({ startFrom, source }: GroupSettings) => {
    if (startFrom !== "end") return startFrom - 1
    return source === ALL ? tail.end() : (reader.head(source)?.last ?? -1)
  }

  const create = async (settings: GroupSettings) => {
    const { source, name } = settings
    if (groups.has(keyOf(source, name))) throw groupExists(source, name)
    const checkpoint = startOf(settings)
    // Open before it is written: a second creation in the meantime is refused here, not by the transaction.
    open(settings, checkpoint)
    try {
      await writer.submit(() => {
        insert.run(source, name, JSON.stringify(settings), checkpoint)
      })
    } catch (cause) {
      groups.delete(keyOf(source, name))
      throw cause
    }
  }

  /** Whoever has joined is dropped, and comes back under the new settings. */
  const update = async (wanted: GroupSettings) => {
    const { source, name } = wanted
    const known = find(source, name)
    const settings = { ...wanted, filter: known.settings.filter }
    const checkpoint = known.close(groupDropped(source, name))
    open(settings, checkpoint)
    await writer.submit(() => {
      change.run(JSON.stringify(settings), checkpoint, source, name)
    })
  }

  const drop = async (source: string, name: string) => {
    const parked = parkedStreamOf(source, name)
    find(source, name).close(groupDropped(source, name))
    groups.delete(keyOf(source, name))
    await writer.submit((log) => {
      remove.run(source, name)
      if (reader.head(parked) !== undefined) log.softlyDelete(parked, "any")
    })
  }

  const closeAll = async (end = unavailable("the node is shutting down")) => {
    const open = [...groups.values()]
    const saves = open.map((group) => group.saveNow())
    for (const group of open) group.close(end)
    groups.clear()
    await Promise.allSettled(saves)
  }

  openAll()
  return {
    find,
    create,
    update,
    drop,
    closeAll,
    list: () => [...groups.values()],
    restart: async () => {
      await closeAll(groupDropped(ALL, ""))
      openAll()
    },
  }
}

export type Groups = ReturnType<typeof openGroups>
