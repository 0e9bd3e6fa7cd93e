/**
 * Why the coded pictures of a source may not be shown as they are. Reading them is a walk through
 * bits that may lie at any of them: it throws, and whoever asked for the walk takes the reason here.
 */
import { Data, Result } from "effect"

export class CopyRefused extends Data.TaggedError("CopyRefused")<{
  /** Stable: `gop-gap`, `parameter-sets-change`. */
  readonly code: string
  readonly detail: string
}> {}

export const refuse = (code: string, detail: string | number = ""): never => {
  throw new CopyRefused({ code, detail: String(detail) })
}

/** What else is thrown is a bug, and stays one. */
export const attempt = <A>(walk: () => A): Result.Result<A, CopyRefused> => {
  try {
    return Result.succeed(walk())
  } catch (cause) {
    if (cause instanceof CopyRefused) return Result.fail(cause)
    throw cause
  }
}

/** `gop-gap: 12.000 s` */
export const reasonOf = ({ code, detail }: CopyRefused): string =>
  detail === "" ? code : `${code}: ${detail}`
