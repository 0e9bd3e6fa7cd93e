/** How the small pictures of a storyboard lie on sprites, and the WebVTT that says so. Pure. */

interface Size {
  readonly width: number
  readonly height: number
}

export interface SpriteSheet {
  readonly tile: Size
  readonly tiles: number
  readonly columns: number
  readonly rows: number
  readonly secondsEach: number
}

const mostTiles = 400
const mostColumns = 10
const mostRows = 10
const leastSeconds = 2

export const spriteSheet = (seconds: number, tile: Size): SpriteSheet => {
  const secondsEach = Math.max(leastSeconds, Math.ceil(seconds / mostTiles))
  const tiles = Math.max(1, Math.ceil(seconds / secondsEach))
  const columns = Math.min(mostColumns, tiles)
  return {
    tile,
    tiles,
    columns,
    rows: Math.min(mostRows, Math.ceil(tiles / columns)),
    secondsEach,
  }
}

const timestamp = (seconds: number) => {
  const millis = Math.round(seconds * 1000)
  const part = (unit: number, size: number, digits: number) =>
    String(Math.floor(millis / unit) % size).padStart(digits, "0")
  return `${part(3_600_000, 100, 2)}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}.${part(1, 1000, 3)}`
}

export const storyboardText = (sheet: SpriteSheet, seconds: number): string => {
  const { tile, tiles, columns, rows, secondsEach } = sheet
  const cues = Array.from({ length: tiles }, (_, i) => {
    const place = i % (columns * rows)
    const sprite = Math.floor(i / (columns * rows))
    const x = (place % columns) * tile.width
    const y = Math.floor(place / columns) * tile.height
    const end = Math.max(i * secondsEach + 0.001, Math.min(seconds, (i + 1) * secondsEach))
    const times = `${timestamp(i * secondsEach)} --> ${timestamp(end)}`
    return `${times}\nstoryboard-${sprite}.jpg#xywh=${x},${y},${tile.width},${tile.height}\n`
  })
  return `WEBVTT\n\n${cues.join("\n")}`
}
