/** @jsxImportSource preact */
/** In the studio: what a video is shown by, to be chosen or uploaded. The island is `islands/thumbnail.ts`. */
import type { VideoPage } from "../reader.ts"
import type { Visit } from "../visit.ts"
import { Still } from "./still.tsx"

export const ThumbnailForm = (props: {
  readonly visit: Visit
  readonly video: VideoPage
  readonly isPast: boolean
}) => {
  const { visit, video, isPast } = props
  const { t } = visit.tongue
  if (video.stills.length === 0) return null
  return (
    <section
      class="card stack"
      aria-labelledby="thumbnail"
      data-thumbnail={`/v1/videos/${video.videoId}/thumbnail`}
    >
      <h2 id="thumbnail">{t("studio.thumbnail")}</h2>
      <div class="stills">
        {video.stills.map(({ still, choice, isShown }) => (
          <button
            key={still.url}
            type="button"
            aria-pressed={isShown}
            disabled={isPast || choice === null}
            data-choice={choice === null ? undefined : String(choice)}
            aria-label={
              choice === null
                ? t("studio.thumbnailOwn")
                : t("studio.thumbnailNumber", { number: choice })
            }
          >
            <Still still={still} sizes="8rem" />
          </button>
        ))}
      </div>
      <label class="field">
        <span>{t("studio.thumbnailSend")}</span>
        <input
          class="in"
          type="file"
          accept="image/jpeg,image/png,image/webp,image/avif"
          disabled={isPast}
          data-image
        />
        <small class="muted">{t("studio.thumbnailHow")}</small>
      </label>
      <p class="small" role="status" data-outcome />
    </section>
  )
}
