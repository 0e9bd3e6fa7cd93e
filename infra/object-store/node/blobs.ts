/**
 * The bytes of the objects: one immutable file each under a random name, so that a key never meets
 * the file system. A file is written and flushed under `temp/`, then renamed; one that no row of the
 * catalogue names is left over from a crash and is swept.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { link, open, readdir, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"

/** A reader that looked a blob up has this long to open it after it was replaced. */
const GRACE_MILLIS = 5_000
const FOLDERS = 256

export interface Blobs {
  readonly newId: () => string
  readonly temp: (id: string) => string
  readonly path: (id: string) => string
  /** Durable when it returns: the file was flushed before, its name is now. */
  readonly keep: (id: string) => Promise<void>
  /** A second name for the same bytes. */
  readonly linkAs: (id: string, from: string) => Promise<void>
  readonly abandon: (id: string) => Promise<void>
  /** Removes blobs no row names any more, after a moment; the next sweep those of a moment that never came. */
  readonly discard: (ids: ReadonlyArray<string>) => void
  readonly sweep: (isKnown: (id: string) => boolean) => Promise<number>
}

const folderName = (id: string) => id.slice(0, 2)

const syncFolder = async (path: string) => {
  const folder = await open(path, "r")
  await folder.sync()
  await folder.close()
}

export const openBlobs = (root: string): Blobs => {
  const openedAt = Date.now()
  const temp = (id: string) => join(root, "temp", id)
  const path = (id: string) => join(root, "blobs", folderName(id), id)

  mkdirSync(join(root, "temp"), { recursive: true })
  for (const torn of readdirSync(join(root, "temp"))) rmSync(temp(torn), { force: true })
  for (let n = 0; n < FOLDERS; n += 1) {
    mkdirSync(join(root, "blobs", n.toString(16).padStart(2, "0")), { recursive: true })
  }

  const destroy = (id: string) => rm(path(id), { force: true })

  /** Files younger than the process belong to requests under way. */
  const sweepFolder = async (folder: string, isKnown: (id: string) => boolean) => {
    let swept = 0
    for (const id of await readdir(folder)) {
      if (isKnown(id)) continue
      // One that is gone by now was removed by a request.
      const { ctimeMs } = await stat(join(folder, id)).catch(() => ({ ctimeMs: openedAt }))
      if (ctimeMs >= openedAt) continue
      await rm(join(folder, id), { force: true })
      swept += 1
    }
    return swept
  }

  return {
    newId: () => crypto.randomUUID().replaceAll("-", ""),
    temp,
    path,
    keep: async (id) => {
      await rename(temp(id), path(id))
      await syncFolder(join(root, "blobs", folderName(id)))
    },
    linkAs: async (id, from) => {
      await link(path(from), path(id))
      await syncFolder(join(root, "blobs", folderName(id)))
    },
    abandon: (id) => rm(temp(id), { force: true }),
    discard: (ids) => {
      if (ids.length > 0)
        setTimeout(() => Promise.allSettled(ids.map(destroy)), GRACE_MILLIS).unref()
    },
    sweep: async (isKnown) => {
      let swept = 0
      for (const folder of await readdir(join(root, "blobs"))) {
        swept += await sweepFolder(join(root, "blobs", folder), isKnown)
      }
      return swept
    },
  }
}
