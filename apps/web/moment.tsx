/** @jsxImportSource preact */
/** What was true at a moment, what had happened, and the list of all moments, each a link. */
import type { ComponentChildren } from "preact"
import { Icon } from "./icons.tsx"
import type { Life, Moment, Then } from "./life.ts"
import { position, type Tongue } from "./tongue.ts"
import type { Visit } from "./visit.ts"

/** What happened, as a sentence. */
export const sentence = ({ t, bytes }: Tongue, { event }: Moment): string => {
  switch (event._tag) {
    case "UploadRequested":
      return t("event.UploadRequested", {
        count: event.parts.length,
        size: bytes(event.byteLength),
      })
    case "PartsReceived": {
      const names = event.parts.map(({ number }) => number)
      const list = names.length > 4 ? `${names.slice(0, 3).join(", ")} …` : names.join(", ")
      return t("event.PartsReceived", { count: names.length, parts: list })
    }
    case "TaskEmitted":
      return t("event.TaskEmitted", {
        task: taskName(event.taskId),
        count: event.pieces.length,
      })
    case "TaskSucceeded":
    case "TaskReleased":
      return t(`event.${event._tag}`, { task: taskName(event.taskId) })
    case "TaskFailed":
      return t("event.TaskFailed", { task: taskName(event.taskId), code: event.code })
    case "VideoFailed":
    case "TranscodeFailed":
    case "ThumbnailRefused":
      return t(`event.${event._tag}`, { code: event.code })
    case "VideoTakenDown":
    case "TakedownOrdered":
      return t(`event.${event._tag}`, { reason: t(`reason.${event.reason}`) })
    case "Unreadable":
      return t("event.Unreadable", { type: event.type })
    case "VideoCreated":
    case "VideoDetailsChanged":
    case "ThumbnailChosen":
    case "ThumbnailUploaded":
    case "ThumbnailMade":
    case "VideoPlayable":
    case "VideoPublished":
    case "VideoExtended":
    case "VideoReinstated":
    case "RenditionsRequested":
    case "UploadCompleted":
    case "UploadExpired":
    case "TranscodePlanned":
    case "TranscodeCancelled":
    case "TranscodePlayable":
    case "TranscodeCompleted":
    case "TranscodeExtended":
    case "TakedownLifted":
      return t(`event.${event._tag}`)
    default:
      return event._tag
  }
}

/** `{video}.{run}/encode-video:r1/0` is told as `encode-video:r1/0`. */
export const taskName = (taskId: string) => taskId.slice(taskId.indexOf("/") + 1)

const typeOf = ({ event }: Moment) => (event._tag === "Unreadable" ? event.type : event._tag)
const streamOf = ({ stream, revision }: Moment) =>
  `${stream.slice(0, stream.indexOf("-"))} @ ${revision}`

const titleOf = (visit: Visit, texts: ReadonlyMap<string, string>, facts: Then) =>
  facts.title === null ? "" : (texts.get(facts.title) ?? visit.tongue.t("text.erased"))

const receivedOf = ({ tongue }: Visit, facts: Then) =>
  tongue.t("then.parts", {
    received: facts.partsReceived,
    count: facts.partCount,
    bytes: tongue.bytes(facts.bytesReceived),
    size: tongue.bytes(facts.byteLength),
  })

const readyText = ({ tongue }: Visit, seconds: number, facts: Then) => {
  if (seconds <= 0) return tongue.t("then.notYet")
  const isWhole = facts.durationSeconds > 0 && seconds >= facts.durationSeconds - 0.5
  return isWhole
    ? tongue.t("then.whole")
    : tongue.t("then.readyTo", { time: tongue.clock(seconds) })
}

/** Only what changed since the moment before is written; the island carries the rest along. */
const changedSince = (
  now: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>> | undefined,
) => Object.fromEntries(Object.entries(now).filter(([name, text]) => before?.[name] !== text))

const factsOf = (visit: Visit, life: Life, texts: ReadonlyMap<string, string>, moment: Moment) => {
  const { facts } = moment
  const { t } = visit.tongue
  return {
    "data-state": t(`then.${facts.state}`),
    "data-title": titleOf(visit, texts, facts),
    "data-visible": facts.visibility === null ? "" : t(`visibility.${facts.visibility}`),
    "data-got": receivedOf(visit, facts),
    "data-ready": life.rungs.map((rung) => facts.ready[rung] ?? 0).join(" "),
    "data-told": life.rungs
      .map((rung) => readyText(visit, facts.ready[rung] ?? 0, facts))
      .join("|"),
    "data-type": typeOf(moment),
    "data-stream": streamOf(moment),
    "data-by": moment.actor,
  }
}

