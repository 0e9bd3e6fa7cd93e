/**
 * Stylesheets and islands, built once: names carry the hash of their bytes, so they are cached for
 * ever. The bundle is kept in a folder named by what it was made of, and made again only when that
 * changes. Nothing is asked from another host.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"

export interface Asset {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly gzip: Uint8Array<ArrayBuffer>
}

export interface Assets {
  /** The address of `reelog.css` or `player.js`. */
  readonly url: (name: string) => string
  readonly get: (fileName: string) => Asset | undefined
}

const here = import.meta.dir
const sheets = {
  "reelog.css": [
    "tokens",
    "base",
    "layout",
    "controls",
    "cards",
    "player",
    "timeline",
    "moment",
    "pages",
  ],
  "studio.css": ["studio", "desk"],
}
const islands = [
  new URL("./islands/player.ts", import.meta.url),
  new URL("./islands/timeline.ts", import.meta.url),
  new URL("./islands/upload.tsx", import.meta.url),
  new URL("./islands/forms.ts", import.meta.url),
  new URL("./islands/thumbnail.ts", import.meta.url),
  new URL("./islands/live.ts", import.meta.url),
]
const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
}

const hashOf = (bytes: Uint8Array | string) =>
  new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 16)

const sourceFiles = async (): Promise<ReadonlyArray<string>> => {
  const folders = ["islands", "styles"].map(async (folder) =>
    (await readdir(join(here, folder))).sort().map((name) => join(here, folder, name)),
  )
  const shared = ["tongue.ts", "words.ts", "assets.ts", "../../bun.lock"]
  return [...(await Promise.all(folders)).flat(), ...shared.map((name) => join(here, name))]
}

const buildScripts = async (): Promise<
  ReadonlyArray<readonly [string, Uint8Array<ArrayBuffer>]>
> => {
  const built = await Bun.build({
    entrypoints: islands.map(({ pathname }) => pathname),
    target: "browser",
    format: "esm",
    splitting: true,
    minify: true,
    naming: { entry: "[name].js", chunk: "chunk-[hash].js" },
    define: { "process.env.NODE_ENV": '"production"' },
  })
  return await Promise.all(
    built.outputs.map(async (output) => {
      return [output.path.replace(/^.*\//, ""), new Uint8Array(await output.arrayBuffer())] as const
    }),
  )
}

const build = async (): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> => {
  const files = new Map(await buildScripts())
  for (const [name, parts] of Object.entries(sheets)) {
    const texts = parts.map((part) => Bun.file(join(here, "styles", `${part}.css`)).text())
    files.set(name, new TextEncoder().encode((await Promise.all(texts)).join("\n")))
  }
  files.set("icon.svg", await Bun.file(join(here, "styles", "icon.svg")).bytes())
  return files
}

const readAll = async (folder: string) => {
  const names = await readdir(folder).catch(() => [])
  const read = names.map(
    async (name) => [name, await Bun.file(join(folder, name)).bytes()] as const,
  )
  return new Map(await Promise.all(read))
}

/** Whole or not at all: the folder gets its name when everything is in it. */
const keep = async (folder: string, files: ReadonlyMap<string, Uint8Array>) => {
  const building = `${folder}.${crypto.randomUUID()}`
  await mkdir(building, { recursive: true })
  for (const [name, bytes] of files) await Bun.write(join(building, name), bytes)
  await rename(building, folder).catch(() => rm(building, { recursive: true, force: true }))
}

const kept = async (cache: string) => {
  const hasher = new Bun.CryptoHasher("sha256")
  for (const path of await sourceFiles()) hasher.update(await Bun.file(path).bytes())
  const folder = join(cache, hasher.digest("hex").slice(0, 16))
  const found = await readAll(folder)
  if (found.size > 0) return found
  const files = await build()
  await keep(folder, files)
  return files
}

/** Chunks are named by the bundler, by their bytes; entries and sheets get their hash here. */
export const loadAssets = async (cache?: string): Promise<Assets> => {
  const files = cache === undefined ? await build() : await kept(cache)
  const byFile = new Map<string, Asset>()
  const addresses = new Map<string, string>()
  for (const [name, bytes] of files) {
    const [stem = "", extension = ""] = name.split(".")
    const isChunk = stem.startsWith("chunk-")
    const fileName = isChunk ? name : `${stem}-${hashOf(bytes)}.${extension}`
    const type = types[extension] ?? "application/octet-stream"
    byFile.set(fileName, { type, bytes, gzip: Bun.gzipSync(bytes) })
    addresses.set(name, `/assets/${fileName}`)
  }
  return {
    url: (name) => addresses.get(name) ?? `/assets/${name}`,
    get: (fileName) => byFile.get(fileName),
  }
}

export const serveAsset = (asset: Asset, fileName: string, request: Request): Response => {
  const zipped = (request.headers.get("accept-encoding") ?? "").includes("gzip")
  const etag = `"${fileName}${zipped ? ".gz" : ""}"`
  const headers: Record<string, string> = {
    "cache-control": "public, max-age=31536000, immutable",
    "content-type": asset.type,
    "x-content-type-options": "nosniff",
    vary: "Accept-Encoding",
    etag,
  }
  if (request.headers.get("if-none-match") === etag)
    return new Response(null, { status: 304, headers })
  if (zipped) headers["content-encoding"] = "gzip"
  return new Response(zipped ? asset.gzip : asset.bytes, { headers })
}
