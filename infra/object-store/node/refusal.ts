/** Why the store said no: S3's own codes, each with its status, answered as S3's XML. */
import { escapeXml, xml } from "./xml.ts"

const refusals = {
  AccessDenied: [403, "Access denied"],
  AuthorizationHeaderMalformed: [400, "The Authorization header is malformed"],
  AuthorizationQueryParametersError: [400, "The query lacks what a signature needs"],
  BadDigest: [400, "The bytes are not those of the checksum"],
  ContentLengthRequired: [411, "Content-Length is required"],
  EntityTooLarge: [400, "The object is larger than the store takes"],
  EntityTooSmall: [400, "A part other than the last is smaller than 5 MiB"],
  IncompleteBody: [400, "The body has not the length that was declared"],
  InternalError: [500, "The store failed"],
  InvalidAccessKeyId: [403, "There is no such access key"],
  InvalidArgument: [400, "An argument is out of range"],
  InvalidChunk: [403, "A chunk's signature does not match"],
  InvalidDigest: [400, "The checksum is malformed"],
  InvalidPart: [400, "A part is missing or its ETag differs"],
  InvalidPartOrder: [400, "Parts must be named in ascending order"],
  InvalidRange: [416, "The object has no such bytes"],
  InvalidURI: [400, "The URI can't be read"],
  KeyTooLongError: [400, "A key has at most 1024 bytes"],
  MalformedXML: [400, "The XML can't be read"],
  MethodNotAllowed: [405, "Not with this method"],
  MissingSecurityHeader: [400, "x-amz-content-sha256 is required"],
  NoSuchBucket: [404, "There is no such bucket"],
  NoSuchKey: [404, "There is no such object"],
  NoSuchUpload: [404, "There is no such upload"],
  NotImplemented: [501, "The store can't do this"],
  PreconditionFailed: [412, "A condition of the request does not hold"],
  RequestExpired: [403, "The request has expired", "AccessDenied"],
  RequestTimeTooSkewed: [403, "The clocks differ by more than 15 minutes"],
  SignatureDoesNotMatch: [403, "The signature does not match the request"],
  SlowDown: [503, "The store has too much to do"],
  UnsignedHeader: [403, "An x-amz- header is not signed", "AccessDenied"],
  XAmzContentSHA256Mismatch: [400, "The bytes are not those that were signed"],
} as const satisfies Record<string, readonly [number, string, string?]>

export type Refusal = keyof typeof refusals

export const refuse = (refusal: Refusal, resource: string): Response => {
  const [status, message, code = refusal]: readonly [number, string, string?] = refusals[refusal]
  const error = `<Error><Code>${code}</Code><Message>${message}</Message><Resource>${escapeXml(resource)}</Resource></Error>`
  return xml(error, status)
}
