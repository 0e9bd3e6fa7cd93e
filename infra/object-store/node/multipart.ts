/** Uploads in parts. Parts lie as blobs of their own; completing one joins them into the object's. */
import { type Asked, parameter } from "./asked.ts"
import type { Permission } from "./authorize.ts"
import type { PartRow, UploadRow } from "./catalogue.ts"
import { etagOf, keptHeaders, mayWrite, publish, type Store } from "./objects.ts"
import { receive, refuseEarly, syncFile } from "./receive.ts"
import type { Refusal } from "./refusal.ts"
import { element, elements, escapeXml, isoTime, xml } from "./xml.ts"

const MAX_PARTS = 10_000
const MIN_PART_BYTES = 5 << 20

const uploadOf = ({ catalogue }: Store, asked: Asked): UploadRow | undefined => {
  const upload = catalogue.upload(parameter(asked, "uploadId") ?? "")
  return upload?.bucket === asked.bucket && upload.key === asked.key ? upload : undefined
}

export const begin = async ({ blobs, catalogue }: Store, asked: Asked): Promise<Response> => {
  const { bucket, key } = asked
  const id = blobs.newId()
  const headers = keptHeaders(asked.headers)
  await catalogue.commit(() =>
    catalogue.change.addUpload({ id, bucket, key, headers, startedAt: Date.now() }),
  )
  return xml(
    `<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>${escapeXml(bucket)}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
  )
}

export const putPart = async (
  store: Store,
  asked: Asked,
  permission: Permission,
): Promise<Response | Refusal> => {
  const { blobs, catalogue } = store
  const upload = uploadOf(store, asked)
  const number = Number(parameter(asked, "partNumber"))
  if (!upload) return "NoSuchUpload"
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS) return "InvalidArgument"
  const early = refuseEarly(asked, permission)
  if (early) return early

  const received = await receive(blobs, asked, permission)
  if (typeof received === "string") return received
  const { blob, byteLength } = received
  await blobs.keep(blob)
  const etag = `"${blob}"`
  const { isOpen, replaced } = await catalogue.commit(() => {
    const isOpen = catalogue.upload(upload.id) !== null
    const replaced = catalogue.part(upload.id, number)
    const row = { uploadId: upload.id, number, blob, byteLength, etag, lastModified: Date.now() }
    if (isOpen) catalogue.change.putPart(row)
    return { isOpen, replaced }
  })
  if (!isOpen) blobs.discard([blob])
  else if (replaced) blobs.discard([replaced.blob])
  return isOpen ? new Response(null, { headers: { etag } }) : "NoSuchUpload"
}

export const listParts = (store: Store, asked: Asked): Response | Refusal => {
  const upload = uploadOf(store, asked)
  if (!upload) return "NoSuchUpload"
  const after = Number(parameter(asked, "part-number-marker") ?? 0)
  const limit = Math.min(Number(parameter(asked, "max-parts") ?? 1000), 1000)
  if (!(after >= 0 && limit > 0)) return "InvalidArgument"
  const rest = store.catalogue.parts(upload.id).filter(({ number }) => number > after)
  const shown = rest.slice(0, limit)
  const parts = shown.map(
    ({ number, etag, byteLength, lastModified }) =>
      `<Part><PartNumber>${number}</PartNumber><LastModified>${isoTime(lastModified)}</LastModified><ETag>${escapeXml(etag)}</ETag><Size>${byteLength}</Size></Part>`,
  )
  const marker = shown.at(-1)?.number ?? after
  return xml(
    `<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>${escapeXml(upload.bucket)}</Bucket><Key>${escapeXml(upload.key)}</Key><UploadId>${upload.id}</UploadId><PartNumberMarker>${after}</PartNumberMarker><NextPartNumberMarker>${marker}</NextPartNumberMarker><MaxParts>${limit}</MaxParts><IsTruncated>${rest.length > shown.length}</IsTruncated>${parts.join("")}</ListPartsResult>`,
  )
}

export const abort = async (store: Store, asked: Asked): Promise<Response | Refusal> => {
  const { blobs, catalogue } = store
  const upload = uploadOf(store, asked)
  if (!upload) return "NoSuchUpload"
  const parts = await catalogue.commit(() => {
    const parts = catalogue.parts(upload.id)
    catalogue.change.removeUpload(upload.id)
    return parts
  })
  blobs.discard(parts.map(({ blob }) => blob))
  return new Response(null, { status: 204 })
}

const unquoted = (etag: string | undefined) => etag?.replaceAll('"', "")

/** The parts named by the client, all there, in order, of a size S3 would take. */
const chosenParts = (
  present: ReadonlyArray<PartRow>,
  body: string,
): ReadonlyArray<PartRow> | Refusal => {
  const named = elements(body, "Part").map((part) => ({
    number: Number(element(part, "PartNumber")),
    etag: element(part, "ETag"),
  }))
  if (named.length === 0) return "MalformedXML"
  if (named.some(({ number }, i) => number <= (named[i - 1]?.number ?? 0))) {
    return "InvalidPartOrder"
  }
  const byNumber = new Map(present.map((part) => [part.number, part]))
  const chosen = named.flatMap(({ number, etag }) => {
    const part = byNumber.get(number)
    return part && unquoted(part.etag) === unquoted(etag) ? [part] : []
  })
  if (chosen.length < named.length) return "InvalidPart"
  const isSmall = chosen.slice(0, -1).some(({ byteLength }) => byteLength < MIN_PART_BYTES)
  return isSmall ? "EntityTooSmall" : chosen
}

const join = async ({ blobs }: Store, parts: ReadonlyArray<PartRow>, target: string) => {
  const sink = Bun.file(target).writer({ highWaterMark: 1 << 20 })
  for (const { blob } of parts) {
    for await (const chunk of Bun.file(blobs.path(blob)).stream()) await sink.write(chunk)
  }
  await sink.end()
  await syncFile(target)
}

export const complete = async (
  store: Store,
  asked: Asked,
  body: string,
): Promise<Response | Refusal> => {
  const { blobs, catalogue } = store
  const { bucket, key, headers } = asked
  const upload = uploadOf(store, asked)
  if (!upload) return "NoSuchUpload"
  const present = catalogue.parts(upload.id)
  const parts = chosenParts(present, body)
  if (typeof parts === "string") return parts
  const early = mayWrite(headers, catalogue.object(bucket, key))
  if (early) return early

  const blob = blobs.newId()
  await join(store, parts, blobs.temp(blob))
  await blobs.keep(blob)
  const etag = etagOf(blob, parts.length)
  const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const row = { bucket, key, blob, byteLength, etag, lastModified: Date.now(), sha256: null }
  const refusal = await publish(store, headers, { ...row, headers: upload.headers })
  if (refusal) return refusal
  await catalogue.commit(() => catalogue.change.removeUpload(upload.id))
  blobs.discard(present.map((part) => part.blob))
  return xml(
    `<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>${escapeXml(bucket)}</Bucket><Key>${escapeXml(key)}</Key><ETag>${escapeXml(etag)}</ETag></CompleteMultipartUploadResult>`,
  )
}
