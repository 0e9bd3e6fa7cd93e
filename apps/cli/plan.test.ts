import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer, Result, type Scope } from "effect"
import { stepsOf } from "#domain/transcode/pipeline.ts"
import { checkPipeline } from "#domain/transcode/pipeline-check.ts"
import { parseNotation } from "#domain/transcode/pipeline-notation.ts"
import { defineTask } from "#domain/transcode/task-types.ts"
import { MediaTools } from "#infra/media/port.ts"
import { fakePlatform } from "./fake-platform.ts"
import { stagesOf, tasksOf } from "./plan-stages.ts"
import { run } from "./run.ts"

const domain = `${import.meta.dir}/../../domain/transcode`

/** 20 s of 360p25: four pieces, two rungs. */
const film = {
  media: {
    ...{ demuxer: "mov", durationTicks: 1_800_000, targetDuration: 12, byteLength: 5 },
    video: {
      ...{ index: 0, codec: "h264", width: 640, height: 360 },
      ...{ framesPerSecond: 25, bitsPerSecond: null },
    },
    audio: { index: 1, codec: "aac", channels: 2, samplesPerSecond: 48_000 },
  },
  rungs: [240, 360].map((height, place) => ({
    ...{ name: `${height}p`, group: `r${place + 1}`, width: Math.round((height * 16) / 9), height },
    ...{ maxBitsPerSecond: height * 1000, codecs: "avc1.64001e" },
  })),
  index: new Uint8Array(),
}
const pieces = [0, 2, 4, 12].map((from, n, all) => {
  const to = all[n + 1] ?? 20
  const times = { from: from * 90_000, to: to * 90_000, keyPts: from * 90_000 }
  const groups = n < 2 ? ["r1", "r2"] : ["all"]
  return { piece: { n, ...times, frames: (to - from) * 25, groups }, ranges: null }
})
const mediaTools = Layer.mock(MediaTools, {
  sandbox: "bwrap",
  inspect: () => Effect.succeed({ ...film, cpuSeconds: 0, peakMebibytes: 0 }),
  split: () => Effect.succeed(pieces),
} as never)

const setUp = Effect.gen(function* () {
  const platform = fakePlatform()
  const url = yield* platform.start
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "cli-plan-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true })),
  )
  writeFileSync(join(directory, "platform.json"), JSON.stringify({ url, edgeUrl: url, pid: 1 }))
  writeFileSync(join(directory, "owner-token"), "token\n")
  writeFileSync(join(directory, "film.mp4"), "film!")
  const reelog = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
    const said = { out: "", err: "" }
    const code = yield* run([...args, "--data", directory], {
      version: "1",
      out: (text) => {
        said.out += text
      },
      err: (text) => {
        said.err += text
      },
      bars: undefined,
      stateDirectory: join(directory, "state"),
      mediaTools,
    })
    return { ...said, code, json: () => JSON.parse(said.out.trimEnd().split("\n").at(-1) ?? "") }
  })
  return { reelog, file: join(directory, "film.mp4") }
})
type SetUp = Effect.Success<typeof setUp>

const inside = (
  story: (all: SetUp) => Effect.Effect<void, unknown, Scope.Scope | NodeServices.NodeServices>,
) =>
  Effect.runPromise(
    Effect.flatMap(setUp, story).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  )

