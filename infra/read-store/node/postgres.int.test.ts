import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import postgres from "postgres"
import { findPrograms, wrap } from "./programs.ts"
import { newDirectory, START_MILLIS, startPostgres, type TestPostgres } from "./testing.ts"

const directory = newDirectory()
let node: TestPostgres

const cluster = join(directory, "cluster")
const port = () => readFileSync(join(directory, "port"), "utf8")
const postmaster = () =>
  Number(readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n")[0])

/** As whom Postgres runs, without what ties it to its parent. */
const disguise = () => {
  const { before } = wrap()
  const tether = before.indexOf("setpriv")
  return tether < 0 ? before : before.slice(0, tether)
}

/** A process that ended but was not waited for by its parent has no command line. */
const runs = (pid: number) =>
  existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, "utf8") !== ""

const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await Bun.sleep(10)
}

const ask = async <A>(question: (sql: postgres.Sql) => Promise<A>): Promise<A> => {
  const sql = postgres(node.urls[0] ?? "", { max: 1, onnotice: () => {} })
  try {
    return await question(sql)
  } finally {
    await sql.end()
  }
}

const isAnswering = () =>
  ask((sql) => sql`select 1`).then(
    () => true,
    () => false,
  )

beforeAll(async () => {
  node = await startPostgres(directory)
}, START_MILLIS)
afterAll(() => node.stop())

describe("the embedded Postgres", () => {
  test("has two databases on loopback", async () => {
    expect(node.urls.map((url) => new URL(url).pathname)).toEqual(["/reelog_0", "/reelog_1"])
    const [row] = await ask((sql) => sql`select current_database() as name`)
    expect(row?.name).toBe("reelog_0")
  })

  test("that is killed comes back on the same port with what was committed", async () => {
    await ask((sql) => sql`create table kept as select 7 as n`)
    const before = postmaster()
    process.kill(before, "SIGKILL")
    await until(() => !runs(before))
    await until(isAnswering)
    const [row] = await ask((sql) => sql`select n from kept`)
    expect(row?.n).toBe(7)
  })

  test("ends with the process that minds it, even if that is killed", async () => {
    const before = postmaster()
    process.kill(node.pid, "SIGKILL")
    await until(() => !runs(before))
    expect(await isAnswering()).toBe(false)
  })

  test("starts again where it was, in place of one that was left behind", async () => {
    const orphan = Bun.spawn(
      [...disguise(), findPrograms().postgres, "-D", cluster, "-p", port()],
      {
        stdio: ["ignore", "ignore", "ignore"],
      },
    )
    await until(() => existsSync(join(cluster, "postmaster.pid")))
    const { urls } = node
    node = await startPostgres(directory)
    expect(await orphan.exited).toBe(0)
    expect(node.urls).toEqual(urls)
    expect(await isAnswering()).toBe(true)
  })
})
