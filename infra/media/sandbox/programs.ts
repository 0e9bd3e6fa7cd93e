/**
 * Where ffmpeg and ffprobe are: the system's, or unpacked packages under one folder that nobody
 * installed. Then their libraries lie in folders the loader does not know: each is named to it.
 * Fonts are looked for in both places, by a configuration of ours: the system's may name any folder.
 */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"

export interface Programs {
  readonly path: (tool: string) => string
  /** Folders and files to be readable beside the system's libraries. */
  readonly folders: ReadonlyArray<string>
  /** `NAME=value`, for the programs and for what starts them. */
  readonly environment: Readonly<Record<string, string>>
}

const depth = 4
const systemFonts = "/usr/share/fonts"
const fontConfiguration = join(import.meta.dir, "fonts.conf")

const libraryFolders = (folder: string, left = depth): ReadonlyArray<string> => {
  if (left === 0 || !existsSync(folder)) return []
  const entries = readdirSync(folder, { withFileTypes: true })
  const own = entries.some(({ name }) => /\.so(\.|$)/.test(name)) ? [folder] : []
  const inner = entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => libraryFolders(join(folder, name), left - 1))
  return [...own, ...inner]
}

/** `unpacked`: the folder that holds `usr/bin`; none: the system's programs. */
export const programsIn = (unpacked: string | null): Programs => {
  const here = unpacked !== null && existsSync(unpacked) ? unpacked : null
  const path = (tool: string) => {
    const own = here === null ? "" : join(here, "usr/bin", tool)
    return here !== null && existsSync(own) ? own : `/usr/bin/${tool}`
  }
  const libraries =
    here === null ? [] : ["usr/lib", "lib"].flatMap((name) => libraryFolders(join(here, name)))
  return {
    path,
    folders: [
      ...(here === null ? [] : [here]),
      ...[systemFonts, fontConfiguration].filter((path) => existsSync(path)),
    ],
    environment: {
      PATH: "/usr/bin:/bin",
      FONTCONFIG_FILE: fontConfiguration,
      XDG_DATA_HOME: here === null ? "/usr/share" : join(here, "usr/share"),
      ...(libraries.length > 0 ? { LD_LIBRARY_PATH: libraries.join(":") } : {}),
    },
  }
}
