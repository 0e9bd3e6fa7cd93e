/** The commands of `reelog`: their names, arguments and flags, and which function each one runs. */
import { Effect, Layer, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Corner } from "#domain/channel/watermark.ts"
import { TakedownReason } from "#domain/video/events.ts"
import type { MediaTools } from "#infra/media/port.ts"
import { api } from "./api.ts"
import {
  history,
  queue,
  rebuild,
  reinstate,
  remake,
  replay,
  show,
  takeDown,
  verify,
} from "./commands.ts"
import { findPlatform } from "./connection.ts"
import { resetPipeline, setPipeline, showPipeline } from "./pipelines.ts"
import { plan } from "./plan.ts"
import { upload } from "./upload.ts"
import { imageWatermark, removeWatermark, showWatermark, textWatermark } from "./watermarks.ts"

const root = Command.make("reelog").pipe(
  Command.withSharedFlags({
    data: Flag.String("data").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("Data directory of the platform; else REELOG_URL, else .reelog"),
      Flag.optional,
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("NDJSON for programs; the last line is the result"),
      Flag.withDefault(false),
    ),
  }),
  Command.withDescription("Upload videos, watch them being made, and replay what happened to them"),
)

const video = Argument.String("VIDEO").pipe(Argument.withDescription("Id of a video"))

/** The platform that the flags name. */
const platform = Layer.unwrap(Effect.map(root, ({ data }) => api(findPlatform(data))))

const uploadCommand = (stateDirectory: string) =>
  Command.make(
    "upload",
    {
      file: Argument.String("FILE"),
      title: Flag.String("title").pipe(Flag.withDescription("Else the file's name"), Flag.optional),
      wait: Flag.Literals("wait", ["uploaded", "playable", "published"]).pipe(
        Flag.withDescription("Return when this is in the log"),
        Flag.withDefault("uploaded" as const),
      ),
    },
    ({ file, title, wait }) =>
      upload({
        file,
        wait,
        title: Option.getOrUndefined(title),
        stateDirectory,
      }).pipe(Effect.provide(platform)),
  ).pipe(Command.withDescription("Upload a file; a begun upload is gone on with"))

const showCommand = Command.make("show", { video }, (given) =>
  Effect.provide(show(given.video), platform),
).pipe(Command.withDescription("A video as it is now"))

const historyCommand = Command.make("history", { video }, (given) =>
  Effect.provide(history(given.video), platform),
).pipe(Command.withDescription("Every event of a video, in the order of the log"))

const replayCommand = Command.make(
  "replay",
  {
    video,
    at: Flag.String("at").pipe(
      Flag.withMetavar("POSITION|TIME"),
      Flag.withDescription("The moment; else every turn of its life"),
      Flag.optional,
    ),
  },
  (given) => Effect.provide(replay(given.video, Option.getOrUndefined(given.at)), platform),
).pipe(Command.withDescription("A video as it was"))

const queueCommand = Command.make("queue", {}, () => Effect.provide(queue(), platform)).pipe(
  Command.withDescription("What is ready, running and waiting for completion"),
)

const channel = Flag.String("channel").pipe(
  Flag.withDescription("Id of a channel"),
  Flag.withDefault("main"),
)

const pipelineCommand = Command.make("pipeline").pipe(
  Command.withSubcommands([
    Command.make("show", { channel }, (given) =>
      Effect.provide(showPipeline(given.channel), platform),
    ).pipe(Command.withDescription("By which pipeline new videos are made, and its text")),
    Command.make("set", { file: Argument.String("FILE"), channel }, (given) =>
      Effect.provide(setPipeline(given.channel, given.file), platform),
    ).pipe(Command.withDescription("Make new videos by this one: YAML, JSON or task { … }")),
    Command.make("reset", { channel }, (given) =>
      Effect.provide(resetPipeline(given.channel), platform),
    ).pipe(Command.withDescription("Make new videos by the built-in one again")),
  ]),
  Command.withDescription("The pipeline of a channel"),
)

const share = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)
const placement = {
  corner: Flag.Literals("corner", Corner.literals).pipe(Flag.optional),
  opacity: share("opacity", "From 0.05 to 1: nothing shines through"),
  size: share("size", "Its height, as a share of the picture's shorter side"),
  margin: share("margin", "Between it and the edges, as a share of the shorter side"),
}

const watermarkCommand = Command.make("watermark").pipe(
  Command.withSubcommands([
    Command.make("show", { channel }, (given) =>
      Effect.provide(showWatermark(given.channel), platform),
    ).pipe(Command.withDescription("What new videos are marked with")),
    Command.make("text", { text: Argument.String("TEXT"), channel, ...placement }, (given) =>
      Effect.provide(textWatermark(given.channel, given.text, given), platform),
    ).pipe(Command.withDescription("Mark new videos with a line of text, in any script")),
    Command.make("image", { file: Argument.String("FILE"), channel, ...placement }, (given) =>
      Effect.provide(imageWatermark(given.channel, given.file, given), platform),
    ).pipe(Command.withDescription("Mark new videos with an image: JPEG, PNG, WebP or AVIF")),
    Command.make("off", { channel }, (given) =>
      Effect.provide(removeWatermark(given.channel), platform),
    ).pipe(Command.withDescription("Mark new videos no more")),
  ]),
  Command.withDescription("The watermark of a channel"),
)

const takedownCommand = Command.make(
  "takedown",
  {
    video,
    reason: Flag.Literals("reason", TakedownReason.literals).pipe(
      Flag.withDescription("Why; everybody may read it"),
    ),
  },
  (given) => Effect.provide(takeDown(given.video, given.reason), platform),
).pipe(Command.withDescription("Make a video unreachable"))

const remakeCommand = Command.make("remake", { video }, (given) =>
  Effect.provide(remake(given.video), platform),
).pipe(
  Command.withDescription("Make a published video anew, by its channel's pipeline and watermark"),
)

const reinstateCommand = Command.make("reinstate", { video }, (given) =>
  Effect.provide(reinstate(given.video), platform),
).pipe(Command.withDescription("Undo a takedown"))

const rebuildCommand = Command.make(
  "rebuild",
  { model: Flag.String("model").pipe(Flag.withDescription("One model; else all"), Flag.optional) },
  ({ model }) => Effect.provide(rebuild(Option.getOrUndefined(model)), platform),
).pipe(Command.withDescription("Rebuild read models from the log and compare them row by row"))

const verifyCommand = Command.make("verify", {}, () => Effect.provide(verify(), platform)).pipe(
  Command.withDescription("Check the invariants of everything the platform holds"),
)

/** Media programs are needed to plan, and only then made ready. */
export const reelog = <E>(mediaTools: Layer.Layer<MediaTools, E>, stateDirectory: string) =>
  root.pipe(
    Command.withSubcommands([
      uploadCommand(stateDirectory),
      showCommand,
      historyCommand,
      replayCommand,
      queueCommand,
      Command.make(
        "plan",
        {
          file: Argument.String("FILE"),
          pipeline: Flag.String("pipeline").pipe(
            Flag.withMetavar("FILE"),
            Flag.withDescription("A pipeline to plan with; else the built-in one"),
            Flag.optional,
          ),
        },
        ({ file, pipeline }) =>
          Effect.provide(plan(file, Option.getOrUndefined(pipeline)), mediaTools),
      ).pipe(
        Command.withDescription(
          "What the platform would do with a file: graph, stages, pieces, rungs, cost",
        ),
      ),
      pipelineCommand,
      watermarkCommand,
      takedownCommand,
      reinstateCommand,
      remakeCommand,
      rebuildCommand,
      verifyCommand,
    ]),
  )
