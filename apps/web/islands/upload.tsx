/** @jsxImportSource preact */
/** The upload page at work: files dropped or chosen become cards that tell how far each has come. */
import { signal } from "@preact/signals"
import { render } from "preact"
import { ask, errorText, tongue } from "./browser.ts"
import {
  follow,
  forget,
  type Kept,
  keptUploads,
  newUpload,
  type PartState,
  type Phase,
  send,
  type Upload,
} from "./upload-queue.ts"

const { t, bytes } = tongue
const root = document.querySelector<HTMLElement>("[data-uploads]")
const prefix = (root?.dataset.prefix ?? "/").replace(/\/$/, "")
const uploads = signal<ReadonlyArray<Upload>>([])
const unfinished = signal<ReadonlyArray<Kept>>(keptUploads())

const busy: ReadonlyArray<Phase> = ["starting", "sending", "offline"]

/** One file after the other: each gets all the lanes. */
const goOn = async () => {
  if (uploads.value.some(({ phase }) => busy.includes(phase.value))) return
  const next = uploads.value.find(({ phase }) => phase.value === "waiting")
  if (next === undefined) return
  await send(next, (videoId) => follow(next, videoId))
  await goOn()
}

const add = (files: Iterable<File>) => {
  const fresh = [...files].map(newUpload)
  const keys = new Set(fresh.map(({ kept }) => kept.key))
  uploads.value = [...uploads.value, ...fresh]
  unfinished.value = unfinished.value.filter(({ key }) => !keys.has(key))
  void goOn()
}

const again = (upload: Upload) => {
  upload.phase.value = "waiting"
  void goOn()
}

const remove = (upload: Upload) => {
  upload.abort.abort()
  forget(upload.kept.key)
  URL.revokeObjectURL(upload.pictureUrl)
  uploads.value = uploads.value.filter((other) => other !== upload)
}

const shapes: Readonly<Record<PartState, string | undefined>> = {
  waiting: undefined,
  sending: "sent",
  again: "again",
  done: "done",
}

const Strip = ({ upload }: { readonly upload: Upload }) => {
  const states = [...upload.parts.value.entries()].sort(([one], [other]) => one - other)
  const count = (state: PartState) => states.filter(([, other]) => other === state).length
  const received = count("done")
  const repeated = count("again")
  if (states.length === 0) return null
  const name = t("upload.strip", {
    ...{ received, count: states.length },
    ...{ sending: count("sending"), again: repeated },
  })
  return (
    <div class="stack-s">
      <div class="row far small">
        <span>
          {t("upload.parts")}{" "}
          <span class="muted num">
            {t("upload.partsOf", {
              ...{ received, count: states.length },
              ...{ bytes: bytes(upload.receivedBytes.value), size: bytes(upload.file.size) },
            })}
          </span>
        </span>
        {repeated === 0 ? null : (
          <span class="muted num">{t("upload.again", { count: repeated })}</span>
        )}
      </div>
      <div class="strip" role="img" aria-label={name}>
        {states.map(([number, state]) => (
          <i key={number} class={shapes[state]} />
        ))}
      </div>
    </div>
  )
}

const Lanes = ({ upload }: { readonly upload: Upload }) => {
  const rungs = upload.rungs.value
  if (rungs.length === 0) return null
  return (
    <div class="stack-s">
      <span class="small">{t("upload.renditions")}</span>
      <ul class="lanes">
        {rungs.map(({ rung, done, total }) => {
          const told = total === 0 ? t("upload.planned") : t("upload.piecesOf", { done, total })
          const width = 100 / Math.max(1, total)
          return (
            <li key={rung}>
              <span class="mono">{rung}</span>
              <svg role="img" aria-label={`${rung}: ${told}`}>
                <rect class="bed" width="100%" height="10" rx="2" />
                {Array.from({ length: done }, (_, index) => (
                  <rect
                    key={`${rung} ${index * width}`}
                    class="enc"
                    x={`${index * width}%`}
                    width={`${Math.max(0.3, width - 0.35)}%`}
                    height="10"
                    rx="1"
                  />
                ))}
              </svg>
              <span class="num">{told}</span>
            </li>
          )
        })}
      </ul>
    </div>
  )
}

const StateOf = ({ upload }: { readonly upload: Upload }) => {
  const phase = upload.phase.value
  const reached = upload.reached.value
  if (reached === "failed") return <span class="state shut">{t("state.failed")}</span>
  if (phase === "failed") return <span class="state shut">{t("upload.failed")}</span>
  if (reached === "closed") return <span class="state shut">{t("state.taken-down")}</span>
  if (reached === "published") return <span class="state open">{t("state.published")}</span>
  if (reached === "playable") return <span class="state live">{t("state.playable")}</span>
  if (phase === "completing") return <span class="state live">{t("upload.completing")}</span>
  return <span class="state part">{t(`upload.${phase}`)}</span>
}

