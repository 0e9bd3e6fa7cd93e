import { describe, expect, test } from "bun:test"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { MessageFormat } from "messageformat"
import { DomainEvent, eventTypes } from "#domain/events.ts"
import { TakedownReason, Visibility } from "#domain/video/events.ts"
import { catalogues, preferred, splitLocale, tongueOf } from "./words.ts"

const sourceOf = async (): Promise<string> => {
  const folders = [".", "pages", "islands"]
  const files = folders.map(async (folder) => {
    const names = await readdir(join(import.meta.dir, folder))
    const sources = names.filter((name) => /\.tsx?$/.test(name) && !name.includes(".test."))
    return await Promise.all(
      sources.map((name) => Bun.file(join(import.meta.dir, folder, name)).text()),
    )
  })
  return (await Promise.all(files)).flat().join("\n")
}

const keysOf = (locale: string) => Object.keys(catalogues[locale] ?? {}).sort()
const variables = (message: string) =>
  [...new Set([...message.matchAll(/\$([a-zA-Z]+)/g)].map(([, name]) => name ?? ""))].sort()

describe("the catalogues", () => {
  test("hold the same keys in every language", () => {
    for (const locale of Object.keys(catalogues)) expect(keysOf(locale)).toEqual(keysOf("en"))
  })

  test("are all MessageFormat 2 and can be said", () => {
    for (const [locale, catalogue] of Object.entries(catalogues)) {
      for (const [key, message] of Object.entries(catalogue)) {
        const args = Object.fromEntries(variables(message).map((name) => [name, 3]))
        const problems: Array<string> = []
        const said = new MessageFormat(locale, message).format(args, (error) =>
          problems.push(`${locale} ${key}: ${String(error)}`),
        )
        expect(problems).toEqual([])
        expect(said.length).toBeGreaterThan(0)
      }
    }
  })

  test("ask nothing that the English sentence is not given", () => {
    const english = catalogues.en ?? {}
    for (const catalogue of Object.values(catalogues)) {
      for (const [key, message] of Object.entries(catalogue)) {
        const given = variables(english[key as keyof typeof english] ?? "")
        const unknown = variables(message).filter((name) => !given.includes(name))
        expect([key, unknown]).toEqual([key, []])
      }
    }
  })

  test("hold no sentence that nobody says", async () => {
    const source = await sourceOf()
    // Keys made of a word of the domain: `event.${type}` and the like.
    const made = [...source.matchAll(/`([a-z]+)\.\$\{/g)].map(([, prefix]) => `${prefix}.`)
    const unused = keysOf("en").filter(
      (key) => !source.includes(`"${key}"`) && !made.some((prefix) => key.startsWith(prefix)),
    )
    expect(unused).toEqual([])
  })

  test("know every reason, visibility and event that a page may tell", () => {
    const keys = new Set(keysOf("en"))
    for (const reason of TakedownReason.literals) expect(keys.has(`reason.${reason}`)).toBe(true)
    for (const who of Visibility.literals) expect(keys.has(`visibility.${who}`)).toBe(true)
    const ofVideo = DomainEvent.members
      .slice(0, 4)
      .flatMap(({ cases }) => Object.keys(cases))
      .filter((type) => !/^(Worker|Scheduler|TaskAssigned|TaskRevoked)/.test(type))
    expect(ofVideo.filter((type) => !keys.has(`event.${type}`))).toEqual([])
    const told = [...keys].filter((key) => key.startsWith("event.")).map((key) => key.slice(6))
    expect(told.filter((type) => type !== "Unreadable" && !eventTypes.has(type))).toEqual([])
  })
})

describe("a language", () => {
  test("is taken from what the browser likes best", () => {
    expect(preferred("fr;q=0.9, ko-KR;q=0.8, en;q=0.1", ["en", "ko"])).toBe("ko")
    expect(preferred("ko;q=0, en", ["en", "ko"])).toBe("en")
    expect(preferred(null, ["en", "ko"])).toBe("en")
  })

  test("in a path is not part of the page's own path", () => {
    expect(splitLocale("/ko/watch/x", ["ko"])).toEqual({ locale: "ko", path: "/watch/x" })
    expect(splitLocale("/ko", ["ko"])).toEqual({ locale: "ko", path: "/" })
    expect(splitLocale("/korea", ["ko"])).toEqual({ locale: undefined, path: "/korea" })
  })

  test("tells numbers, sizes and spans in its own way", () => {
    const english = tongueOf("en")
    expect(english.bytes(7_600_000)).toBe("7.6 MB")
    expect(english.span(66 * 3_600_000)).toBe("2 days 18 hr")
    expect(english.clock(3723)).toBe("1:02:03")
    expect(tongueOf("ko").span(66 * 3_600_000)).toBe("2일 18시간")
    expect(english.t("life.all", { count: 1 })).toBe("The only event")
  })
})
