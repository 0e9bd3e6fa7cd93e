/** Progress bars on a terminal: one for the upload, one for each rendition. */
import { MultiBar, Presets, type SingleBar } from "cli-progress"
import type { Bars } from "./screen.ts"

export const terminalBars = (stream: NodeJS.WritableStream): Bars => {
  const format = "{name} {bar} {percentage} % {text}"
  const bars = new MultiBar({ format, stream, hideCursor: true }, Presets.shades_classic)
  const known = new Map<string, SingleBar>()
  return {
    show: ({ name, done, total, text }) => {
      const shown = { name: name.padEnd(8), text }
      const bar = known.get(name) ?? bars.create(total, done, shown)
      known.set(name, bar)
      bar.setTotal(total)
      bar.update(done, shown)
    },
    say: (text) => {
      if (known.size === 0) stream.write(`${text}\n`)
      else bars.log(`${text}\n`)
    },
    stop: () => bars.stop(),
  }
}
