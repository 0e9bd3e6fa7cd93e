/** @jsxImportSource preact */
/**
 * The player as the server writes it: a plain `<video>` with media-chrome's controls around it,
 * which stay hidden until `islands/player.ts` has defined them. Times run left to right everywhere.
 */
import type { VideoPage } from "../reader.ts"
import type { Visit } from "../visit.ts"
import { Still } from "./still.tsx"

/** Each opens above its button; one without a choice has no button. */
const Menus = ({ visit }: { readonly visit: Visit }) => {
  const { t } = visit.tongue
  return (
    <>
      <media-rendition-menu anchor="quality" aria-label={t("player.quality")} hidden />
      <media-playback-rate-menu
        anchor="speed"
        rates="0.5 0.75 1 1.25 1.5 1.75 2"
        aria-label={t("player.rate")}
        hidden
      />
      <media-audio-track-menu anchor="sounds" aria-label={t("player.sounds")} hidden />
      <media-captions-menu anchor="texts" aria-label={t("player.texts")} hidden />
      <media-chrome-menu
        id="chapter-list"
        anchor="chapters"
        aria-label={t("player.chapters")}
        hidden
      />
    </>
  )
}

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
        {/* biome-ignore lint/a11y/useMediaCaption: the player adds what the list names */}
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
        <Menus visit={visit} />
        <media-control-bar class="shade">
          <media-time-range>
            <media-preview-thumbnail slot="preview" />
            <media-preview-chapter-display slot="preview" />
            <media-preview-time-display slot="preview" />
          </media-time-range>
          <div class="controls">
            <media-play-button />
            <media-mute-button />
            <media-volume-range class="big-only" />
            <media-time-display showduration notoggle />
            <span class="gap" />
            <media-chrome-menu-button
              id="chapters"
              invoketarget="chapter-list"
              aria-label={t("player.chapters")}
              hidden
            >
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d="M4 5.5h2v2H4zM9 5.5h11v2H9zM4 11h2v2H4zM9 11h11v2H9zM4 16.5h2v2H4zM9 16.5h11v2H9z" />
              </svg>
              <span slot="tooltip-content">{t("player.chapters")}</span>
            </media-chrome-menu-button>
            <media-captions-menu-button id="texts" />
            <media-audio-track-menu-button id="sounds" />
            <media-playback-rate-menu-button id="speed" aria-label={t("player.rate")} />
            <media-rendition-menu-button id="quality" class="quality" />
            <media-pip-button class="big-only" />
            <media-fullscreen-button />
          </div>
        </media-control-bar>
      </media-controller>
      <noscript>
        {/* biome-ignore lint/a11y/useMediaCaption: the list names them */}
        <video src={video.hlsUrl} poster={video.still?.url} controls aria-label={title} />
      </noscript>
    </section>
  )
}
