/**
 * What a video is shown by: a click chooses one of its pictures, a file becomes an own one. The page
 * is shown again when that is recorded; of an own image, when a worker has made it or refused it.
 */
import { errorText, tongue } from "./browser.ts"

const FIRST_LOOK = 700
const LOOKS = 12

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const put = async (to: string, body: BodyInit, type: string) => {
  const headers = { "content-type": type, "idempotency-key": crypto.randomUUID() }
  const request: RequestInit = { method: "PUT", body, headers, credentials: "same-origin" }
  const response = await fetch(to, request).catch(() => undefined)
  if (response === undefined) return { code: "network" }
  const told = (await response.json().catch(() => ({}))) as Record<string, unknown>
  return {
    code: response.ok ? null : String(told.code ?? "unexpected"),
    image: String(told.image ?? ""),
    position: response.headers.get("reelog-position"),
  }
}

interface Recorded {
  readonly type: string
  readonly data: { readonly image?: string; readonly code?: string } | null
}

/** `null`: shown, or still waited for; else why it is refused. */
const outcomeOf = async (to: string, image: string): Promise<string | null> => {
  for (let look = 0; look < LOOKS; look += 1) {
    await pause(FIRST_LOOK * 1.3 ** look)
    const response = await fetch(to.replace(/thumbnail$/, "history"), {
      credentials: "same-origin",
    }).catch(() => undefined)
    const text = (await response?.text()) ?? ""
    if (!text.includes(image)) continue
    const { events = [] } = JSON.parse(text) as { events?: ReadonlyArray<Recorded> }
    const last = events.findLast(({ data }) => data?.image === image)
    if (last?.type === "ThumbnailRefused") return last.data?.code ?? "unexpected"
    if (last?.type === "ThumbnailMade") return null
  }
  return null
}

const attend = (section: HTMLElement) => {
  const to = section.dataset.thumbnail ?? ""
  const outcome = section.querySelector<HTMLElement>("[data-outcome]")
  const say = (text: string, isBad = false) => {
    if (outcome === null) return
    outcome.textContent = text
    outcome.classList.toggle("halt", isBad)
  }

  const send = async (body: BodyInit, type: string, isImage: boolean) => {
    say(tongue.t("form.saving"))
    const { code, image = "", position = null } = await put(to, body, type)
    const refused = code === null && isImage ? await outcomeOf(to, image) : code
    if (refused !== null) return say(errorText(refused), true)
    const page = new URL(location.href)
    // Of an image that a worker has made, something later than this is shown.
    if (position !== null) page.searchParams.set("after", position)
    location.replace(page)
  }

  for (const button of section.querySelectorAll<HTMLButtonElement>("[data-choice]")) {
    button.addEventListener("click", () => {
      const choice = Number(button.dataset.choice)
      void send(JSON.stringify({ choice }), "application/json", false)
    })
  }
  const file = section.querySelector<HTMLInputElement>("[data-image]")
  file?.addEventListener("change", () => {
    const [image] = file.files ?? []
    if (image !== undefined) void send(image, image.type || "application/octet-stream", true)
  })
}

for (const section of document.querySelectorAll<HTMLElement>("[data-thumbnail]")) attend(section)
