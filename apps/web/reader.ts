/**
 * What the pages ask of the platform. It is implemented over the read models and the log; the pages
 * never write: whatever a visitor does, the browser asks the HTTP API for. Texts about people come
 * sealed and are opened one by one, so that an erased one leaves a page with a gap, not an error.
 */
import { type Effect, Schema } from "effect"
import type { DomainEvent, Unreadable } from "#domain/events.ts"
import type { Sealed } from "#domain/sealed.ts"
import type { TakedownReason, Visibility } from "#domain/video/events.ts"

/** The furthest a video has come. */
export type VideoState =
  | "uploading"
  | "processing"
  | "playable"
  | "published"
  | "failed"
  | "taken-down"

/** A still picture with its copies, smallest first; complete addresses at the edge, like all of media here. */
export interface Still {
  /** JPEG, for who takes nothing else. */
  readonly url: string
  readonly width: number
  readonly height: number
  readonly files: ReadonlyArray<{
    readonly url: string
    readonly width: number
    readonly format: "jpeg" | "webp"
  }>
}

export interface VideoCard {
  readonly videoId: string
  readonly channelId: string
  readonly channelName: Sealed | null
  readonly title: Sealed
  readonly visibility: Visibility
  readonly state: VideoState
  readonly durationSeconds: number | null
  readonly still: Still | null
  readonly createdAt: number
  readonly publishedAt: number | null
}

export interface StudioRow extends VideoCard {
  /** Height of the top rung. */
  readonly height: number | null
  readonly byteLength: number | null
  readonly failureCode: string | null
}

interface RenditionRow {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly codecs: string
  /** Measured on the whole rendition; its cap while it is made. */
  readonly bitsPerSecond: number
  readonly byteLength: number | null
}

/** A video at one position of the log: now, or at a moment in its past. */
export interface VideoPage extends StudioRow {
  readonly description: Sealed | null
  /** Of the stream `video-{id}`: what `If-Match` names. */
  readonly revision: number
  /** The position this row is true for. */
  readonly position: string
  readonly takedownReason: TakedownReason | null
  /** `null`: nothing can be watched at this moment. */
  readonly hlsUrl: string | null
  /** What it may be shown by: `choice` is the number of one that the platform made, `null` of an own one. */
  readonly stills: ReadonlyArray<{
    readonly still: Still
    readonly choice: number | null
    readonly isShown: boolean
  }>
  /** WebVTT of the storyboard. */
  readonly storyboardUrl: string | null
  readonly fileName: Sealed | null
  readonly source: {
    readonly width: number
    readonly height: number
    readonly framesPerSecond: number
    readonly codec: string
    readonly hasAudio: boolean
  } | null
  /** Highest first. */
  readonly renditions: ReadonlyArray<RenditionRow>
}

/** An event as the log holds it. */
export interface Told {
  readonly position: string
  readonly stream: string
  readonly revision: number
  /** When the store recorded it. */
  readonly recordedAt: number
  readonly actor: string
  readonly event: DomainEvent | Unreadable
}

/** One thing a moderator did. */
export interface ModerationRow {
  readonly videoId: string
  readonly title: Sealed | null
  readonly action: "taken-down" | "reinstated"
  readonly reason: TakedownReason | null
  readonly actor: string
  readonly at: number
  readonly position: string
  /** The takedown that keeps the video closed now. */
  readonly isInForce: boolean
}

export interface QueuesView {
  readonly cell: string
  readonly epoch: number
  readonly tick: number
  readonly position: string
  /** How many are ready, and the ones that come first. */
  readonly readyCount: number
  readonly ready: ReadonlyArray<{
    readonly taskId: string
    readonly videoId: string
    readonly type: string
    readonly because: "first-seconds" | "fair-share" | "retry" | "nobody-can"
  }>
  readonly workers: ReadonlyArray<{
    readonly worker: string
    readonly can: ReadonlyArray<string>
    readonly slots: number
    readonly busy: number
    readonly isStopping: boolean
  }>
  readonly running: ReadonlyArray<{
    readonly taskId: string
    readonly videoId: string
    readonly worker: string
    readonly attempt: number
    readonly ticksLeft: number
    readonly leaseTicks: number
  }>
  readonly completion: {
    readonly backlog: number
    readonly inFlight: number
    readonly parked: ReadonlyArray<{
      readonly position: string
      readonly type: string
      readonly videoId: string
      /** 0: nobody knows. */
      readonly tries: number
    }>
  }
  /** Events that a read model could not take. */
  readonly setAside: ReadonlyArray<{
    readonly position: string
    readonly type: string
    readonly videoId: string
    readonly model: string
  }>
  readonly models: ReadonlyArray<{
    readonly name: string
    readonly position: string
    readonly isBehind: boolean
  }>
}

export interface Dependency {
  readonly name: string
  readonly isReady: boolean
}

export interface Session {
  readonly accountId: string
  readonly channelId: string
  readonly name: Sealed | null
}

interface Listed<Row> {
  readonly rows: ReadonlyArray<Row>
  /** Where the next page begins; `null`: this is the last. */
  readonly next: string | null
}

/** A page of a list, at least as new as the position `after`. */
export interface Asked {
  readonly cursor?: string
  readonly after?: string
}

export class ReaderUnavailable extends Schema.TaggedError<ReaderUnavailable>()(
  "ReaderUnavailable",
  { cause: Schema.Defect() },
) {}

type Read<A> = Effect.Effect<A, ReaderUnavailable>

export interface Reader {
  /** Public videos that can be watched, newest first. */
  readonly home: (asked: Asked) => Read<Listed<VideoCard>>
  /** All videos of a channel, newest first. */
  readonly studio: (channelId: string, asked: Asked) => Read<Listed<StudioRow>>
  /** `null`: nobody ever created it, or not yet at that moment. `at` is a position. */
  readonly video: (
    videoId: string,
    asked: { readonly at?: string; readonly after?: string },
  ) => Read<VideoPage | null>
  /** Every event of the video from all its streams, in the order of the log. */
  readonly history: (videoId: string) => Read<ReadonlyArray<Told>>
  /** Takedowns and reinstatements, newest first. */
  readonly moderation: (asked: Asked) => Read<Listed<ModerationRow>>
  readonly queues: () => Read<QueuesView>
  readonly readiness: () => Effect.Effect<ReadonlyArray<Dependency>>
  /** `null`: the text was erased. */
  readonly open: (text: Sealed) => Read<string | null>
  /** The session a cookie stands for; `null`: none, ended or forged. */
  readonly session: (token: string) => Read<Session | null>
  /** Spends a one-time code; `null`: unknown, spent or expired. */
  readonly signIn: (
    code: string,
  ) => Read<{ readonly token: string; readonly maxAgeSeconds: number } | null>
  readonly signOut: (token: string) => Read<void>
}
