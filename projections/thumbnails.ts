/**
 * The pictures a video may be shown by: three from the video, best first, and one of its owner's
 * own. The first is shown unless another was chosen. Pure; several read models keep such a list.
 */
import type { DomainEvent } from "#domain/events.ts"
import type { Picture } from "#domain/transcode/facts.ts"

export interface Thumbnail extends Picture {
  readonly isChosen?: true
  /** Uploaded by the owner: not a moment of the video. */
  readonly isOwn?: true
}
export type Thumbnails = ReadonlyArray<Thumbnail>

const isChosen = { isChosen: true } as const

const unchosen = ({ isChosen: _, ...picture }: Thumbnail): Thumbnail => picture
const made = (known: Thumbnails) => known.filter(({ isOwn }) => isOwn !== true)
const own = (known: Thumbnails) => known.filter(({ isOwn }) => isOwn === true)

/** Another run of the transcode has taken them: a choice stays one of the same place. */
export const withMade = (known: Thumbnails, pictures: ReadonlyArray<Picture>): Thumbnails => {
  const chosen = made(known).findIndex((picture) => picture.isChosen)
  const fresh = pictures.map((picture, i) => (i === chosen ? { ...picture, ...isChosen } : picture))
  return [...fresh, ...own(known)]
}

/** `null`: nothing of it changes by this event. */
export const withEvent = (known: Thumbnails, event: DomainEvent): Thumbnails | null => {
  switch (event._tag) {
    case "ThumbnailChosen": {
      const free = known.map(unchosen)
      const wanted = event.choice === null ? undefined : made(free)[event.choice - 1]
      return free.map((picture) => (picture === wanted ? { ...picture, ...isChosen } : picture))
    }
    case "ThumbnailMade":
      return [...made(known).map(unchosen), { ...event.picture, at: 0, isOwn: true, ...isChosen }]
    default:
      return null
  }
}

/** What the video is shown by. Lists without copies are older: of them the middle one was the best guess. */
export const posterOf = (known: Thumbnails): Thumbnail | undefined =>
  known.find((picture) => picture.isChosen) ??
  (known[0]?.files === undefined ? known[Math.floor(made(known).length / 2)] : known[0])
