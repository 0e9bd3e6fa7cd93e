/** The controls of media-chrome, as elements a page may write. */
import type { JSX as Preact } from "preact"

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      [element: `media-${string}`]: Preact.HTMLAttributes<HTMLElement> & {
        readonly [attribute: string]: unknown
      }
    }
  }
}
