/**
 * The playhead of the timeline. While it moves only the panel changes, from the list that the
 * server wrote; letting go, or Enter, goes to the page as it was. Without it each event in the
 * list is a plain link.
 */
import { tongue } from "./browser.ts"

type Facts = Readonly<Record<string, string>>

interface Moment {
  readonly link: HTMLAnchorElement
  readonly x: number
  readonly act: number
  readonly position: string
  readonly time: string
  readonly what: string
  /** Each fact as it stood then: the list writes only what changed. */
  readonly facts: Facts
}

const HELD = "reelog-playhead"

const readMoments = (life: HTMLElement): ReadonlyArray<Moment> => {
  let facts: Facts = {}
  return [...life.querySelectorAll<HTMLAnchorElement>(".log a")].map((link) => {
    const { x = "0", act = "0", ...changed } = link.dataset
    const told = Object.entries(changed).filter((pair): pair is [string, string] => {
      return pair[1] !== undefined
    })
    facts = { ...facts, ...Object.fromEntries(told) }
    const [position = "", time = "", what = ""] = [...link.children].map(
      ({ textContent }) => textContent ?? "",
    )
    return { link, x: Number(x), act: Number(act), position, time, what, facts }
  })
}

const nearest = (moments: ReadonlyArray<Moment>, x: number): number =>
  moments.reduce((best, moment, index) => {
    const isNearer = Math.abs(moment.x - x) <= Math.abs((moments[best]?.x ?? 0) - x)
    return isNearer ? index : best
  }, 0)

const begin = (life: HTMLElement, scrub: HTMLInputElement) => {
  const moments = readMoments(life)
  const last = moments.length - 1
  const track = life.querySelector<HTMLElement>(".track")
  const view = life.querySelector<HTMLElement>(".life-scroll")
  const panel = life.querySelector<HTMLElement>("[data-panel]")
  const go = life.querySelector<HTMLAnchorElement>('[data-then="go"]')
  const shownAt = Math.max(
    0,
    moments.findIndex(({ link }) => link.hasAttribute("aria-current")),
  )
  let at = shownAt

  const write = (name: string, text: string) => {
    for (const element of life.querySelectorAll(`[data-then="${name}"]`)) element.textContent = text
  }

  const writeRungs = ({ ready = "", told = "" }: Facts) => {
    const [seconds, texts] = [ready.split(" "), told.split("|")]
    for (const [index, line] of life.querySelectorAll('[data-then="rungs"] li').entries()) {
      const bar = line.querySelector("progress")
      if (bar !== null) bar.value = Number(seconds[index] ?? 0)
      if (line.lastElementChild !== null) line.lastElementChild.textContent = texts[index] ?? ""
    }
  }

  const tell = ({ time, position, what, facts }: Moment, isNow: boolean) => {
    for (const name of ["state", "title", "visible", "got", "type", "stream", "by"]) {
      write(name, facts[name] ?? "")
    }
    write("pos", position)
    write("what", what)
    write(
      "when",
      isNow ? tongue.t("life.now", { position }) : tongue.t("life.then", { time, position }),
    )
    writeRungs(facts)
  }

  const show = (index: number, isMoved = true) => {
    at = Math.max(0, Math.min(last, index))
    const moment = moments[at]
    if (moment === undefined) return
    const { x, time, what, position } = moment
    scrub.value = String(x)
    scrub.setAttribute("aria-valuetext", `${tongue.t("life.then", { time, position })}, ${what}`)
    track?.style.setProperty("--at", `${x}%`)
    for (const [other, { link }] of moments.entries()) {
      if (other === at) link.setAttribute("aria-current", "true")
      else link.removeAttribute("aria-current")
    }
    for (const button of life.querySelectorAll<HTMLButtonElement>("[data-step]")) {
      const next = at + Number(button.dataset.step)
      button.disabled = next < 0 || next > last
    }
    const middle = (x / 100) * (track?.offsetWidth ?? 0) - (view?.clientWidth ?? 0) / 2
    if (view !== null) view.scrollLeft = document.dir === "rtl" ? -middle : middle
    if (!isMoved) return
    tell(moment, at === last)
    if (panel !== null) panel.hidden = false
    if (go !== null) {
      go.hidden = at === shownAt
      go.href = moment.link.href
    }
  }

  /** The first event of the act before or after the one we stand in. */
  const act = (step: 1 | -1): number => {
    const here = moments[at]?.act ?? 0
    const startOf = (number: number) => moments.findIndex((moment) => moment.act === number)
    if (step > 0) return startOf(here + 1) < 0 ? last : startOf(here + 1)
    return at > startOf(here) ? startOf(here) : Math.max(0, startOf(here - 1))
  }

  /** Letting go is told twice, by `change` and by the pointer: a second start would abort the first. */
  let isLeaving = false
  addEventListener("pageshow", () => {
    isLeaving = false
  })
  const leave = (isKey: boolean) => {
    const target = moments[at]?.link.href
    if (target === undefined || at === shownAt || isLeaving) return
    isLeaving = true
    if (isKey) sessionStorage.setItem(HELD, location.pathname)
    location.assign(target)
  }

  scrub.addEventListener("input", () => show(nearest(moments, Number(scrub.value))))
  // A value that was set meanwhile keeps `change` from coming: letting go is enough.
  scrub.addEventListener("change", () => leave(false))
  scrub.addEventListener("pointerup", () => leave(false))
  scrub.addEventListener("keydown", (event) => {
    if (event.key === "Enter") return leave(true)
    const [ahead, back] =
      document.dir === "rtl" ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"]
    const targets: Readonly<Record<string, number>> = {
      [ahead ?? ""]: at + 1,
      ArrowUp: at + 1,
      [back ?? ""]: at - 1,
      ArrowDown: at - 1,
      PageUp: act(1),
      PageDown: act(-1),
      Home: 0,
      End: last,
      Escape: last,
    }
    const target = targets[event.key]
    if (target === undefined) return
    event.preventDefault()
    show(target)
  })
  life.addEventListener("click", ({ target }) => {
    if (!(target instanceof Element)) return
    const step = target.closest<HTMLElement>("[data-step]")
    if (step !== null) show(at + Number(step.dataset.step))
    const lanes = target.closest("[data-show]")
    if (lanes === null) return
    const isSlim = life.classList.toggle("slim")
    lanes.setAttribute("aria-expanded", String(!isSlim))
    lanes.textContent = tongue.t(isSlim ? "life.showLanes" : "life.hideLanes")
  })
  for (const button of life.querySelectorAll<HTMLElement>("[data-step], [data-show]")) {
    button.hidden = false
  }
  show(at, false)
  // Whoever came by keyboard keeps the playhead in hand.
  if (sessionStorage.getItem(HELD) === location.pathname) scrub.focus({ preventScroll: true })
  sessionStorage.removeItem(HELD)
}

for (const life of document.querySelectorAll<HTMLElement>("[data-life]")) {
  const scrub = life.querySelector<HTMLInputElement>(".scrub")
  if (scrub !== null) begin(life, scrub)
}
