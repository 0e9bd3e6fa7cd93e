/** @jsxImportSource preact */
/** The pictograms: strokes of one width, in the colour of the text beside them. */
import type { ComponentChildren } from "preact"

const paths = {
  upload: "M12 16V4.5M7 9l5-5 5 5M4.5 15.5v3a1.5 1.5 0 0 0 1.5 1.5h12a1.5 1.5 0 0 0 1.5-1.5v-3",
  past: "M4.5 12a7.5 7.5 0 1 0 2.3-5.4L4 9.2M4 5v4.2h4.2M12 8v4.3l3 1.7",
  previous: "m14 6-6 6 6 6",
  next: "m10 6 6 6-6 6",
  down: "m6 9.5 6 6 6-6",
  plus: "M12 5v14M5 12h14",
  flag: "M5.5 20.5v-16M5.5 5c4-2.5 8 2 13 0v8.5c-5 2-9-2.5-13 0",
} as const

export type IconName = keyof typeof paths | "play"

export const Icon = ({ name }: { readonly name: IconName }) => {
  const turns = name === "previous" || name === "next" ? "icon icon-dir" : "icon"
  return (
    <svg class={turns} viewBox="0 0 24 24" aria-hidden="true">
      {name === "play" ? (
        <path
          class="f"
          d="M7.5 4.8v14.4c0 .7.8 1.1 1.4.7l10.6-7.2c.5-.3.5-1.1 0-1.4L8.9 4.1c-.6-.4-1.4 0-1.4.7Z"
        />
      ) : (
        <path d={paths[name]} />
      )}
    </svg>
  )
}

export const Brand = ({ href }: { readonly href: string }) => (
  <a class="brand" href={href}>
    <svg viewBox="0 0 26 26" aria-hidden="true">
      <circle class="b1" cx="13" cy="13" r="10" />
      <circle class="b1" cx="13" cy="13" r="2.2" />
      <rect class="b2" x="18.5" y="1" width="3" height="24" rx="1.5" />
    </svg>
    Reelog
  </a>
)

/** A state is a shape and a word; colour only when something is closed. */
export const State = (props: {
  readonly shape: "hollow" | "open" | "live" | "shut" | "part"
  readonly children: ComponentChildren
}) => (
  <span class={props.shape === "hollow" ? "state" : `state ${props.shape}`}>{props.children}</span>
)
