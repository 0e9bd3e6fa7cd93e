/** Small translations between the generated messages and the node's own values. */
import shared from "@eventstore/db-client/generated/shared_pb.js"
import type { Expectation } from "./appender.ts"
import { numberOf } from "./cursor.ts"
import { badRequest } from "./failures.ts"
import type { Proposed } from "./record.ts"

export const nameOf = (identifier: shared.StreamIdentifier | undefined): string => {
  const name = Buffer.from(identifier?.getStreamName_asU8() ?? []).toString("utf8")
  if (name === "") throw badRequest("a stream must be named")
  return name
}

export const identifierOf = (stream: string) => {
  const identifier = new shared.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream).toString("base64"))
  return identifier
}

const hex = (half: string) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, "0")

export const uuidOf = (uuid: shared.UUID | undefined): string => {
  const structured = uuid?.getStructured()
  if (structured === undefined) return uuid?.getString() ?? ""
  const digits =
    hex(structured.getMostSignificantBits()) + hex(structured.getLeastSignificantBits())
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

interface ProposedMessage {
  readonly getId: () => shared.UUID | undefined
  readonly getMetadataMap: () => { readonly get: (key: string) => string | undefined }
  readonly getData_asU8: () => Uint8Array
  readonly getCustomMetadata_asU8: () => Uint8Array
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const proposedOf = (message: ProposedMessage): Proposed => {
  const id = uuidOf(message.getId())
  const fields = message.getMetadataMap()
  const type = fields.get("type")
  if (!UUID.test(id)) throw badRequest("an event must have a UUID")
  if (type === undefined || type === "") throw badRequest("an event must have a type")
  return {
    id,
    type,
    isJson: fields.get("content-type") === "application/json",
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  }
}

export const sizeOf = (events: ReadonlyArray<Proposed>) =>
  events.reduce((sum, { data, metadata }) => sum + data.byteLength + metadata.byteLength, 0)

interface Expecting {
  readonly hasNoStream: () => boolean
  readonly hasAny: () => boolean
  readonly hasStreamExists: () => boolean
}

export const expectationOf = (options: Expecting, revision: () => string): Expectation => {
  if (options.hasAny()) return "any"
  if (options.hasNoStream()) return "none"
  if (options.hasStreamExists()) return "exists"
  return numberOf(revision())
}

const oldNumbers = { none: -1, any: -2, exists: -4 } as const

/** An expectation as the number it had in the protocol before gRPC. */
export const oldNumberOf = (expected: Expectation) =>
  typeof expected === "number" ? expected : oldNumbers[expected]
