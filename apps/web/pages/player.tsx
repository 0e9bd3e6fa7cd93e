/** @jsxImportSource preact */
/**
 * The player as the server writes it: a plain `<video>` with media-chrome's controls around it,
 * which stay hidden until `islands/player.ts` has defined them. Times run left to right everywhere.
 */
import type { VideoPage } from "../reader.ts"
import type { Visit } from "../visit.ts"
import { Still } from "./still.tsx"

export const Player = (props: {
  readonly visit: Visit
  readonly video: VideoPage
  readonly title: string
}) => {
  const { visit, video, title } = props
  const { t } = visit.tongue
  if (video.hlsUrl === null) {
    const isFailed = video.state === "failed"
    return (
      <section class="player" aria-label={t("player.region")} data-waiting={!isFailed}>
        <div class="wait">
          <h2>{t(isFailed ? "player.failed" : "player.waiting")}</h2>
          <p>{t(isFailed ? "player.failedHow" : "player.waitingHow")}</p>
        </div>
      </section>
    )
  }
  return (
    <section class="player" aria-label={t("player.region")}>
      <media-controller
        data-player
        lang={visit.tongue.locale}
        data-hls={video.hlsUrl}
        data-failed={t("player.cantPlay")}
      >
        {/* biome-ignore lint/a11y/useMediaCaption: a source has none yet */}
        <video
          slot="media"
          playsInline
          preload="metadata"
          crossOrigin="anonymous"
          aria-label={title}
        >
          {video.storyboardUrl === null ? null : (
            <track kind="metadata" label="thumbnails" src={video.storyboardUrl} default />
          )}
        </video>
        {video.still === null ? null : (
          <Still
            still={video.still}
            sizes="(max-width: 60rem) 100vw, 60rem"
            slot="poster"
            isFirst
          />
        )}
        <media-loading-indicator slot="centered-chrome" noautohide />
        <media-rendition-menu anchor="quality" hidden />
        <media-control-bar class="shade">
          <media-time-range>
            <media-preview-thumbnail slot="preview" />
            <media-preview-time-display slot="preview" />
          </media-time-range>
          <div class="controls">
            <media-play-button />
            <media-mute-button />
            <media-volume-range class="big-only" />
            <media-time-display showduration notoggle />
            <span class="gap" />
            <media-playback-rate-button class="big-only" />
            <media-rendition-menu-button id="quality" class="quality" />
            <media-pip-button class="big-only" />
            <media-fullscreen-button />
          </div>
        </media-control-bar>
      </media-controller>
      <noscript>
        {/* biome-ignore lint/a11y/useMediaCaption: a source has none yet */}
        <video src={video.hlsUrl} poster={video.still?.url} controls aria-label={title} />
      </noscript>
    </section>
  )
}
