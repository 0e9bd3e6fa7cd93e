/** Manifests of a video as parsers that are not ours read them, and one that grows before a player's eyes. For tests. */
import { parse, types } from "hls-parser"
import { dashManifest } from "#domain/transcode/dash.ts"
import { type Segment, TICKS } from "#domain/transcode/facts.ts"

const readAt = async (at: string, name: string) =>
  parse(await (await fetch(`${at}/${name}`)).text())

export const listAt = async (at: string, name: string) => {
  const list = await readAt(at, name)
  if (!(list instanceof types.MediaPlaylist)) throw new Error(`${name} is no media playlist`)
  return list
}

export const mainListAt = async (at: string) => {
  const list = await readAt(at, "main.m3u8")
  if (!(list instanceof types.MasterPlaylist)) throw new Error("no multivariant playlist")
  return list
}

/** The manifest as it grows by a segment a second, of segments that are all there. */
export const growing = async (at: string, seconds: number) => {
  const { variants } = await mainListAt(at)
  const names = [...new Set(variants.filter((it) => !it.isIFrameOnly).map(({ uri }) => uri))]
  const segmentsOf = new Map<string, ReadonlyArray<Segment>>()
  for (const name of [...names, "audio.m3u8"]) {
    const { segments } = await listAt(at, name)
    let start = 0
    const row = segments.map(({ duration }, k) => {
      const segment = { k, start, duration: Math.round(duration * TICKS), bytes: 1 }
      start += segment.duration
      return segment
    })
    segmentsOf.set(name.replace(".m3u8", ""), row)
  }
  const [sound] = [...segmentsOf.keys()].slice(-1)
  const rungs = [...segmentsOf.keys()].slice(0, -1)
  const count = Math.max(...[...segmentsOf.values()].map(({ length }) => length))
  let since: number | null = null
  return () => {
    since ??= Date.now()
    const shown = 2 + Math.floor((Date.now() - since) / 1000)
    return dashManifest({
      variants: rungs.map((name) => {
        const height = Number.parseInt(name, 10)
        const size = { width: Math.round((height * 16) / 9), height }
        const rung = { name, group: "r1", ...size, maxBitsPerSecond: height * 2000 }
        const codecs = variants.find(({ uri }) => uri === `${name}.m3u8`)?.codecs ?? ""
        return {
          rung: { ...rung, codecs: codecs.split(",")[0] ?? "" },
          framesPerSecond: 25,
          peakBitsPerSecond: height * 2000,
        }
      }),
      sounds: [
        {
          ...{ name: sound ?? "", group: "stereo", language: null, title: null, isDefault: true },
          ...{ codecs: "mp4a.40.2", channels: 2, bitsPerSecond: 128_000 },
        },
      ],
      texts: [],
      segmentsOf: (name) => (segmentsOf.get(name) ?? []).slice(0, shown),
      targetDuration: 12,
      growth: shown >= count ? null : { playableAt: since, durationTicks: seconds * TICKS },
    })
  }
}
