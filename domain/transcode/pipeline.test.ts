/** The pipelines as written, the same by the builder, and the steps they give. */
import { describe, expect, test } from "bun:test"
import { Result } from "effect"
import { evolve } from "#domain/scheduling/evolve.ts"
import { readyTasks } from "#domain/scheduling/match.ts"
import { noQueues } from "#domain/scheduling/queues.ts"
import { channelIdOf, videoIdOf, workerIdOf } from "#domain/scheduling/testing.ts"
import { type Pipeline, readPipeline, stepsOf } from "./pipeline.ts"
import { definePipeline } from "./pipeline-builder.ts"
import { checkPipeline } from "./pipeline-check.ts"
import { parseNotation } from "./pipeline-notation.ts"
import * as types from "./task-types.ts"
import { builtInTypes, defineTask, type TaskType } from "./task-types.ts"

const textOf = (name: string) => Bun.file(`${import.meta.dir}/${name}`).text()
const treeOf = async (name: string) => {
  return Result.getOrThrow(readPipeline(Bun.YAML.parse(await textOf(name))))
}
const groups = ["r1", "r2", "r3", "r4", "r5", "r6", "r7", "all"]

describe("the built-in pipeline", () => {
  test("has no mistakes", async () => {
    expect(checkPipeline(await treeOf("default.yaml"), builtInTypes)).toEqual([])
  })

  test("waits for what it reads", async () => {
    const steps = stepsOf(await treeOf("default.yaml"), builtInTypes)
    const after = (name: string) => steps.find((step) => step.name === name)?.after.toSorted()
    const encodes = groups.map((group) => `encode-video:${group}`)
    expect(steps.map(({ name }) => name)).toEqual([
      ...["inspect", "split", ...encodes, "encode-audio"],
      ...["extract-text", "thumbnails", "storyboard", "package", "publish"],
    ])
    expect(after("encode-video:r1")).toEqual(["inspect", "split"])
    expect(after("package")).toEqual(
      ["encode-audio", "extract-text", ...encodes, "inspect"].toSorted(),
    )
    expect(steps.find(({ name }) => name === "encode-video:r1")).toMatchObject({
      each: "split",
      group: "r1",
      first: true,
      input: { chunk: "$each", rungs: "$context.rungs" },
      output: { video: "it.segments" },
    })
    expect(steps.filter(({ first }) => first).map(({ name }) => name)).toEqual([
      ...["inspect", "split", "encode-video:r1", "encode-audio"],
    ])
  })

  test("is what the builder gives", async () => {
    const config = { source: "source" } as const
    const built = definePipeline(
      "default",
      config,
      ["encode-video", "encode-audio"],
      ({ config: { source }, task, each }) => {
        const { media, rungs, index } = task("inspect", types.Inspect, { source })
        const { chunks } = task(
          "split",
          types.Split,
          { source, media, rungs, index },
          { next: ["extract-text", "thumbnails", "storyboard"] },
        )
        const video = each(
          "encode-video",
          chunks,
          types.EncodeVideo,
          (chunk) => ({ source, chunk, media, rungs, index }),
          { groups },
        )
        const { audio } = task("encode-audio", types.EncodeAudio, { source, media, index })
        const may = { optional: true }
        const { text } = task("extract-text", types.ExtractText, { source, media, index }, may)
        const { images } = task("thumbnails", types.Thumbnails, { source, media, index }, may)
        const { storyboard } = task("storyboard", types.Storyboard, { source, media, index }, may)
        const packaged = { video: video.segments, audio, media, rungs, text }
        const { manifest } = task("package", types.Package, packaged)
        task("publish", types.Publish, { manifest, thumbnails: images, storyboard })
        // @ts-expect-error a stream of chunks is not a source
        task("wrong", types.EncodeAudio, { source: chunks, media, index })
      },
    )
    const sound = { ...built, tasks: built.tasks.slice(0, -1) }
    expect(checkPipeline(sound, builtInTypes)).toEqual([])
    const shape = (pipeline: Pipeline) =>
      stepsOf(pipeline, builtInTypes).map(({ input, output, after, ...step }) => ({
        ...step,
        after: after.toSorted(),
      }))
    expect(shape(sound)).toEqual(shape(await treeOf("default.yaml")))
  })
})

describe("download and transcode", () => {
  const shape = (pipeline: Pipeline) =>
    stepsOf(pipeline, builtInTypes).map(({ name, after }) => [name, after])

  test("run one after the other", async () => {
    const pipeline = await treeOf("download-transcode.yaml")
    expect(checkPipeline(pipeline, builtInTypes)).toEqual([])
    expect(shape(pipeline)).toEqual([
      ["download-input", []],
      ["transcode", ["download-input"]],
    ])
  })

  test("as first published misspell their type", async () => {
    const text = await textOf("download-transcode.dag")
    const pipeline = Result.getOrThrow(parseNotation(text, "example"))
    expect(checkPipeline(pipeline, builtInTypes)).toEqual([
      'pipeline "example": task "downlaod-input" has type "Downlaod", which is not registered; did you mean "Download"?',
    ])
    const right = Result.getOrThrow(parseNotation(text.replace("'Downlaod'", "'Download'")))
    expect(checkPipeline(right, builtInTypes)).toEqual([])
    expect(shape(right)).toEqual([
      ["downlaod-input", []],
      ["transcode", ["downlaod-input"]],
    ])
  })
})

