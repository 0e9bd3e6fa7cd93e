/**
 * What a program decodes of a file or a stream, frame by frame: when each is shown and a tiny grey
 * picture of it, enough to tell a frame from its neighbour.
 */

const WIDE = 32
const HIGH = 18
const PIXELS = WIDE * HIGH
/** Mean difference of grey: less is coding, a change of scene is far more. */
const MOVES = 2
const DIFFERS = 1.5
const MUCH_NEARER = 0.4

export interface Frames {
  /** Seconds. */
  readonly times: ReadonlyArray<number>
  readonly grey: Uint8Array
}

export const run = async (words: ReadonlyArray<string>) => {
  const child = Bun.spawn([...words], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [out, err] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
  ])
  return { out, err, exit: await child.exited }
}

const LOCAL = ["-protocol_whitelist", "file,crypto,data"]

/** `map`: `0:v:0`, or the stream that was taken. What is damaged gives the frames that can be had. */
export const framesOf = async (input: string, map: string): Promise<Frames> => {
  const filters = `setsar=1,scale=${WIDE}:${HIGH}:flags=area,format=gray,showinfo=checksum=0`
  const { out, err } = await run([
    ...["ffmpeg", "-nostdin", "-v", "info", "-copyts", "-max_error_rate", "1", ...LOCAL],
    ...["-i", input, "-map", map, "-vf", filters, "-fps_mode", "passthrough", "-f", "rawvideo"],
    "-",
  ])
  const times = [...err.matchAll(/ n: *\d+ pts: *\S+ +pts_time:(\S+)/g)].map(([, at]) => Number(at))
  return { times, grey: out }
}

/** By how much picture `i` of one differs from picture `j` of another, on average. */
const distance = (one: Frames, i: number, other: Frames, j: number) => {
  let sum = 0
  for (let k = 0; k < PIXELS; k++)
    sum += Math.abs((one.grey[i * PIXELS + k] ?? 0) - (other.grey[j * PIXELS + k] ?? 0))
  return sum / PIXELS
}

/** Frames that look like a neighbour of the one they should be. */
export const strangers = (stream: Frames, source: Frames): ReadonlyArray<number> =>
  stream.times.flatMap((_, i) => {
    const own = distance(stream, i, source, i)
    const isOther = [i - 1, i + 1].some(
      (j) =>
        j >= 0 &&
        j < source.times.length &&
        own > DIFFERS &&
        distance(source, i, source, j) > MOVES &&
        distance(stream, i, source, j) < own * MUCH_NEARER,
    )
    return isOther ? [i] : []
  })