const rename = async (upload: Upload, title: string, field: HTMLInputElement) => {
  const hint = field.parentElement?.querySelector(".hint")
  const { isDone, code } = await ask("PATCH", `/v1/videos/${upload.videoId.value}`, { title })
  if (hint) hint.textContent = isDone ? t("upload.saved") : errorText(code)
}

const Picture = ({ upload }: { readonly upload: Upload }) => (
  <div class="pic" aria-hidden="true">
    <video
      src={`${upload.pictureUrl}#t=2`}
      muted
      playsInline
      preload="metadata"
      tabIndex={-1}
      onError={({ currentTarget }) => currentTarget.remove()}
    />
  </div>
)

const Buttons = ({ upload }: { readonly upload: Upload }) => {
  const phase = upload.phase.value
  const id = upload.videoId.value
  const isOver = upload.reached.value === "failed"
  const isSending = busy.includes(phase) && !isOver
  const canGoOn = (phase === "paused" || phase === "failed") && !isOver
  return (
    <div class="row">
      {id === undefined ? null : (
        <a class="btn" href={`${prefix}/studio/${id}`}>
          {t("upload.details")}
        </a>
      )}
      {isSending ? (
        <button type="button" class="btn" onClick={() => upload.abort.abort()}>
          {t("upload.pause")}
        </button>
      ) : null}
      {canGoOn ? (
        <button type="button" class="btn" onClick={() => again(upload)}>
          {t(phase === "paused" ? "upload.resume" : "upload.retry")}
        </button>
      ) : null}
      {isSending ? null : (
        <button type="button" class="btn bare" onClick={() => remove(upload)}>
          {t("upload.cancel")}
        </button>
      )}
    </div>
  )
}

const Card = ({ upload }: { readonly upload: Upload }) => {
  const id = upload.videoId.value
  const reached = upload.reached.value
  const isWatchable = id !== undefined && (reached === "playable" || reached === "published")
  const code = upload.code.value
  return (
    <article class="card file" aria-label={upload.file.name}>
      <div class="stack-s">
        <Picture upload={upload} />
        {isWatchable ? (
          <a
            class={reached === "playable" ? "btn when wide" : "btn wide"}
            href={`${prefix}/watch/${id}`}
          >
            {t(reached === "playable" ? "upload.watchNow" : "upload.watch")}
          </a>
        ) : null}
      </div>
      <div class="stack">
        <div class="row far">
          <h2>
            <bdi>{upload.file.name}</bdi>
          </h2>
          <span role="status">
            <StateOf upload={upload} />
          </span>
        </div>
        {code === undefined ? null : <p class="note stop">{errorText(code)}</p>}
        <Strip upload={upload} />
        <Lanes upload={upload} />
        {id === undefined ? null : (
          <label class="field">
            <span>{t("upload.name")}</span>
            <input
              class="in"
              dir="auto"
              maxLength={200}
              defaultValue={upload.kept.title}
              onChange={({ currentTarget }) =>
                void rename(upload, currentTarget.value, currentTarget)
              }
            />
            <span class="hint" role="status" />
          </label>
        )}
        <Buttons upload={upload} />
      </div>
    </article>
  )
}

const Unfinished = ({ kept }: { readonly kept: Kept }) => (
  <article class="card stack-s" aria-label={kept.name}>
    <div class="row far">
      <h2>
        <bdi>{kept.name}</bdi>
      </h2>
      <span class="state part">{t("upload.unfinished")}</span>
    </div>
    <p class="muted small">{t("upload.unfinishedHow")}</p>
    <div class="row">
      <button
        type="button"
        class="btn bare"
        onClick={() => {
          forget(kept.key)
          unfinished.value = keptUploads()
        }}
      >
        {t("upload.forget")}
      </button>
    </div>
  </article>
)

const Uploads = () => (
  <>
    {uploads.value.map((upload) => (
      <Card key={upload.kept.key} upload={upload} />
    ))}
    {unfinished.value.map((kept) => (
      <Unfinished key={kept.key} kept={kept} />
    ))}
  </>
)

const drop = document.querySelector<HTMLElement>("[data-drop]")
const files = document.querySelector<HTMLInputElement>("[data-files]")
if (root !== null) render(<Uploads />, root)
files?.addEventListener("change", () => {
  add(files.files ?? [])
  files.value = ""
})
document.addEventListener("dragover", (event) => {
  event.preventDefault()
  drop?.classList.add("over")
})
document.addEventListener("dragleave", () => drop?.classList.remove("over"))
document.addEventListener("drop", (event) => {
  event.preventDefault()
  drop?.classList.remove("over")
  add(event.dataTransfer?.files ?? [])
})
addEventListener("beforeunload", (event) => {
  if (uploads.value.some(({ phase }) => busy.includes(phase.value))) event.preventDefault()
})
