/**
 * What Redis does in one step for the cache. A value carries the epoch in which it was kept, so that
 * raising the epoch forgets all at once; a lease says who makes a missing value, and an invalidation
 * deletes it, so that who holds an old lease can't keep what it made.
 */
import { type CommandParser, defineScript } from "redis"

export interface Keys {
  readonly epoch: string
  readonly value: string
  readonly lease: string
}

export type Asked =
  | { readonly _tag: "Value"; readonly value: string }
  /** Make it. */
  | { readonly _tag: "Lease" }
  /** Someone else makes it. */
  | { readonly _tag: "Wait" }

const push = (
  parser: CommandParser,
  { epoch, value, lease }: Keys,
  args: ReadonlyArray<string>,
) => {
  parser.pushKeys([epoch, value, lease])
  for (const argument of args) parser.push(argument)
}

const EPOCH = `local epoch = (redis.call('GET', KEYS[1]) or '0') .. '|'\n`
const VALUE = `
local value = redis.call('GET', KEYS[2])
if value and string.sub(value, 1, #epoch) == epoch then
  return { 'value', string.sub(value, #epoch + 1) }
end
`

const isPair = (reply: unknown): reply is readonly [string, string?] =>
  Array.isArray(reply) && typeof reply[0] === "string"

const valueIn = (reply: unknown): string | undefined =>
  isPair(reply) && reply[0] === "value" ? (reply[1] ?? "") : undefined

export const scripts = {
  read: defineScript({
    NUMBER_OF_KEYS: 3,
    SCRIPT: `${EPOCH}${VALUE}return { 'nothing' }`,
    parseCommand: (parser: CommandParser, keys: Keys) => push(parser, keys, []),
    transformReply: (reply: unknown): string | null => valueIn(reply) ?? null,
  }),
  ask: defineScript({
    NUMBER_OF_KEYS: 3,
    SCRIPT: `${EPOCH}${VALUE}
local lease = redis.call('GET', KEYS[3])
if lease and string.sub(lease, 1, #epoch) == epoch then return { 'wait' } end
redis.call('SET', KEYS[3], epoch .. ARGV[1], 'PX', ARGV[2])
return { 'lease' }`,
    parseCommand: (parser: CommandParser, keys: Keys, token: string, leaseMillis: number) =>
      push(parser, keys, [token, String(leaseMillis)]),
    transformReply: (reply: unknown): Asked => {
      const value = valueIn(reply)
      if (value !== undefined) return { _tag: "Value", value }
      return isPair(reply) && reply[0] === "lease" ? { _tag: "Lease" } : { _tag: "Wait" }
    },
  }),
  /** Keeps what the holder of the lease made, if nobody took the lease away. */
  keep: defineScript({
    NUMBER_OF_KEYS: 3,
    SCRIPT: `${EPOCH}
if redis.call('GET', KEYS[3]) ~= epoch .. ARGV[1] then return 0 end
redis.call('DEL', KEYS[3])
redis.call('SET', KEYS[2], epoch .. ARGV[3], 'PX', ARGV[2])
return 1`,
    parseCommand: (
      parser: CommandParser,
      keys: Keys,
      token: string,
      ttlMillis: number,
      value: string,
    ) => push(parser, keys, [token, String(ttlMillis), value]),
    transformReply: (reply: unknown): boolean => reply === 1,
  }),
  giveBack: defineScript({
    NUMBER_OF_KEYS: 3,
    SCRIPT: `${EPOCH}
if redis.call('GET', KEYS[3]) == epoch .. ARGV[1] then redis.call('DEL', KEYS[3]) end
return 1`,
    parseCommand: (parser: CommandParser, keys: Keys, token: string) => push(parser, keys, [token]),
    transformReply: (): void => undefined,
  }),
  overwrite: defineScript({
    NUMBER_OF_KEYS: 3,
    SCRIPT: `${EPOCH}
redis.call('DEL', KEYS[3])
redis.call('SET', KEYS[2], epoch .. ARGV[2], 'PX', ARGV[1])
return 1`,
    parseCommand: (parser: CommandParser, keys: Keys, ttlMillis: number, value: string) =>
      push(parser, keys, [String(ttlMillis), value]),
    transformReply: (): void => undefined,
  }),
}