describe("a plan", () => {
  test("tells graph, stages, pieces, rungs and cost before anything is run", () =>
    inside(({ reelog, file }) =>
      Effect.gen(function* () {
        const { code, out } = yield* reelog("plan", file)
        expect(code).toBe(0)
        expect(out).toMatch(/^pipeline default: \d+ tasks, about \d+\.\d s of CPU\n/)
        expect(out).toMatch(/ inspect +Inspect +1 task +0\.\d s\n/)
        expect(out).toMatch(
          / encode-video +EncodeVideo +6 tasks +\d+\.\d s +after inspect, split\n/,
        )
        expect(out).toMatch(/\n {2}1 {2}inspect\n {2}2 {2}split/)
        expect(out).toContain("rungs: 2\n")
        expect(out).toMatch(/pieces: 4\n {2}0 {2}0\.000 s +2\.000 s +50 frames +r1 r2\n/)
      }),
    ))

  test("for a program is one line of JSON, the cost of all tasks in it", () =>
    inside(({ reelog, file }) =>
      Effect.gen(function* () {
        const plan = (yield* reelog("plan", file, "--json")).json()
        const sum = plan.tasks.reduce(
          (all: number, { cpuSeconds }: { cpuSeconds: number }) => all + cpuSeconds,
          0,
        )
        expect(plan.expectedCpuSeconds).toBeCloseTo(sum, 1)
        expect(plan.stages.flat().sort()).toEqual(
          plan.tasks.map(({ name }: { name: string }) => name).sort(),
        )
      }),
    ))

  test("is made with another pipeline, whose mistakes are told first", () =>
    inside(({ reelog, file }) =>
      Effect.gen(function* () {
        const yaml = `${domain}/download-transcode.yaml`
        const plan = (yield* reelog("plan", file, "--pipeline", yaml, "--json")).json()
        expect(plan).toMatchObject({
          ...{ pipeline: "download-transcode", taskCount: 2 },
          stages: [["download-input"], ["transcode"]],
        })
        const misspelt = `${domain}/download-transcode.dag`
        const told = yield* reelog("plan", file, "--pipeline", misspelt)
        expect(told.code).toBe(1)
        expect(told.out).toContain('"Downlaod", which is not registered; did you mean "Download"?')
        expect(told.err).toContain("pipeline_mistaken")
        const nowhere = yield* reelog("plan", file, "--pipeline", `${file}.yaml`, "--json")
        expect(nowhere.json()).toMatchObject({ code: "file_not_found" })
      }),
    ))

  test("of a video split into pictures, sound and facts has two stages: split, then all encoders at once", () => {
    const types = [
      defineTask("Split", { source: "source" }, { video: "video", audio: "audio", meta: "meta" }),
      defineTask("Encode", { video: "video", meta: "meta" }, { file: "file" }),
      defineTask("Thumbnail", { video: "video" }, { image: "image" }),
      defineTask("EncodeAudio", { audio: "audio" }, { file: "file" }),
    ]
    const pipeline = Result.getOrThrow(
      parseNotation(`
        config { source 'source' }
        task { name 'split' type 'Split' input { source config.source }
               output { it -> context.video = it.video  context.audio = it.audio  context.meta = it.meta } }
        task { name 'encode' type 'Encode' input { video context.video meta context.meta } }
        task { name 'thumbnail' type 'Thumbnail' input { video context.video } }
        task { name 'audio' type 'EncodeAudio' input { audio context.audio } }`),
    )
    expect(checkPipeline(pipeline, types)).toEqual([])
    const steps = stepsOf(pipeline, types)
    expect(stagesOf(steps)).toEqual([["split"], ["encode", "thumbnail", "audio"]])
    expect(tasksOf(steps, []).map(({ name, after }) => [name, after])).toEqual([
      ["split", []],
      ["encode", ["split"]],
      ["thumbnail", ["split"]],
      ["audio", ["split"]],
    ])
  })
})

describe("the pipeline of a channel", () => {
  test("is set from a file, shown as it was written, and given up", () =>
    inside(({ reelog }) =>
      Effect.gen(function* () {
        const yaml = `${domain}/download-transcode.yaml`
        const set = yield* reelog("pipeline", "set", yaml)
        expect(set.out).toContain("channel main: its own pipeline own")
        expect(set.out).toMatch(/ {2}all +Transcode +after get\n/)
        const shown = (yield* reelog("pipeline", "show", "--json")).json()
        expect(shown).toMatchObject({ isOwn: true, text: yield* textOf(yaml) })
        expect((yield* reelog("pipeline", "reset")).out).toContain("the built-in pipeline")
      }),
    ))

  test("with mistakes is refused, each in a line of its own", () =>
    inside(({ reelog }) =>
      Effect.gen(function* () {
        const told = yield* reelog("pipeline", "set", `${domain}/download-transcode.dag`)
        expect(told.code).toBe(1)
        expect(told.out).toBe("one mistake\nanother mistake\n")
        expect(told.err).toContain("pipeline_mistaken")
        const nowhere = yield* reelog("pipeline", "set", "/nowhere.yaml", "--json")
        expect(nowhere.json()).toMatchObject({ code: "file_not_found" })
      }),
    ))
})

describe("the watermark of a channel", () => {
  test("is a text or an image with its place, shown, and switched off", () =>
    inside(({ reelog }) =>
      Effect.gen(function* () {
        const text = yield* reelog("watermark", "text", "김민수", "--corner", "top-left", "--json")
        expect(text.json()).toMatchObject({
          watermark: { kind: "text", text: "김민수", corner: "top-left" },
        })
        const yaml = `${domain}/download-transcode.yaml`
        const image = yield* reelog("watermark", "image", yaml, "--size", "0.1", "--json")
        const bytes = (yield* textOf(yaml)).length
        expect(image.json()).toMatchObject({ watermark: { kind: "image", bytes, size: "0.1" } })
        expect((yield* reelog("watermark", "show")).out).toContain("image processing")
        expect((yield* reelog("watermark", "off")).out).toBe("channel main: no watermark\n")
      }),
    ))
})

const textOf = (path: string) => Effect.promise(() => Bun.file(path).text())
