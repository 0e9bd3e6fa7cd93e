/** Each mistake has its sentence, and only that one. */
import { describe, expect, test } from "bun:test"
import { Result } from "effect"
import { type Pipeline, readPipeline, type TaskDefinition } from "./pipeline.ts"
import { checkPipeline } from "./pipeline-check.ts"
import { builtInTypes, defineTask } from "./task-types.ts"

const types = [
  ...builtInTypes,
  defineTask("Fingerprint", { source: "source", media: "media" }, { fingerprint: "fingerprint" }),
]
const read = async (name: string) =>
  Result.getOrThrow(
    readPipeline(Bun.YAML.parse(await Bun.file(`${import.meta.dir}/${name}`).text())),
  )
const builtIn = await read("default.yaml")
const fingerprint: TaskDefinition = {
  name: "fingerprint",
  type: "Fingerprint",
  input: { source: "$config.source", media: "$context.media" },
}
const given: Pipeline = { ...builtIn, tasks: [...builtIn.tasks, fingerprint] }

const mistakesOf = (pipeline: Pipeline) =>
  checkPipeline(pipeline, types).map((sentence) => sentence.replace(/^pipeline "[a-z-]+": /, ""))
const changed = (name: string, to: Partial<TaskDefinition>) =>
  mistakesOf({
    ...given,
    tasks: given.tasks.map((task) => (task.name === name ? { ...task, ...to } : task)),
  })
const withInput = (name: string, to: TaskDefinition["input"]) => {
  const task = given.tasks.find((other) => other.name === name)
  return changed(name, { input: { ...task?.input, ...to } })
}

test("a sound pipeline has no mistakes", () => {
  expect(mistakesOf(given)).toEqual([])
})

describe("a sentence names the task and", () => {
  test("its unknown type", () => {
    expect(changed("fingerprint", { type: "Fingerprnt" })).toEqual([
      'task "fingerprint" has type "Fingerprnt", which is not registered; did you mean "Fingerprint"?',
    ])
  })
  test("the input it lacks", () => {
    const input = { media: "$context.media", index: "$context.index" }
    expect(changed("encode-audio", { input })).toEqual([
      'task "encode-audio" lacks input "source" (source), which type "EncodeAudio" needs',
    ])
  })
  test("the input it does not take", () => {
    expect(withInput("encode-audio", { souce: "x" })).toEqual([
      'task "encode-audio" gives input "souce", which type "EncodeAudio" does not take; did you mean "source"?',
    ])
  })
  test("the kinds that differ", () => {
    expect(withInput("encode-audio", { source: "$context.chunks" })).toEqual([
      'task "encode-audio" takes input "source" of type source, but $context.chunks is chunk* (from task "split")',
    ])
  })
  test("what no task writes", () => {
    expect(withInput("encode-audio", { media: "$context.medea" })).toEqual([
      'task "encode-audio" reads $context.medea, which no task writes; did you mean "$context.media"?',
    ])
  })
  test("what is not declared", () => {
    expect(withInput("inspect", { source: "$config.sorce" })).toEqual([
      'task "inspect" reads $config.sorce, which the pipeline does not declare; did you mean "$config.source"?',
    ])
  })
  test("the output its type does not give", () => {
    expect(changed("split", { output: { chunks: "it.chunk" } })).toEqual([
      'task "split" has no output "it.chunk"; type "Split" gives it.chunks',
    ])
  })
  test("who else writes the same", () => {
    const twice = { thumbnails: "it.storyboard", storyboard: "it.storyboard" }
    expect(changed("storyboard", { output: twice })).toEqual([
      'tasks "thumbnails" and "storyboard" both write $context.thumbnails',
    ])
  })
  test("what is not a stream", () => {
    expect(changed("encode-video", { each: "$context.media" })).toContain(
      'task "encode-video" runs for each of $context.media, which is media, not a stream',
    )
  })
  test("the piece it takes without having one", () => {
    expect(withInput("encode-audio", { media: "$each" })).toEqual([
      'task "encode-audio" takes $each for input "media", but has no "each"',
    ])
  })
  test("the circle it waits in", () => {
    expect(changed("package", { next: ["split"] })).toEqual([
      "tasks wait for each other: split -> encode-video -> package -> split",
      "tasks wait for each other: split -> extract-text -> package -> split",
    ])
  })
  test("the next that is no task", () => {
    expect(changed("inspect", { next: ["publsh"] })).toEqual([
      'task "inspect" names next "publsh", which is not a task; did you mean "publish"?',
    ])
  })
  test("what comes later than itself", () => {
    expect(changed("thumbnails", { later: true })).toEqual([
      'task "publish" waits for "thumbnails", which comes later',
    ])
    expect(mistakesOf({ ...given, playable: ["storyboard"] })).toEqual([])
  })
  test("its double", () => {
    expect(changed("fingerprint", { name: "thumbnails" })).toEqual([
      'two tasks are named "thumbnails" (tasks 6 and 10)',
    ])
  })
  test("that no path leads to it", async () => {
    const example = await read("download-transcode.yaml")
    const lonely = { name: "lonely", type: "Download", input: { url: "$config.url" } }
    expect(checkPipeline({ ...example, tasks: [...example.tasks, lonely] }, types)).toEqual([
      'pipeline "download-transcode": task "lonely" is unreachable: no path leads to it from "download-input"',
    ])
  })
  test("what is playable but no task", () => {
    expect(mistakesOf({ ...given, playable: ["encode-vide"] })).toEqual([
      '"encode-vide" is not a task; did you mean "encode-video"?',
    ])
  })
  test("that it has too many groups", () => {
    const groups = Array.from({ length: 60 }, (_, index) => `g${index}`)
    expect(changed("encode-video", { groups })).toEqual([
      "it has 69 steps with all groups; at most 64",
    ])
  })
})

test("all mistakes are told at once", () => {
  const tasks = given.tasks.map((task) => ({ ...task, type: `${task.type}X` }))
  expect(mistakesOf({ ...given, tasks })).toHaveLength(given.tasks.length)
})
