/**
 * Forms that ask the API: `data-api` is the method, `data-to` the path, `data-revision` what
 * If-Match names. When it is done, the page is shown again, at least as new as what was recorded.
 */
import { type Answered, ask, errorText, tongue } from "./browser.ts"

const idIn = (text: string) =>
  /[a-z][a-z0-9]{2}[0-9a-hjkmnp-tv-z]{16}/.exec(text)?.[0] ?? text.trim()

const bodyOf = (form: HTMLFormElement): Record<string, string | null> => {
  const fields = [...new FormData(form)].filter((pair): pair is [string, string] => {
    return typeof pair[1] === "string" && pair[0] !== "video"
  })
  const isOptional = (name: string) => name === "description" || name === "note"
  const pairs = fields.flatMap(([name, value]): ReadonlyArray<[string, string | null]> => {
    if (value !== "" || !isOptional(name)) return [[name, value]]
    return name === "description" ? [[name, null]] : []
  })
  return Object.fromEntries(pairs)
}

/** Someone else saved first: their title is shown, and saving again replaces it. */
const conflict = async (form: HTMLFormElement, to: string): Promise<string> => {
  const current = await ask("GET", to)
  const revision = current.etag?.replaceAll('"', "")
  if (revision === undefined) return errorText("revision_conflict")
  form.dataset.revision = revision
  return tongue.t("form.conflict", { title: String(current.body.title ?? "") })
}

const send = async (form: HTMLFormElement): Promise<Answered & { readonly to: string }> => {
  const video = form.querySelector<HTMLInputElement>("[data-video-id]")
  const to = (form.dataset.to ?? "").replace("{video}", idIn(video?.value ?? ""))
  const method = form.dataset.api ?? "POST"
  const { revision } = form.dataset
  const headers = revision === undefined ? {} : { "if-match": `"${revision}"` }
  const body = method === "DELETE" ? undefined : bodyOf(form)
  return { to, ...(await ask(method, to, body, headers)) }
}

const submit = async (form: HTMLFormElement) => {
  const outcome = form.querySelector<HTMLElement>("[data-outcome]")
  const say = (text: string, isBad: boolean) => {
    if (outcome === null) return
    outcome.textContent = text
    outcome.classList.toggle("halt", isBad)
  }
  const buttons = [...form.querySelectorAll("button")]
  for (const button of buttons) button.disabled = true
  say(tongue.t("form.saving"), false)
  const { isDone, status, code, position, to } = await send(form)
  if (isDone) {
    say(tongue.t(form.dataset.api === "PATCH" ? "form.saved" : "form.done"), false)
    const page = new URL(location.href)
    if (position !== null) page.searchParams.set("after", position)
    location.replace(page)
    return
  }
  for (const button of buttons) button.disabled = false
  say(status === 412 ? await conflict(form, to) : errorText(code), true)
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-api]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    void submit(form)
  })
}

// The address is the page's own again: `after` was for this once.
const page = new URL(location.href)
if (page.searchParams.has("after")) {
  page.searchParams.delete("after")
  history.replaceState(null, "", page)
}
