/** Parts of a page that say `data-fresh` are fetched again that often, while somebody looks. */

const refresh = async (part: HTMLElement) => {
  const response = await fetch(location.href, { credentials: "same-origin" }).catch(() => undefined)
  if (response === undefined || !response.ok) return
  const page = new DOMParser().parseFromString(await response.text(), "text/html")
  const fresh = page.getElementById(part.id)
  if (fresh === null || part.contains(document.activeElement)) return
  part.replaceChildren(...fresh.childNodes)
}

for (const part of document.querySelectorAll<HTMLElement>("[data-fresh]")) {
  const every = Number(part.dataset.fresh)
  const again = async () => {
    if (document.visibilityState === "visible") await refresh(part)
    setTimeout(again, every)
  }
  setTimeout(again, every)
}
