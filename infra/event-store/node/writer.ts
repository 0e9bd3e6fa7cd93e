/**
 * Group commit: all jobs that are waiting run in one transaction, one after the other, and are
 * answered after its commit. While the disk syncs, the next ones gather.
 */
import type { Database } from "bun:sqlite"
import type { Appender } from "./appender.ts"
import type { Tail } from "./tail.ts"

interface Waiting {
  readonly run: () => () => void
  readonly fail: (cause: unknown) => void
}

/** Bounds one transaction, so that a flood is answered in portions. */
const JOBS_AT_ONCE = 512

export const openWriter = (db: Database, appender: Appender, tail: Tail) => {
  const waiting: Array<Waiting> = []
  let isScheduled = false

  /** How each job is answered; none when the disk would not take it. */
  const committed = (jobs: ReadonlyArray<Waiting>): ReadonlyArray<() => void> => {
    const endBefore = appender.end()
    try {
      db.run("BEGIN IMMEDIATE")
      const answers = jobs.map(({ run }) => run())
      db.run("COMMIT")
      return answers
    } catch (cause) {
      if (db.inTransaction) db.run("ROLLBACK")
      appender.forget(endBefore)
      return jobs.map(
        ({ fail }) =>
          () =>
            fail(cause),
      )
    }
  }

  const commit = () => {
    isScheduled = false
    const jobs = waiting.splice(0, JOBS_AT_ONCE)
    if (jobs.length === 0) return
    if (waiting.length > 0) schedule()
    const answers = committed(jobs)
    tail.publish(appender.takeFresh())
    for (const answer of answers) answer()
  }

  const schedule = () => {
    if (isScheduled) return
    isScheduled = true
    setImmediate(commit)
  }

  /** A job only reports what it decided; one that throws undoes everything in its transaction. */
  const submit = <A>(job: (appender: Appender) => A): Promise<A> =>
    new Promise((resolve, fail) => {
      waiting.push({
        run: () => {
          const answer = job(appender)
          return () => resolve(answer)
        },
        fail,
      })
      schedule()
    })

  /** Whatever waits is committed now. */
  const drain = () => {
    while (waiting.length > 0) commit()
  }

  return { submit, drain }
}

export type Writer = ReturnType<typeof openWriter>
