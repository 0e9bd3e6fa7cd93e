/**
 * The notation of the books on video pipelines: `task { name 'a' type 'B' input { … } … }`. Gives
 * the same tree as YAML, or its syntax mistakes, each with its line. Beyond `name`, `type`, `input`,
 * `output` and `next` it knows `each`, `groups`, `optional`, `later`, and outside of tasks `pipeline`,
 * `config`, `start` and `playable`. Without `config { … }`, whatever is read from it is declared.
 */
import { Result, type Schema } from "effect"
import { type Token, tokensOf } from "./notation-tokens.ts"
import { type Pipeline, readPipeline } from "./pipeline.ts"
import { referenceOf } from "./pipeline-edges.ts"

type Tree = Record<string, Schema.Json>

interface Reader {
  readonly peek: () => Token
  readonly next: () => Token
  /** The token, when it is what is expected; else a mistake. */
  readonly expect: (what: string, isIt: (token: Token) => boolean) => Token | undefined
  readonly mistakes: Array<string>
}

const readerOf = (source: string): Reader => {
  const tokens = tokensOf(source)
  const mistakes: Array<string> = []
  let at = 0
  const peek = () => tokens[Math.min(at, tokens.length - 1)] ?? { kind: "end", text: "", line: 0 }
  const next = () => {
    const token = peek()
    at++
    return token
  }
  const expect = (what: string, isIt: (token: Token) => boolean) => {
    if (isIt(peek())) return next()
    const { text, kind, line } = peek()
    mistakes.push(`line ${line}: expected ${what}, found ${kind === "end" ? text : `"${text}"`}`)
    return undefined
  }
  return { peek, next, expect, mistakes }
}

const isSign =
  (sign: string) =>
  ({ kind, text }: Token) =>
    kind === "sign" && text === sign
const isKind = (kind: Token["kind"]) => (token: Token) => token.kind === kind
const isName = ({ kind }: Token) => kind === "word" || kind === "text"

// Values. A reader that answers `undefined` has told the mistake.

const literals: Readonly<Record<string, Schema.Json>> = { true: true, false: false, null: null }

const literalOf = ({ kind, text }: Token): Schema.Json => {
  if (kind === "number") return Number(text)
  if (kind === "text") return text
  if (text === "each") return "$each"
  if (/^(config|context)\./.test(text)) return `$${text}`
  return literals[text] ?? (text === "null" ? null : text)
}

const isValue = ({ kind }: Token) => kind === "word" || kind === "text" || kind === "number"

const readValue = (reader: Reader) => {
  const token = reader.expect("a value", isValue)
  return token && literalOf(token)
}

/** `'a', 'b'` */
const readList = (reader: Reader): Array<string> | undefined => {
  const list: Array<string> = []
  do {
    const token = reader.expect("a name in quotes", isKind("text"))
    if (token === undefined) return undefined
    list.push(token.text)
  } while (isSign(",")(reader.peek()) && reader.next())
  return list
}

const readText = (reader: Reader) => reader.expect("a text in quotes", isKind("text"))?.text

/** `{ … }`, by a reader of one entry. */
const readBlock = (reader: Reader, readEntry: (tree: Tree) => boolean): Tree | undefined => {
  const tree: Tree = {}
  if (!reader.expect('"{"', isSign("{"))) return undefined
  while (!isSign("}")(reader.peek())) if (!readEntry(tree)) return undefined
  reader.next()
  return tree
}

const readPairs = (reader: Reader) =>
  readBlock(reader, (tree) => {
    const name = reader.expect('a name or "}"', isName)
    const value = name && readValue(reader)
    if (name !== undefined && value !== undefined) tree[name.text] = value
    return value !== undefined
  })

/** `{ it -> context.a = it.b … }` */
const readOutput = (reader: Reader) => {
  let isBegun = false
  return readBlock(reader, (tree) => {
    if (!isBegun) {
      isBegun = true
      const it = reader.expect('"it"', ({ text }) => text === "it")
      return it !== undefined && reader.expect('"->"', isSign("->")) !== undefined
    }
    const isContext = ({ text }: Token) => /^context\../.test(text)
    const written = reader.expect('"context.…" or "}"', isContext)
    const equals = written && reader.expect('"="', isSign("="))
    const from = equals && reader.expect('"it.…"', ({ text }) => /^it\../.test(text))
    if (written && from) tree[written.text.slice("context.".length)] = from.text
    return from !== undefined
  })
}

const readers: Readonly<Record<string, (reader: Reader) => Schema.Json | undefined>> = {
  name: readText,
  type: readText,
  each: readValue,
  optional: readValue,
  later: readValue,
  groups: readList,
  next: readList,
  input: readPairs,
  output: readOutput,
}
const outsideReaders: typeof readers = {
  pipeline: readText,
  config: readPairs,
  start: readList,
  playable: readList,
}

const readWord = (reader: Reader, known: typeof readers, tree: Tree) => {
  const words = Object.keys(known).join(", ")
  const word = reader.expect(
    `one of ${words}`,
    ({ kind, text }) => kind === "word" && Object.hasOwn(known, text),
  )
  const value = word && known[word.text]?.(reader)
  if (word === undefined || value === undefined) return false
  if (word.text in tree) {
    reader.mistakes.push(`line ${word.line}: "${word.text}" is said twice`)
  }
  tree[word.text] = value
  return true
}

/** After a mistake, so that the next task's are told too. */
const skipToTask = (reader: Reader) => {
  while (reader.peek().text !== "task" && reader.peek().kind !== "end") reader.next()
}

const declaredBy = (tasks: ReadonlyArray<Tree>): Tree =>
  Object.fromEntries(
    tasks
      .flatMap(({ each, input }) => [each, ...Object.values(input ?? {})])
      .map(referenceOf)
      .flatMap((reference) => (reference?.scope === "config" ? [[reference.name, "any"]] : [])),
  )

/** Told from YAML and JSON by its first two words. */
export const isNotation = (source: string): boolean => {
  const [first, second] = tokensOf(source)
  const isTask = first?.text === "task" && second !== undefined && isSign("{")(second)
  const isOutside = first?.kind === "word" && Object.hasOwn(outsideReaders, first.text)
  return isTask || (isOutside && (second?.kind === "text" || isSign("{")(second ?? first)))
}

export const parseNotation = (
  source: string,
  name = "pipeline",
): Result.Result<Pipeline, ReadonlyArray<string>> => {
  const reader = readerOf(source)
  const tasks: Array<Tree> = []
  const outside: Tree = {}
  while (reader.peek().kind !== "end") {
    const isTask = reader.peek().text === "task"
    if (isTask) reader.next()
    const task = isTask ? readBlock(reader, (tree) => readWord(reader, readers, tree)) : undefined
    if (task !== undefined) tasks.push(task)
    if (isTask ? task === undefined : !readWord(reader, outsideReaders, outside)) skipToTask(reader)
  }
  if (reader.mistakes.length > 0) return Result.fail(reader.mistakes)
  return readPipeline({ pipeline: name, config: declaredBy(tasks), ...outside, tasks })
}
