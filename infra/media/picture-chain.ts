/** Filters that make a shown picture of a decoded one. Rotation is ffmpeg's own, before all of these. */
import { TICKS } from "#domain/transcode/facts.ts"
import type { Mark } from "./port.ts"
import { type OpenedIndex, ticksOf } from "./source-index.ts"

const looks = { gray: ["hue=s=0"] } as const

/** PQ and HLG to SDR, and another look where one is wished; scaled down before it, for it costs by the pixel. */
export const toneMapped = ({ video, look }: OpenedIndex): ReadonlyArray<string> => [
  ...(video.picture.isHdr
    ? [
        "zscale=t=linear:npl=100:p=bt709",
        "format=gbrpf32le",
        "tonemap=hable:desat=0",
        "zscale=t=bt709:m=bt709:r=tv",
      ]
    : []),
  ...(look === undefined ? [] : looks[look]),
]

/** Looks at neighbours: stands before any cut, whose times are those of the source, so its halved unit is undone. */
export const deinterlaced = ({ video }: OpenedIndex): ReadonlyArray<string> =>
  video.picture.isInterlaced
    ? ["bwdif=mode=send_frame:deint=interlaced", `settb=${video.timeBase.join("/")}`]
    : []

/**
 * Onto the common timeline, in ticks; the first frame is held from 0 where sound begins before it.
 * Told by its time, not by its number: a change of size within the stream begins the count again.
 */
export const timing = (index: OpenedIndex, isHeld: boolean): string => {
  // The only frame may have no time at all.
  if (isHeld && index.video.frames.length === 1) return `settb=1/${TICKS},setpts=0`
  const shifted = `PTS-(${Math.round(index.zero)})`
  const first = ticksOf(index, index.video.frames[0] ?? 0)
  const expression =
    isHeld && first > 0 ? `if(lte(${shifted}\\,${first + 1})\\,0\\,${shifted})` : shifted
  return `settb=1/${TICKS},setpts=${expression}`
}

/** Square pixels of video range at an explicit size, which also survives a change within the stream. */
export const scaled = ({ width, height }: { readonly width: number; readonly height: number }) =>
  `scale=${width}:${height}:flags=bicubic:in_range=auto:out_range=tv,setsar=1`

/** The largest even size within a box, never larger than shown. */
export const within = (
  { video }: OpenedIndex,
  box: { readonly width: number; readonly height: number },
) => {
  const scale = Math.min(1, box.width / video.width, box.height / video.height)
  const even = (length: number) => Math.max(2, Math.round((length * scale) / 2) * 2)
  return { width: even(video.width), height: even(video.height) }
}

/** From this height up, colours that nobody tells are taken for those of BT.709. */
const hdLines = 720

/**
 * A still picture over every frame, which the second input is. Outside of its box not a bit of the
 * picture changes; where it shines through it is blended in the picture's own colours.
 */
export const marked = (
  input: string,
  chain: string,
  { box, opacity, canvas }: Mark,
  output: string,
) => {
  const matrix = canvas.height >= hdLines ? "bt709" : "bt601"
  const mark = [
    `format=rgba,colorchannelmixer=aa=${opacity}`,
    `scale=${box.width}:${box.height}:flags=bicubic:out_color_matrix=${matrix}:out_range=tv`,
    `format=yuva420p,setsar=1,settb=1/${TICKS}`,
  ].join(",")
  const over = `overlay=x=${box.x}:y=${box.y}:format=yuv420:eof_action=repeat`
  return `[${input}]${chain}[under];[1:v:0]${mark}[mark];[under][mark]${over}[${output}]`
}
