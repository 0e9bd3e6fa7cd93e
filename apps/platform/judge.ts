/** Judges a finished stream against its source, for tests: every rung has the source's frames at the source's times, segments line up, the sound is whole. */

interface Frames {
  readonly times: ReadonlyArray<number>
}

const run = (words: ReadonlyArray<string>) => {
  const child = Bun.spawnSync([...words], { stdout: "pipe", stderr: "pipe", maxBuffer: 2 ** 28 })
  if (child.exitCode !== 0) throw new Error(`${words[0]}: ${child.stderr}`)
  return child.stdout.toString()
}

/** Presentation times of all decoded frames, seconds. */
const framesOf = (input: string): Frames => {
  const out = run([
    ...["ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"],
    ...["-show_entries", "frame=best_effort_timestamp_time", "-i", input],
  ])
  const times = out.split(/[\s,]+/).filter((text) => /^-?[\d.]+$/.test(text))
  return { times: times.map(Number) }
}

const linesOf = async (url: string) => {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
  return (await answer.text()).split(/\r?\n/).filter(Boolean)
}

const durationsIn = (lines: ReadonlyArray<string>) =>
  lines
    .filter((line) => line.startsWith("#EXTINF:"))
    .map((line) => Number.parseFloat(line.slice(8)))

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, one) => total + one, 0)

/** Problems in words; none: the stream is exact. */
export const judge = async (source: string, master: string): Promise<ReadonlyArray<string>> => {
  const problems: Array<string> = []
  const expected = framesOf(source).times
  const lines = await linesOf(master)
  const lists = lines.filter((line) => !line.startsWith("#"))
  if (lists.length === 0) problems.push("the multivariant playlist names no rendition")
  const borders: Array<string> = []
  for (const list of lists) {
    const url = new URL(list, master).href
    const media = await linesOf(url)
    if (!media.includes("#EXT-X-ENDLIST")) problems.push(`${list} does not end`)
    borders.push(
      durationsIn(media)
        .map((seconds) => seconds.toFixed(3))
        .join(" "),
    )
    const { times } = framesOf(url)
    if (times.length !== expected.length) {
      problems.push(`${list}: ${times.length} frames, the source has ${expected.length}`)
      continue
    }
    const shift = (times[1] ?? 0) - (expected[1] ?? 0)
    const off = times.findIndex(
      (time, i) => i > 0 && Math.abs(time - (expected[i] ?? 0) - shift) > 0.0011,
    )
    if (off >= 0) problems.push(`${list}: frame ${off} at ${times[off]}, expected ${expected[off]}`)
  }
  if (new Set(borders).size > 1) problems.push("segments of the renditions do not line up")

  const sound = /TYPE=AUDIO.*URI="([^"]+)"/.exec(lines.join("\n"))?.[1]
  if (sound !== undefined) {
    const seconds = sum(durationsIn(await linesOf(new URL(sound, master).href)))
    const video = sum((borders[0] ?? "").split(" ").map(Number))
    if (Math.abs(seconds - video) > 0.15)
      problems.push(`the sound lasts ${seconds} s, video ${video} s`)
  }
  return problems
}