const Log = (props: {
  readonly visit: Visit
  readonly life: Life
  readonly texts: ReadonlyMap<string, string>
  readonly current: number
  readonly isNow: boolean
  readonly nowPosition: string
}) => {
  const { visit, life, current, isNow, nowPosition } = props
  const { t, moment: tell } = visit.tongue
  const facts = life.moments.map((moment) => factsOf(visit, life, props.texts, moment))
  return (
    <details class="log">
      <summary>
        <Icon name="down" />
        {t("life.all", { count: life.moments.length })}
      </summary>
      <ol>
        {life.moments.map((moment, index) => (
          <li key={moment.position}>
            <a
              href={`?at=${moment.position}`}
              aria-current={!isNow && index === current ? "true" : undefined}
              data-x={String(Math.round(moment.x * 100) / 100)}
              data-act={String(moment.act)}
              {...changedSince(facts[index] ?? {}, facts[index - 1])}
            >
              <span class="mono">{position(moment.position)}</span>
              <time dateTime={new Date(moment.recordedAt).toISOString()}>
                {tell(moment.recordedAt)}
              </time>
              <span>{sentence(visit.tongue, moment)}</span>
            </a>
          </li>
        ))}
        <li>
          <a
            href={visit.href(visit.path)}
            aria-current={isNow ? "true" : undefined}
            data-x="100"
            data-act={String(life.acts.length - 1)}
            data-now
          >
            <span class="mono">{position(nowPosition)}</span>
            <time dateTime={new Date(life.now).toISOString()}>{tell(life.now)}</time>
            <span>{t("life.nowShort")}</span>
          </a>
        </li>
      </ol>
    </details>
  )
}

const Fact = (props: { readonly name: string; readonly children: ComponentChildren }) => (
  <>
    <dt>{props.name}</dt>
    <dd>{props.children}</dd>
  </>
)

export const MomentPanel = (props: Parameters<typeof Log>[0]) => {
  const { visit, life, texts, current, isNow } = props
  const { t } = visit.tongue
  const here = life.moments[current]
  if (here === undefined) return null
  const { facts } = here
  const mono = (name: string, text: string) => (
    <bdi class="mono" dir="ltr" data-then={name}>
      {text}
    </bdi>
  )
  return (
    <>
      <div class="then" data-panel hidden={isNow}>
        <div>
          <h3>{t("panel.then")}</h3>
          <p class="say" data-then="state">
            {t(`then.${facts.state}`)}
          </p>
          <ul class="rungs" data-then="rungs">
            {life.rungs.map((rung) => (
              <li key={rung}>
                <span class="mono">{rung}</span>
                <progress
                  class="bar"
                  max={Math.max(1, life.moments.at(-1)?.facts.durationSeconds ?? 1)}
                  value={facts.ready[rung] ?? 0}
                  aria-label={rung}
                />
                <span class="num">{readyText(visit, facts.ready[rung] ?? 0, facts)}</span>
              </li>
            ))}
          </ul>
          <dl class="facts">
            <Fact name={t("panel.title")}>
              <bdi data-then="title">{titleOf(visit, texts, facts)}</bdi>
            </Fact>
            <Fact name={t("panel.visible")}>
              <span data-then="visible">
                {facts.visibility === null ? "" : t(`visibility.${facts.visibility}`)}
              </span>
            </Fact>
            <Fact name={t("panel.received")}>
              <span data-then="got">{receivedOf(visit, facts)}</span>
            </Fact>
          </dl>
        </div>
        <div>
          <h3>{t("panel.what")}</h3>
          <p class="say" data-then="what">
            {sentence(visit.tongue, here)}
          </p>
          <dl class="facts">
            <Fact name={t("panel.event")}>{mono("type", typeOf(here))}</Fact>
            <Fact name={t("panel.position")}>{mono("pos", position(here.position))}</Fact>
            <Fact name={t("panel.stream")}>{mono("stream", streamOf(here))}</Fact>
            <Fact name={t("panel.by")}>
              <bdi data-then="by">{here.actor}</bdi>
            </Fact>
          </dl>
          <p>
            <a class="btn when" data-then="go" href={`?at=${here.position}`} hidden>
              {t("panel.go")}
            </a>
          </p>
        </div>
      </div>
      <Log {...props} />
    </>
  )
}
