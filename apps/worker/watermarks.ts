/** Watermarks that channels have set: an image or a text becomes the picture that their videos are made with. */
import { Effect } from "effect"
import { type ChannelCommand, channel } from "#domain/channel/channel.ts"
import { watermark, watermarkSource } from "#domain/keys.ts"
import { execute } from "#infra/event-store/execute.ts"
import type { Group } from "#infra/event-store/port.ts"
import { MediaTools } from "#infra/media/port.ts"
import { madeAnew } from "./made-anew.ts"
import { keepRef } from "./objects.ts"
import { Scratch } from "./scratch.ts"

const watermarksGroup: Group = {
  name: "watermarks",
  filter: { types: ["WatermarkSet"] },
  maxRetryCount: 8,
  messageTimeoutMillis: 300_000,
}

export const watermarks = madeAnew(watermarksGroup, ({ event }) => {
  if (event._tag !== "WatermarkSet" || event.watermark === null) return undefined
  const { channelId, watermark: wish } = event
  const { mark, kind } = wish
  return {
    source: watermarkSource(channelId, mark),
    make: Effect.fnUntraced(function* (bytes, at) {
      const media = yield* MediaTools
      const directory = yield* (yield* Scratch).directory(`watermark-${channelId}-${mark}`)
      const { data, width, height } = yield* media.mark({ bytes, kind, directory })
      const kept = yield* keepRef(watermark(channelId, mark), data, "image/png")
      const image = { ...kept, width, height }
      const command: ChannelCommand = { _tag: "ShowWatermark", channelId, mark, image, at }
      return command
    }, Effect.scoped),
    refuse: (code, at): ChannelCommand => ({ _tag: "RefuseWatermark", channelId, mark, code, at }),
    tell: (command, cause) => execute(channel, command, cause),
  }
})
