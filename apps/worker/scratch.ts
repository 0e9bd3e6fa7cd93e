/**
 * The worker's disk: a directory for each running task, and sparse copies of sources that outlive
 * a task, as the next task of the same video wants the same bytes. What is left by dead processes
 * is removed at the start; copies that nobody uses go, least recently used first, when the quota is reached.
 */
import { constants } from "node:fs"
import { mkdir, open, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { Context, Effect, Layer, type Scope } from "effect"
import { type ByteRange, ScratchUnavailable } from "#infra/media/port.ts"
import { type ByteRanges, bytesIn, missingFrom, withRange } from "./byte-ranges.ts"

export interface ScratchSettings {
  readonly directory: string
  readonly quotaBytes: number
}

/** A sparse local file. */
export interface SparseFile {
  readonly path: string
  readonly missing: (range: ByteRange) => ByteRanges
  readonly write: (at: number, bytes: Uint8Array) => Effect.Effect<void, ScratchUnavailable>
  readonly read: (range: ByteRange) => Effect.Effect<Uint8Array, ScratchUnavailable>
}

export class Scratch extends Context.Service<
  Scratch,
  {
    /** An empty directory, gone with its scope. */
    readonly directory: (name: string) => Effect.Effect<string, ScratchUnavailable, Scope.Scope>
    /** The copy under this name, with what earlier holders have left in it. */
    readonly file: (name: string) => Effect.Effect<SparseFile, ScratchUnavailable, Scope.Scope>
  }
>()("apps/worker/Scratch") {}

const disk = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (cause) => new ScratchUnavailable({ cause }) })

/** Names come from task ids, which come from the log: nothing but these characters reaches a path. */
const fileName = (name: string) => name.replace(/[^a-zA-Z0-9@#.:-]/g, "_").replaceAll("..", "_")

interface Copy {
  readonly path: string
  held: ByteRanges
  holders: number
  lastUse: number
}

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (failure) {
    return (failure as NodeJS.ErrnoException).code === "EPERM"
  }
}

const removeRemains = (directory: string) =>
  disk(async () => {
    await mkdir(directory, { recursive: true })
    const remains = (await readdir(directory)).filter((name) => /^\d+-[0-9a-f-]+$/.test(name))
    const dead = remains.filter((name) => !lives(Number.parseInt(name, 10)))
    for (const name of dead) await rm(join(directory, name), { recursive: true, force: true })
  })

export const scratch = ({ directory, quotaBytes }: ScratchSettings) =>
  Layer.effect(
    Scratch,
    Effect.gen(function* () {
      yield* removeRemains(directory)
      const home = join(directory, `${process.pid}-${crypto.randomUUID()}`)
      yield* Effect.acquireRelease(
        disk(() => mkdir(join(home, "sources"), { recursive: true })),
        () => Effect.ignore(disk(() => rm(home, { recursive: true, force: true }))),
      )
      const copies = new Map<string, Copy>()
      let uses = 0
      /** Promised to writes that have not ended. */
      let promised = 0

      const used = () =>
        [...copies.values()].reduce((sum, { held }) => sum + bytesIn(held), promised)

      const makeRoom = (wanted: number) =>
        Effect.gen(function* () {
          const idle = [...copies]
            .filter(([, { holders }]) => holders === 0)
            .sort(([, a], [, b]) => a.lastUse - b.lastUse)
          for (const [name, { path }] of idle) {
            if (used() + wanted <= quotaBytes) return
            copies.delete(name)
            yield* disk(() => rm(path, { force: true }))
          }
          if (used() + wanted > quotaBytes) {
            return yield* new ScratchUnavailable({ cause: "REELOG_SCRATCH_BYTES are in use" })
          }
        })

      const hold = (name: string) =>
        Effect.suspend(() => {
          const known = copies.get(name)
          if (known !== undefined) {
            known.holders += 1
            return Effect.succeed(known)
          }
          const path = join(home, "sources", fileName(name))
          const copy: Copy = { path, held: [], holders: 1, lastUse: 0 }
          copies.set(name, copy)
          return Effect.succeed(copy)
        })

      const release = (copy: Copy) =>
        Effect.sync(() => {
          copy.holders -= 1
          copy.lastUse = uses++
        })

      return {
        directory: (name) => {
          const path = join(home, fileName(name))
          return Effect.acquireRelease(
            Effect.as(
              disk(() => mkdir(path)),
              path,
            ),
            () => Effect.ignore(disk(() => rm(path, { recursive: true, force: true }))),
          )
        },
        file: Effect.fnUntraced(function* (name) {
          const copy = yield* Effect.acquireRelease(hold(name), release)
          const handle = yield* Effect.acquireRelease(
            disk(() => open(copy.path, constants.O_RDWR | constants.O_CREAT)),
            (opened) => Effect.ignore(disk(() => opened.close())),
          )
          return {
            path: copy.path,
            missing: (range) => missingFrom(copy.held, range),
            write: Effect.fnUntraced(function* (at, bytes) {
              yield* makeRoom(bytes.length)
              promised += bytes.length
              yield* disk(() => handle.write(bytes, 0, bytes.length, at)).pipe(
                Effect.ensuring(
                  Effect.sync(() => {
                    promised -= bytes.length
                  }),
                ),
              )
              copy.held = withRange(copy.held, { from: at, to: at + bytes.length })
            }),
            read: ({ from, to }) =>
              disk(async () => {
                const bytes = new Uint8Array(to - from)
                const { bytesRead } = await handle.read(bytes, 0, bytes.length, from)
                if (bytesRead < bytes.length) throw new Error("the copy is shorter than it was")
                return bytes
              }),
          }
        }),
      }
    }),
  )