test("video, audio and metadata are split, then encoded at the same time", () => {
  const ours: ReadonlyArray<TaskType> = [
    defineTask(
      "SplitStreams",
      { source: "source" },
      { video: "video", audio: "audio", meta: "meta" },
    ),
    defineTask("Encode", { video: "video", meta: "meta" }, { encoded: "encoded" }),
    defineTask("Thumbnail", { video: "video" }, { image: "image" }),
    defineTask("EncodeSound", { audio: "audio" }, { sound: "sound" }),
  ]
  const text = `
    config { source 'source' }
    task { name 'split' type 'SplitStreams' input { source config.source }
           output { it -> context.video = it.video  context.audio = it.audio  context.meta = it.meta } }
    task { name 'encode' type 'Encode' input { video context.video meta context.meta } }
    task { name 'thumbnail' type 'Thumbnail' input { video context.video } }
    task { name 'audio' type 'EncodeSound' input { audio context.audio } }`
  const pipeline = Result.getOrThrow(parseNotation(text, "example"))
  expect(checkPipeline(pipeline, ours)).toEqual([])

  const videoId = videoIdOf(1)
  const transcode = `${videoId}.1`
  const queues = evolve(noQueues(), {
    ...{ _tag: "TranscodePlanned", videoId, transcode, channelId: channelIdOf(1) },
    ...{ service: "standard", pipeline: "example", config: {}, steps: stepsOf(pipeline, ours) },
  })
  const ready = () => readyTasks(queues).map(({ step }) => step.name)
  expect(ready()).toEqual(["split"])
  const lease = { taskId: `${transcode}/split`, attempt: 1, worker: workerIdOf(1) }
  evolve(queues, { _tag: "TaskSucceeded", videoId, ...lease, outputs: {} })
  expect(ready()).toEqual(["encode", "thumbnail", "audio"])
})

describe("the notation", () => {
  const parse = (text: string) =>
    Result.match(parseNotation(text), {
      onSuccess: (pipeline) => pipeline.tasks,
      onFailure: (mistakes) => mistakes,
    })

  test("says all that YAML says", async () => {
    const text = `
      pipeline 'example'
      config { source 'source' level 'level' }
      start 'split'
      playable 'encode'
      /* one task for each chunk */
      task { name 'encode' type 'Encode' each context.chunks groups 'low', 'high' optional true
             input { chunk each  level 3  fast true  mode "two pass"  none null }
             output { it->context.video = it.segments } next 'a', 'b' }`
    expect(Result.getOrThrow(parseNotation(text))).toEqual({
      pipeline: "example",
      config: { source: "source", level: "level" },
      start: ["split"],
      playable: ["encode"],
      tasks: [
        {
          ...{ name: "encode", type: "Encode", each: "$context.chunks", optional: true },
          groups: ["low", "high"],
          input: { chunk: "$each", level: 3, fast: true, mode: "two pass", none: null },
          output: { video: "it.segments" },
          next: ["a", "b"],
        },
      ],
    })
  })

  test("tells the line of each mistake", () => {
    const text = `task {\n  name 'a'\n  typ 'X'\n}\ntask { name b }\ntask { name 'c' type 'X' input { a }`
    expect(parse(text)).toEqual([
      'line 3: expected one of name, type, each, optional, later, groups, next, input, output, found "typ"',
      'line 5: expected a text in quotes, found "b"',
      'line 6: expected a value, found "}"',
    ])
    expect(parse("task { name 'a' name 'b' }")).toEqual(['line 1: "name" is said twice'])
    expect(parse("task { name 'a'")).toEqual([
      "line 1: expected one of name, type, each, optional, later, groups, next, input, output, found the end",
    ])
  })

  test("of any text ends", () => {
    for (const text of [
      "",
      "%",
      "task",
      "task task",
      "task { input { ",
      "{{{}}}",
      "'",
      "/*",
      "task { output { it -> } }",
    ]) {
      expect(Result.isFailure(parseNotation(text))).toBe(true)
    }
  })
})

test("a tree of another shape is told where", () => {
  const tree = { pipeline: "a", tasks: [{ name: "A b", type: "X" }], foo: 1 }
  expect(Result.getOrThrow(Result.flip(readPipeline(tree)))).toEqual([
    'pipeline: Expected no excess property at ["foo"]',
    'pipeline: Expected a string matching the RegExp ^[a-z][a-z0-9-]{0,63}$ at ["tasks"][0]["name"]',
  ])
})

test("the schema file and the schema allow the same properties", async () => {
  const file = await Bun.file(`${import.meta.dir}/pipeline.schema.json`).json()
  const example = await treeOf("default.yaml")
  expect(Object.keys(file.properties).toSorted()).toEqual(
    ["pipeline", "config", "start", "playable", "tasks"].toSorted(),
  )
  for (const task of example.tasks) {
    for (const key of Object.keys(task)) expect(file.$defs.task.properties).toHaveProperty(key)
  }
})
