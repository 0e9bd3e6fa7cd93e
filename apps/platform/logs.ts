/** Each process's lines go to a file of its own, `logs/{name}.log`; a full one becomes `.1` and the one before it goes. */
import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from "node:fs"
import { join } from "node:path"

const MOST_BYTES = 8 * 2 ** 20

export const logTo = (directory: string, name: string) => {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${name}.log`)
  let size = existsSync(path) ? statSync(path).size : 0
  return (line: string) => {
    if (line === "") return
    const text = `${line}\n`
    if (size > MOST_BYTES) {
      renameSync(path, `${path}.1`)
      size = 0
    }
    appendFileSync(path, text)
    size += text.length
  }
}
