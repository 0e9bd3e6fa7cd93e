/**
 * Text about a person, encrypted with that person's key before it enters an event: deleting the
 * key erases it from the log, the read models and every backup. The form is
 * `v1.{accountId}.{base64url of nonce, ciphertext, tag}`; `infra/personal-data/` seals and opens.
 */
import { Schema } from "effect"

export const Sealed = Schema.String.check(
  Schema.isPattern(/^v1\.[a-z0-9][a-z0-9-]{0,38}\.[A-Za-z0-9_-]{38,}$/),
).pipe(Schema.brand("Sealed"))
export type Sealed = typeof Sealed.Type
