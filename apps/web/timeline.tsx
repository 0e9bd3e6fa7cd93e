/** @jsxImportSource preact */
/**
 * The timeline as the server draws it: lanes in SVG by per cent, a range input over them as the
 * playhead, and the list of all events, each a link to that moment. All of it works without
 * script; the island `islands/timeline.ts` makes the playhead move the panel.
 */
import { Icon } from "./icons.tsx"
import { type Act, type Bar, type Life, type Moment, within } from "./life.ts"
import { MomentPanel, sentence } from "./moment.tsx"
import { position } from "./tongue.ts"
import type { Visit } from "./visit.ts"

const percent = (value: number) => `${Math.round(value * 100) / 100}%`
/** Lanes lie 1 rem apart under the thread. */
const laneTop = (index: number) => `${2.3 + index}rem`

const Mark = ({ moment, act }: { readonly moment: Moment; readonly act: Act }) => {
  const x = percent(within(act, moment.recordedAt))
  const shape = (path: string, name: string) => (
    <svg x={x} y="1rem" overflow="visible" aria-hidden="true">
      <path class={name} d={path} />
    </svg>
  )
  switch (moment.event._tag) {
    case "VideoCreated":
      return <circle class="mark" cx={x} cy="1rem" r="5" />
    case "VideoPlayable":
      return <circle class="mark on" cx={x} cy="1rem" r="5" />
    case "VideoPublished":
    case "VideoReinstated":
      return shape("M0-7 7 0 0 7-7 0z", "mark on")
    case "VideoDetailsChanged":
      return shape("M0-9V9", "tick")
    case "VideoFailed":
    case "VideoTakenDown":
      return shape("M-5.5-5.5h11v11h-11z", "mark bad")
    default:
      return null
  }
}

/** The thread tells who could watch: grey nobody yet, ink yes, dotted closed. */
const Thread = ({ act, playableAt }: { readonly act: Act; readonly playableAt: number }) => {
  const rect = (name: string, from: number, to: number) =>
    to <= from ? null : (
      <rect
        class={name}
        x={percent(from)}
        width={percent(to - from)}
        y="0.88rem"
        height="0.24rem"
      />
    )
  if (act.kind === "held") {
    return <line class="thread off" x1="0" x2="100%" y1="1rem" y2="1rem" />
  }
  if (act.kind === "open") return rect("thread", 0, 100)
  const from = playableAt > act.to ? 100 : within(act, playableAt)
  return (
    <>
      {rect("thread hid", 0, from)}
      {rect("thread", from, 100)}
    </>
  )
}

const Bars = (props: {
  readonly act: Act
  readonly bars: ReadonlyArray<Bar>
  readonly lanes: ReadonlyArray<string>
}) => {
  const { act, bars, lanes } = props
  if (act.kind !== "made") {
    const name = act.kind === "held" ? "gone" : "keep"
    return (
      <>
        {lanes.slice(1).map((lane, index) => (
          <rect
            key={lane}
            class={name}
            x="0%"
            width="100%"
            y={`${3.5 + index}rem`}
            height="0.2rem"
          />
        ))}
      </>
    )
  }
  const shown = bars.filter(({ to, from }) => to >= act.from && from <= act.to)
  return (
    <>
      {shown.map(({ lane, kind, from, to }) => {
        const [x, end] = [within(act, from), within(act, to)]
        const width = Math.max(0.4, end - x - 0.2)
        return (
          <rect
            key={`${lane} ${from} ${to}`}
            class={kind}
            x={percent(x)}
            width={percent(width)}
            y={laneTop(lanes.indexOf(lane))}
            height="0.6rem"
          />
        )
      })}
    </>
  )
}

const actTitle = (visit: Visit, { kind, again, first }: Act, life: Life) => {
  const { t } = visit.tongue
  const begin = life.moments[first]
  if (kind === "made") return t(again ? "act.madeAgain" : "act.made")
  if (kind === "held") return t(begin?.event._tag === "VideoFailed" ? "act.failed" : "act.held")
  if (begin?.facts.visibility !== "public") return t("act.ready")
  return t(again ? "act.openAgain" : "act.open")
}

const actSub = (visit: Visit, act: Act, index: number, isLast: boolean) => {
  const { t, span, day } = visit.tongue
  const told = { span: span(act.to - act.from), day: day(act.from) }
  if (index === 0 && !isLast) return t("act.begun", told)
  return t(isLast ? "act.since" : "act.lasted", told)
}

const lanesOf = (life: Life): ReadonlyArray<string> => [
  "parts",
  ...life.rungs,
  ...(life.hasAudio ? ["audio"] : []),
]

