/** Which still images are let in, known by their first bytes: SVG, HTML or a playlist under an image's name is none. */

export type StillImage = "jpeg" | "png" | "webp" | "avif"

const HEAD_BYTES = 64

export const sniffImage = (bytes: Uint8Array): StillImage | null => {
  const head = String.fromCharCode(...bytes.subarray(0, HEAD_BYTES))
  if (head.startsWith("\xff\xd8\xff")) return "jpeg"
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "png"
  if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) return "webp"
  const isAvif = /^(avif|mif1)/.test(head.slice(8)) && head.includes("avif")
  return head.startsWith("ftyp", 4) && isAvif ? "avif" : null
}
