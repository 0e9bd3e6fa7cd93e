/** @jsxImportSource preact */
/** A picture of a video: the smallest file that fits the screen, in the format that the browser takes. */
import type { Still as Picture } from "../reader.ts"

export const Still = (props: {
  readonly still: Picture
  /** How wide it is shown, as `sizes` says it. */
  readonly sizes: string
  readonly isFirst?: boolean
  readonly slot?: string
}) => {
  const { still, sizes, isFirst, slot } = props
  const setOf = (wanted: "jpeg" | "webp") =>
    still.files
      .filter(({ format }) => format === wanted)
      .map(({ url, width }) => `${url} ${width}w`)
      .join(", ")
  return (
    <picture slot={slot}>
      {setOf("webp") === "" ? null : (
        <source type="image/webp" srcset={setOf("webp")} sizes={sizes} />
      )}
      <img
        src={still.url}
        srcset={setOf("jpeg") || undefined}
        sizes={setOf("jpeg") === "" ? undefined : sizes}
        width={still.width}
        height={still.height}
        alt=""
        loading={isFirst ? undefined : "lazy"}
      />
    </picture>
  )
}
