/**
 * One language at work, on the server and in the browser: sentences by MessageFormat 2, numbers,
 * sizes and moments by Intl. Times are UTC, the log's own clock, wherever the page is made.
 */
import { MessageFormat } from "messageformat"
import type { Key } from "./words.ts"

type Arguments = Readonly<Record<string, string | number>>

export interface Tongue {
  readonly locale: string
  readonly dir: "ltr" | "rtl"
  readonly t: (key: Key, args?: Arguments) => string
  readonly number: (value: number) => string
  /** 7.6 MB, by powers of 1000. */
  readonly bytes: (value: number) => string
  readonly bitRate: (bitsPerSecond: number) => string
  /** 4:12, 1:02:03: a place in a video. */
  readonly clock: (seconds: number) => string
  readonly day: (millis: number) => string
  readonly moment: (millis: number) => string
  readonly time: (millis: number) => string
  /** 2 days, 18 hours: how long something lasted, by its two largest units. */
  readonly span: (millis: number) => string
}

const clock = (seconds: number): string => {
  const whole = Math.floor(seconds)
  const two = (value: number) => String(value).padStart(2, "0")
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** Digits in groups of three by narrow no-break spaces, in every language: a position is a name. */
export const position = (text: string): string => text.replace(/\B(?=(\d{3})+$)/g, "\u202f")

const scaled = (value: number, units: ReadonlyArray<string>): readonly [number, string] => {
  const step = Math.min(
    units.length - 1,
    value < 1 ? 0 : Math.floor(Math.log10(value) / 3 + 0.000_001),
  )
  return [value / 1000 ** step, units[step] ?? ""]
}

const parts = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const

export const makeTongue = (
  locale: string,
  dir: "ltr" | "rtl",
  messages: Readonly<Record<string, string>>,
  dress: (text: string) => string = (text) => text,
): Tongue => {
  const formats = new Map<string, MessageFormat>()
  const t = (key: Key, args: Arguments = {}) => {
    const format =
      formats.get(key) ??
      new MessageFormat(locale, messages[key] ?? `{|${key}|}`, { bidiIsolation: "none" })
    formats.set(key, format)
    return dress(format.format(args))
  }
  const numbers = new Intl.NumberFormat(locale)
  const inUnit = (value: number, unit: string) =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit,
      unitDisplay: unit === "byte" ? "long" : "short",
      maximumFractionDigits: value < 10 ? 1 : 0,
    }).format(value)
  const dates = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options })
    return (millis: number) => format.format(millis)
  }
  const date = { year: "numeric", month: "short", day: "numeric" } as const
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const
  const span = (millis: number): string => {
    if (millis < 1000) return inUnit(Math.max(0, millis) / 1000, "second")
    const first = parts.findIndex(([, length]) => millis >= length)
    return parts
      .slice(first, first + 2)
      .map(([unit, length], index) => {
        const above = parts[first]?.[1] ?? length
        const count = Math.floor((index === 0 ? millis : millis % above) / length)
        return count === 0 ? "" : inUnit(count, unit)
      })
      .join(" ")
      .trim()
  }
  return {
    locale,
    dir,
    t,
    number: (value) => numbers.format(value),
    bytes: (value) =>
      inUnit(...scaled(value, ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"])),
    bitRate: (value) => {
      const [count, unit] = scaled(value, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"])
      const digits = { maximumFractionDigits: count < 10 ? 1 : 0 }
      return `${new Intl.NumberFormat(locale, digits).format(count)} ${unit}`
    },
    clock,
    day: dates(date),
    moment: dates({ ...date, ...time }),
    time: dates(time),
    span,
  }
}
