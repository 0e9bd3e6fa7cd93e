/** @jsxImportSource preact */
/**
 * Operation: the three queues as they stand, who works, what runs on whose lease, what is parked,
 * how far the read models are behind. The part that moves is fetched again every two seconds.
 */
import { Effect } from "effect"
import type { ComponentChildren } from "preact"
import { documentOf, StudioTabs } from "../document.tsx"
import { State } from "../icons.tsx"
import { taskName } from "../moment.tsx"
import type { Dependency, QueuesView } from "../reader.ts"
import { SignInFirst } from "../refusals.ts"
import { position, type Tongue } from "../tongue.ts"
import type { Visit } from "../visit.ts"

const Table = (props: {
  readonly name: string
  readonly heads: ReadonlyArray<string>
  readonly empty: string
  readonly children: ReadonlyArray<ComponentChildren>
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the keyboard
  <section class="scroll" tabIndex={0} aria-label={props.name}>
    <table class="tab slimmer">
      <caption>{props.name}</caption>
      <thead>
        <tr>
          {props.heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.children.length > 0 ? (
          props.children
        ) : (
          <tr>
            <td class="muted" colSpan={props.heads.length}>
              {props.empty}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  </section>
)

const Ready = ({ tongue, queues }: { readonly tongue: Tongue; readonly queues: QueuesView }) => {
  const { t } = tongue
  return (
    <Table
      name={t("operation.ready", { count: queues.readyCount })}
      heads={[t("operation.task"), t("operation.because")]}
      empty={t("operation.nothingReady")}
    >
      {queues.ready.map(({ taskId, videoId, because }) => (
        <tr key={taskId}>
          <td>
            <b class="mono">{taskName(taskId)}</b>
            <div class="muted mono">{videoId}</div>
          </td>
          <td class={because === "nobody-can" ? "halt" : undefined}>{t(`because.${because}`)}</td>
        </tr>
      ))}
    </Table>
  )
}

const Slots = ({ slots, busy, name }: { slots: number; busy: number; name: string }) =>
  slots > 8 ? (
    <span>{name}</span>
  ) : (
    <span class="slots" role="img" aria-label={name}>
      {Array.from({ length: slots }, (_, index) => (
        <i key={index} class={index < busy ? "on" : undefined} />
      ))}
    </span>
  )

/** A worker that stops and has nothing left in hand is gone but for its name in the queue. */
const isHere = ({ busy, isStopping }: QueuesView["workers"][number]) => busy > 0 || !isStopping

const Workers = ({ tongue, queues }: { readonly tongue: Tongue; readonly queues: QueuesView }) => {
  const { t } = tongue
  return (
    <Table
      name={t("operation.workers")}
      heads={[t("operation.worker"), t("operation.slots"), t("operation.can")]}
      empty={t("operation.noWorker")}
    >
      {queues.workers.filter(isHere).map(({ worker, slots, busy, can, isStopping }) => (
        <tr key={worker}>
          <th scope="row" class="mono">
            {worker}
          </th>
          <td class="num">
            <Slots slots={slots} busy={busy} name={t("operation.busyOf", { busy, slots })} />
          </td>
          <td class="muted">{isStopping ? t("operation.draining") : can.join(", ")}</td>
        </tr>
      ))}
    </Table>
  )
}

const Running = ({ tongue, queues }: { readonly tongue: Tongue; readonly queues: QueuesView }) => {
  const { t } = tongue
  return (
    <Table
      name={t("operation.running")}
      heads={[t("operation.task"), t("operation.worker"), t("operation.lease")]}
      empty={t("operation.nothingRuns")}
    >
      {queues.running.map(({ taskId, videoId, worker, attempt, ticksLeft, leaseTicks }) => {
        const left = t("operation.ticksLeft", { left: ticksLeft, of: leaseTicks })
        return (
          <tr key={`${taskId} ${attempt} ${worker}`}>
            <td>
              <b class="mono">{taskName(taskId)}</b>
              <div class="muted mono">{videoId}</div>
            </td>
            <td class="mono">{worker}</td>
            <td>
              <progress class="bar" max={leaseTicks} value={ticksLeft} aria-label={left} />
              <span class="small muted num">{left}</span>
            </td>
          </tr>
        )
      })}
    </Table>
  )
}

const Parked = ({ tongue, queues }: { readonly tongue: Tongue; readonly queues: QueuesView }) => {
  const { t } = tongue
  const { backlog, inFlight, parked } = queues.completion
  return (
    <section class="card stack" aria-labelledby="completion">
      <h2 id="completion">{t("operation.completion")}</h2>
      <p>{t("operation.completionState", { backlog, inFlight })}</p>
      {parked.length === 0 ? <p class="muted">{t("operation.nothingParked")}</p> : null}
      <ul class="stack-s">
        {parked.map((message) => (
          <li key={message.position}>
            <b class="mono">{message.type}</b>{" "}
            <span class="muted">
              {t("operation.parked", {
                position: position(message.position),
                tries: message.tries,
              })}
            </span>
            <div class="muted mono">{message.videoId}</div>
          </li>
        ))}
      </ul>
    </section>
  )
}

const SetAside = ({ tongue, queues }: { readonly tongue: Tongue; readonly queues: QueuesView }) => {
  const { t } = tongue
  return (
    <section class="card stack" aria-labelledby="set-aside">
      <h2 id="set-aside">{t("operation.setAside")}</h2>
      <ul class="stack-s">
        {queues.setAside.map(({ model, type, videoId, ...event }) => (
          <li key={`${event.position} ${model}`}>
            <b class="mono">{type}</b>{" "}
            <span class="muted">
              {t("operation.setAsideBy", { position: position(event.position), model })}
            </span>
            <div class="muted mono">{videoId}</div>
          </li>
        ))}
      </ul>
    </section>
  )
}

const Brief = ({ tongue, queues }: { readonly tongue: Tongue; readonly queues: QueuesView }) => {
  const { t } = tongue
  const workers = queues.workers.filter(isHere)
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0)
  const busy = workers.reduce((sum, worker) => sum + worker.busy, 0)
  const isBehind = queues.models.some((model) => model.isBehind)
  const parked = queues.completion.parked.length
  return (
    <p class="brief">
      {t("brief.ready", { count: queues.readyCount })} {t("brief.slots", { busy, slots })}{" "}
      {t(isBehind ? "brief.behind" : "brief.current")}{" "}
      {parked === 0 ? null : <span class="halt">{t("brief.parked", { count: parked })}</span>}
    </p>
  )
}

const Lag = (props: {
  readonly tongue: Tongue
  readonly queues: QueuesView
  readonly parts: ReadonlyArray<Dependency>
}) => {
  const { t } = props.tongue
  return (
    <>
      <Table
        name={t("operation.models")}
        heads={[t("operation.model"), t("operation.reached")]}
        empty={t("operation.noModel")}
      >
        {props.queues.models.map(({ name, ...model }) => (
          <tr key={name}>
            <th scope="row" class="mono">
              {name}
            </th>
            <td class="num">{position(model.position)}</td>
          </tr>
        ))}
      </Table>
      <Table
        name={t("operation.parts")}
        heads={[t("operation.part"), t("studio.state")]}
        empty={t("operation.noPart")}
      >
        {props.parts.map(({ name, isReady }) => (
          <tr key={name}>
            <th scope="row" class="mono">
              {name}
            </th>
            <td>
              <State shape={isReady ? "open" : "shut"}>
                {t(isReady ? "operation.well" : "operation.away")}
              </State>
            </td>
          </tr>
        ))}
      </Table>
    </>
  )
}

export const operation = Effect.fn("operationPage")(function* (visit: Visit) {
  const { tongue, reader } = visit
  const { t } = tongue
  if (visit.session === null) return yield* new SignInFirst()
  const [queues, parts] = yield* Effect.all([reader.queues(), reader.readiness()])
  return documentOf(visit, {
    title: t("operation.title"),
    sheets: ["studio.css"],
    scripts: ["live"],
    children: (
      <>
        <StudioTabs visit={visit} />
        <div id="queues" data-fresh="2000" class="stack-l2">
          <div class="row far">
            <h1>{t("operation.title")}</h1>
            <p class="muted num">
              {t("operation.where", {
                cell: queues.cell,
                epoch: queues.epoch,
                position: position(queues.position),
              })}
            </p>
          </div>
          <Brief tongue={tongue} queues={queues} />
          <div class="three">
            <Ready tongue={tongue} queues={queues} />
            <Workers tongue={tongue} queues={queues} />
            <Running tongue={tongue} queues={queues} />
          </div>
          <div class="three">
            <Lag tongue={tongue} queues={queues} parts={parts} />
            <Parked tongue={tongue} queues={queues} />
            {queues.setAside.length === 0 ? null : <SetAside tongue={tongue} queues={queues} />}
          </div>
        </div>
      </>
    ),
  })
})
