import { test } from "bun:test"
import { AccountId, ChannelId, Timestamp } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { spec } from "#domain/testing.ts"
import { ChannelNotFound, channel } from "./channel.ts"
import type { ChannelEvent } from "./events.ts"

const { given } = spec(channel)
const of = { channelId: ChannelId.make("main"), at: Timestamp.make(1_700_000_000_000) }
const opened: ChannelEvent = {
  ...{ _tag: "ChannelOpened", ...of, accountId: AccountId.make("owner") },
  name: Sealed.make(`v1.owner.${"A".repeat(40)}`),
}
const pipeline = { text: "pipeline: own", tree: { pipeline: "own" } }
const chosen: ChannelEvent = { _tag: "PipelineChosen", ...of, actor: "owner", pipeline }
const reset: ChannelEvent = { ...chosen, pipeline: null }

test("a channel chooses a pipeline, and the built-in one again", () => {
  given(opened)
    .when({ _tag: "ChoosePipeline", ...of, actor: "owner", pipeline })
    .thenRecords(chosen)
  given(opened, chosen)
    .when({ _tag: "ChoosePipeline", ...of, actor: "owner", pipeline: null })
    .thenRecords(reset)
})

test("what is chosen already is chosen once", () => {
  given(opened, chosen)
    .when({ _tag: "ChoosePipeline", ...of, actor: "owner", pipeline })
    .thenNothing()
  given(opened)
    .when({ _tag: "ChoosePipeline", ...of, actor: "owner", pipeline: null })
    .thenNothing()
  given(opened, chosen, reset)
    .when({ _tag: "ChoosePipeline", ...of, actor: "owner", pipeline: null })
    .thenNothing()
})

test("a channel that nobody opened has none", () => {
  given()
    .when({ _tag: "ChoosePipeline", ...of, actor: "owner", pipeline })
    .thenRejects(new ChannelNotFound({ channelId: "main" }))
})
