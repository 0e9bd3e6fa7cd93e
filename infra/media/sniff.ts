/**
 * What containers are let in. The demuxer is decided here from the first bytes, never by ffmpeg
 * from name or content: a playlist under a video's name would make it open other files.
 */

/** Our word, also ffmpeg's `-f`, and the full name by which `-format_whitelist` knows it. */
const fullNames = {
  mov: "mov,mp4,m4a,3gp,3g2,mj2",
  matroska: "matroska,webm",
  avi: "avi",
  flv: "flv",
  ogg: "ogg",
  mpegts: "mpegts",
  mpeg: "mpeg",
  asf: "asf",
} as const
export type Demuxer = keyof typeof fullNames

/** Decoders that may touch untrusted bytes. ffprobe gives up when one of a subtitle may not open. */
const decoders = `h264 hevc libdav1d av1 vp8 vp9 mpeg1video mpeg2video mpeg4 msmpeg4 msmpeg4v2 wmv1
  wmv2 wmv3 vc1 theora h263 flv prores dnxhd qtrle png jpeg2000 mjpeg rawvideo ffv1 dvvideo vp6 vp6f
  vp6a svq1 svq3 cinepak cfhd huffyuv ffvhuff utvideo aac aac_latm mp3float mp3 mp2float mp2 ac3
  eac3 dca opus libopus vorbis flac alac wmav1 wmav2 amrnb amrwb pcm_s16le pcm_s16be pcm_s24le
  pcm_s24be pcm_s32le pcm_f32le pcm_u8 pcm_s8 pcm_mulaw pcm_alaw pcm_bluray pcm_dvd adpcm_ms
  adpcm_ima_wav adpcm_ima_qt adpcm_swf truehd mlp speex nellymoser mov_text ssa ass subrip srt text
  webvtt pgssub dvdsub dvbsub cc_dec`
  .split(/\s+/)
  .join(",")

/** 8192 x 4352 */
export const mostPixels = 35_651_584

export const sniffBytes = 4096

const boxes = new Set([
  "ftyp",
  "moov",
  "mdat",
  "free",
  "skip",
  "wide",
  "pnot",
  "styp",
  "moof",
  "sidx",
  "uuid",
  "pdin",
])
const signatures: ReadonlyArray<readonly [hex: string, demuxer: Demuxer]> = [
  ["1a45dfa3", "matroska"],
  ["464c5601", "flv"],
  ["4f676753", "ogg"],
  ["3026b2758e66cf11", "asf"],
  ["000001ba", "mpeg"],
]
/** Transport packets: plain, with a time code before each, with parity behind. */
const packetLengths = [188, 192, 204]
const syncByte = 0x47

/** The demuxer for these first bytes, `null` where it is no container we take. */
export const sniff = (head: Uint8Array): Demuxer | null => {
  if (head.length < 12) return null
  const hex = Buffer.from(head.subarray(0, 8)).toString("hex")
  const text = (at: number) => Buffer.from(head.subarray(at, at + 4)).toString("latin1")
  const signed = signatures.find(([signature]) => hex.startsWith(signature))
  if (signed !== undefined) return signed[1]
  if (text(0) === "RIFF" && text(8) === "AVI ") return "avi"
  if (boxes.has(text(4))) {
    const size = Number.parseInt(hex.slice(0, 8), 16)
    return size <= 1 || size >= 8 ? "mov" : null
  }
  const inStep = (length: number, phase: number) =>
    [0, 1, 2, 3, 4].every((i) => head[phase + i * length] === syncByte)
  const transported = packetLengths.some((length) =>
    Array.from({ length }, (_, phase) => phase).some((phase) => inStep(length, phase)),
  )
  return transported ? "mpegts" : null
}

/** What stands before the input of both programs. */
export const inputArguments = (
  demuxer: Demuxer,
  input: "/in" | "pipe:0" = "/in",
): ReadonlyArray<string> => [
  "-protocol_whitelist",
  input === "/in" ? "file" : "pipe",
  "-format_whitelist",
  fullNames[demuxer],
  "-codec_whitelist",
  decoders,
  "-max_streams",
  "64",
  "-max_pixels",
  String(mostPixels),
  "-f",
  demuxer,
  "-i",
  input,
]
