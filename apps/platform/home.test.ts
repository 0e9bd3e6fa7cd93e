import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openHome } from "./home.ts"

let root = ""
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "reelog-home-"))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const modesIn = (directory: string) =>
  Object.fromEntries(
    readdirSync(directory).map((name) => {
      const found = statSync(join(directory, name))
      return [name, (found.mode & 0o777).toString(8)]
    }),
  )

test("nobody else reads what a platform keeps, also in a directory that was open to all", async () => {
  const directory = join(root, "open")
  mkdirSync(directory, { mode: 0o755 })
  mkdirSync(join(directory, "logs"), { mode: 0o755 })
  await openHome(directory)
  expect(modesIn(directory)).toEqual({
    ...{ edge: "700", events: "700", logs: "700", objects: "700", pages: "700", scratch: "700" },
    ...{ "owner-token": "600", "ports.json": "600", "secrets.json": "600" },
  })
})
