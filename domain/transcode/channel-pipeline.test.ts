import { describe, expect, test } from "bun:test"
import { Result } from "effect"
import { parse } from "yaml"
import { planOf, treeOf, withWatermark } from "./channel-pipeline.ts"
import { builtInTypes } from "./task-types.ts"

const textOf = (name: string) => Bun.file(`${import.meta.dir}/${name}`).text()
const mistakesIn = (text: string) =>
  Result.match(
    Result.flatMap(
      treeOf(text, (yaml) => parse(yaml)),
      (tree) => planOf(tree, builtInTypes),
    ),
    { onSuccess: () => [], onFailure: (mistakes) => mistakes },
  )

describe("a text", () => {
  test("in YAML, in JSON or in the notation is told apart by itself", async () => {
    const yaml = await textOf("download-transcode.yaml")
    const notation = (await textOf("download-transcode.dag")).replace("'Downlaod'", "'Download'")
    for (const text of [yaml, JSON.stringify(parse(yaml)), notation]) {
      expect(mistakesIn(text)).toEqual([])
    }
    expect(mistakesIn(await textOf("default.yaml"))).toEqual([])
  })

  test("of more codecs is the built-in one and later tasks alone", async () => {
    const [more, first] = await Promise.all(["more-codecs.yaml", "default.yaml"].map(textOf))
    expect(mistakesIn(more ?? "")).toEqual([])
    const { tasks, pipeline: _own, ...rest } = parse(more ?? "")
    const { tasks: builtIn, pipeline: _name, ...others } = parse(first ?? "")
    expect(rest).toEqual(others)
    expect(tasks.filter(({ later }: { later?: boolean }) => later !== true)).toEqual(builtIn)
    const plan = Result.getOrThrow(planOf(parse(more ?? ""), builtInTypes))
    const marked = withWatermark(plan, builtInTypes).steps.filter((it) => it.type === "EncodeMore")
    expect(marked.map(({ input }) => input?.watermark)).toEqual(
      marked.map(() => "$config.watermark"),
    )
    expect(mistakesIn((more ?? "").replace("codec: av1", "codec: av2"))).toEqual([
      'pipeline "more-codecs": task "encode-av1" asks for codec "av2"; there is vp9, hevc, av1; did you mean "av1"?',
    ])
  })

  test("with a misspelt type is told what was meant", async () => {
    expect(mistakesIn(await textOf("download-transcode.dag"))).toEqual([
      'pipeline "pipeline": task "downlaod-input" has type "Downlaod", which is not registered; did you mean "Download"?',
    ])
  })

  test("is told all its mistakes at once, be they of a task, of the start or of the end", () => {
    const text = `
      pipeline: own
      config: { sorce: source, url: media }
      tasks:
        - { name: get, type: Downlod, input: { url: $config.ulr } }
        - { name: look, type: Inspect, input: { source: $config.sorce } }`
    expect(mistakesIn(text).map((mistake) => mistake.replace('pipeline "own": ', ""))).toEqual([
      'task "get" has type "Downlod", which is not registered; did you mean "Download"?',
      'task "get" reads $config.ulr, which the pipeline does not declare; did you mean "$config.url"?',
      'it asks for $config.sorce, which no video has; did you mean "$config.source"?',
      "it asks for $config.url as media, but it is url",
      "no task makes a video; that is what Package or Transcode does",
    ])
  })

  test("that is no pipeline is told so, whatever it is", () => {
    const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`
    const aliases = `a: &a [x, x]\n${"bcdefgh"
      .split("")
      .map((name, i) => `${name}: &${name} [${`*${"abcdefg"[i]}, `.repeat(9)}]`)
      .join("\n")}`
    for (const text of ["", "null", "[]", "7", "{", "a: b: c", "\u0000", "task {", deep, aliases]) {
      expect(mistakesIn(text).length).toBeGreaterThan(0)
    }
  })
})

describe("a pipeline", () => {
  const withTask = (task: object) =>
    mistakesIn(JSON.stringify({ pipeline: "own", config: { url: "url" }, tasks: [task] }))

  test("names no object of the store by itself", () => {
    const index = { key: "keys/owner", bytes: 1, sha256: "0" }
    const input = { source: "$config.source", media: {}, index }
    expect(withTask({ name: "look", type: "Thumbnails", input })).toContain(
      'pipeline "own": task "look" takes input "index" of type index, which can\'t be written out',
    )
  })

  test("finds nothing under names that every object has", () => {
    const output = { a: "it.constructor", b: "it.toString" }
    const told = withTask({
      ...{ name: "get", type: "Download", output },
      input: { url: "$config.constructor", toString: "x", constructor: 1 },
    })
    expect(told.join("\n")).toContain('no output "it.constructor"')
    expect(told.join("\n")).toContain("reads $config.constructor, which the pipeline does not")
    expect(told.join("\n")).toContain('gives input "toString"')
    expect(withTask({ name: "get", type: "Download" })[0]).toContain('lacks input "url"')
  })

  test("names each group once, and one at least", () => {
    const get = { name: "get", type: "Download", input: { url: "$config.url" } }
    expect(withTask({ ...get, groups: ["a", "b", "a"] })).toContain(
      'pipeline "own": task "get" names group "a" twice',
    )
    expect(withTask({ ...get, groups: [] })[0]).toContain('["groups"]')
  })

  test("fits into the plan of a video", () => {
    const groups = Array.from({ length: 60 }, (_, n) => `g${n}`)
    const input = { input: "$context.file", config: { wish: "x".repeat(10_000) } }
    const get = { name: "get", type: "Download", input: { url: "$config.url" } }
    const tasks = [
      { ...get, output: { file: "it.file" } },
      { name: "all", type: "Transcode", input, groups },
    ]
    const text = JSON.stringify({ pipeline: "own", config: { url: "url" }, tasks })
    expect(mistakesIn(text).join()).toMatch(/its steps take 6\d{5} bytes; at most 262144/)
  })
})