export const Acts = (props: { readonly visit: Visit; readonly life: Life }) => {
  const { visit, life } = props
  const lanes = lanesOf(life)
  const playable = life.moments.find(({ event }) =>
    ["VideoPlayable", "VideoPublished"].includes(event._tag),
  )
  return (
    <ol class="acts">
      {life.acts.map((act, index) => (
        <li key={act.from} class={`act ${act.kind}`}>
          <p>
            <b>{actTitle(visit, act, life)}</b>
            {actSub(visit, act, index, index === life.acts.length - 1)}
          </p>
          <svg aria-hidden="true">
            <Bars act={act} bars={life.bars} lanes={lanes} />
            <Thread act={act} playableAt={playable?.recordedAt ?? Number.POSITIVE_INFINITY} />
            {life.moments
              .filter((moment) => moment.act === index)
              .map((moment) => (
                <Mark key={moment.position} moment={moment} act={act} />
              ))}
            {index === life.acts.length - 1 ? (
              <circle class="mark now" cx="100%" cy="1rem" r="5" />
            ) : null}
          </svg>
        </li>
      ))}
    </ol>
  )
}

const Names = ({ visit, life }: { readonly visit: Visit; readonly life: Life }) => (
  <ul class="names" aria-hidden="true">
    {lanesOf(life).map((lane) => (
      <li key={lane}>
        {lane === "parts" || lane === "audio" ? visit.tongue.t(`lane.${lane}`) : lane}
      </li>
    ))}
  </ul>
)

const Legend = ({ visit }: { readonly visit: Visit }) => {
  const { t } = visit.tongue
  return (
    <ul class="legend">
      <li>
        <svg aria-hidden="true">
          <circle class="mark" cx="7" cy="7" r="4.5" />
        </svg>
        {t("legend.created")}
      </li>
      <li>
        <svg aria-hidden="true">
          <circle class="mark on" cx="7" cy="7" r="4.5" />
        </svg>
        {t("legend.playable")}
      </li>
      <li>
        <svg aria-hidden="true">
          <path class="mark on" d="M7 1 13 7 7 13 1 7z" />
        </svg>
        {t("legend.published")}
      </li>
      <li>
        <svg aria-hidden="true">
          <path class="tick" d="M7 0v14" />
        </svg>
        {t("legend.edited")}
      </li>
      <li>
        <svg aria-hidden="true">
          <path class="mark bad" d="M2 2h10v10H2z" />
        </svg>
        {t("legend.closed")}
      </li>
    </ul>
  )
}

interface Timeline {
  readonly visit: Visit
  readonly life: Life
  readonly texts: ReadonlyMap<string, string>
  /** The moment the page stands at; `undefined`: now. */
  readonly at: string | undefined
  /** Of the log, now. */
  readonly position: string
  readonly current: number
  readonly isSlim?: boolean
}

export const Timeline = ({ visit, life, texts, at, current, isSlim, ...now }: Timeline) => {
  const { t, moment: tell } = visit.tongue
  const isNow = at === undefined
  const here = life.moments[current]
  const x = isNow ? 100 : (here?.x ?? 100)
  const when = isNow
    ? t("life.now", { position: position(now.position) })
    : t("life.then", {
        time: tell(here?.recordedAt ?? 0),
        position: position(here?.position ?? ""),
      })
  const said = isNow || here === undefined ? when : `${when}, ${sentence(visit.tongue, here)}`
  const slim = isSlim ? " slim" : ""
  return (
    <section
      class={`life l${Math.min(9, lanesOf(life).length)}${slim}`}
      aria-labelledby="life"
      data-life
    >
      <div class="life-top">
        <h2 id="life">{t("life.title")}</h2>
        <output data-then="when">{when}</output>
        <button type="button" class="btn bare" data-show hidden aria-expanded={!isSlim}>
          {t(isSlim ? "life.showLanes" : "life.hideLanes")}
        </button>
        <button type="button" class="btn bare sq" data-step="-1" hidden aria-label={t("life.back")}>
          <Icon name="previous" />
        </button>
        <button type="button" class="btn bare sq" data-step="1" hidden aria-label={t("life.ahead")}>
          <Icon name="next" />
        </button>
      </div>
      <div class="life-scroll">
        <div class="life-in">
          <Names visit={visit} life={life} />
          <div class="track">
            <Acts visit={visit} life={life} />
            <div class="later" />
            <input
              class="scrub"
              type="range"
              min="0"
              max="100"
              step="0.01"
              value={String(Math.round(x * 100) / 100)}
              aria-label={t("life.scrub")}
              aria-valuetext={said}
              aria-describedby="life-keys"
              autocomplete="off"
            />
            <span class="hide" id="life-keys">
              {t("life.keys")}
            </span>
          </div>
        </div>
      </div>
      <Legend visit={visit} />
      <MomentPanel
        visit={visit}
        life={life}
        texts={texts}
        current={current}
        isNow={isNow}
        nowPosition={now.position}
      />
    </section>
  )
}
