/**
 * The mistakes of a pipeline, all at once, each a sentence that names the pipeline and the task.
 * None: the pipeline will run.
 */
import { Codec } from "./facts.ts"
import type { Pipeline, TaskDefinition } from "./pipeline.ts"
import { type Edges, edgesOf, referenceOf } from "./pipeline-edges.ts"
import type { TaskType } from "./task-types.ts"

/** Steps of a pipeline, its rung groups counted. */
const MOST_STEPS = 64

// Hints

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, replaced))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

/** `; did you mean "…"?`, or nothing where nothing known is near. */
export const hint = (word: string, known: Iterable<string>, prefix = "") => {
  // Nobody misspells a page: comparing takes the product of both lengths.
  const [nearest] = [...known]
    .filter((other) => word.length <= 64 && Math.abs(other.length - word.length) <= 2)
    .map((other) => ({ other, far: distance(word, other) }))
    .filter(({ far }) => far <= 2)
    .sort((a, b) => a.far - b.far)
  return nearest === undefined ? "" : `; did you mean "${prefix}${nearest.other}"?`
}

// Kinds

const plain = (kind: string) => kind.replace(/[*?]$/, "")
const isStream = (kind: string) => kind.endsWith("*")
const fits = (kind: string, wanted: string) =>
  kind === "any" || wanted === "any" || kind === wanted || kind === plain(wanted)

/** What a programmer may write out; all else is made by tasks, and may name objects of the store. */
const writable = new Set(["any", "json", "text", "number", "flag", "codec"])

/** Names come from outside: `constructor` is none of these. */
const own = <A>(record: Readonly<Record<string, A>>, name: string): A | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

interface Context {
  readonly pipeline: Pipeline
  readonly types: ReadonlyMap<string, TaskType>
  readonly edges: Edges
  /** Context name → kind. */
  readonly kinds: Map<string, string>
  readonly say: (sentence: string) => void
}

// Names and types

const checkNames = ({ pipeline, say }: Context) => {
  const places = new Map<string, number>()
  for (const [index, { name }] of pipeline.tasks.entries()) {
    const place = places.get(name)
    if (place === undefined) places.set(name, index + 1)
    else say(`two tasks are named "${name}" (tasks ${place} and ${index + 1})`)
  }
  for (const { name, groups = [] } of pipeline.tasks) {
    const twice = groups.find((group, index) => groups.indexOf(group) !== index)
    if (twice !== undefined) say(`task "${name}" names group "${twice}" twice`)
  }
}

const checkOutputs = ({ types, kinds, edges, say }: Context, task: TaskDefinition) => {
  const type = types.get(task.type)
  if (type === undefined) {
    const meant = hint(task.type, types.keys())
    say(`task "${task.name}" has type "${task.type}", which is not registered${meant}`)
  }
  for (const [name, from] of Object.entries(task.output ?? {})) {
    const kind = type === undefined ? "any" : own(type.output, from.replace(/^it\./, ""))
    const writer = edges.writers.get(`$context.${name}`)
    if (kind === undefined) {
      const given = Object.keys(type?.output ?? {}).map((field) => `it.${field}`)
      const gives = given.join(", ") || "nothing"
      say(`task "${task.name}" has no output "${from}"; type "${task.type}" gives ${gives}`)
    } else if (kinds.has(name)) {
      say(`tasks "${writer}" and "${task.name}" both write $context.${name}`)
    } else kinds.set(name, task.each === undefined || kind === "any" ? kind : `${plain(kind)}*`)
  }
}

// Inputs

/** The kind of what a value refers to; a literal has none. */
const kindOf = (context: Context, task: TaskDefinition, value: unknown): string | undefined => {
  const { pipeline, kinds, edges, say } = context
  const reference = referenceOf(value)
  if (reference === undefined) return undefined
  const { scope, name } = reference
  const config = pipeline.config ?? {}
  const kind = scope === "config" ? own(config, name) : kinds.get(name)
  if (kind !== undefined) return kind
  if (scope === "config") {
    const meant = hint(name, Object.keys(config), "$config.")
    say(`task "${task.name}" reads $config.${name}, which the pipeline does not declare${meant}`)
  } else if (!edges.writers.has(`$context.${name}`)) {
    const meant = hint(name, kinds.keys(), "$context.")
    say(`task "${task.name}" reads $context.${name}, which no task writes${meant}`)
  }
  return undefined
}

const checkInput = (
  context: Context,
  task: TaskDefinition,
  field: string,
  wanted: string,
  piece: string | undefined,
) => {
  const { pipeline, edges, say } = context
  const value = own(task.input ?? {}, field)
  if (value === undefined) {
    const lacks = `lacks input "${field}" (${wanted}), which type "${task.type}" needs`
    if (!wanted.endsWith("?")) say(`task "${task.name}" ${lacks}`)
    return
  }
  if (value === "$each" && task.each === undefined) {
    say(`task "${task.name}" takes $each for input "${field}", but has no "each"`)
  }
  if (value !== "$each" && referenceOf(value) === undefined && !writable.has(plain(wanted))) {
    say(`task "${task.name}" takes input "${field}" of type ${wanted}, which can't be written out`)
  }
  if (plain(wanted) === "codec" && typeof value === "string" && referenceOf(value) === undefined) {
    const known: ReadonlyArray<string> = Codec.literals
    const meant = known.includes(value) ? undefined : hint(value, known)
    if (meant !== undefined) {
      say(`task "${task.name}" asks for codec "${value}"; there is ${known.join(", ")}${meant}`)
    }
  }
  const told = value === "$each" ? piece && plain(piece) : kindOf(context, task, value)
  const name = typeof value === "string" ? edges.writers.get(value) : undefined
  const writer = pipeline.tasks.find((other) => other.name === name)
  // Map after map: what the task before it wrote for the same piece.
  const isSamePiece = writer?.each !== undefined && writer.each === task.each && !isStream(wanted)
  const kind = told !== undefined && isSamePiece ? plain(told) : told
  if (kind === undefined || fits(kind, wanted)) return
  const from = writer ? ` (from task "${writer.name}")` : ""
  say(
    `task "${task.name}" takes input "${field}" of type ${wanted}, but ${value} is ${kind}${from}`,
  )
}

const checkInputs = (context: Context, task: TaskDefinition) => {
  const { types, say } = context
  const type = types.get(task.type)
  const piece = task.each === undefined ? undefined : kindOf(context, task, task.each)
  if (piece !== undefined && piece !== "any" && !isStream(piece)) {
    say(`task "${task.name}" runs for each of ${task.each}, which is ${piece}, not a stream`)
  }
  const given = Object.keys(task.input ?? {})
  if (type === undefined) {
    for (const field of given) kindOf(context, task, task.input?.[field])
    return
  }
  for (const [field, wanted] of Object.entries(type.input)) {
    checkInput(context, task, field, wanted, piece)
  }
  for (const field of given) {
    if (Object.hasOwn(type.input, field)) continue
    const meant = hint(field, Object.keys(type.input))
    say(
      `task "${task.name}" gives input "${field}", which type "${type.type}" does not take${meant}`,
    )
  }
}

// Order

const checkNext = ({ edges: { before }, say }: Context, task: TaskDefinition) => {
  for (const name of task.next ?? []) {
    if (before.has(name)) continue
    say(`task "${task.name}" names next "${name}", which is not a task${hint(name, before.keys())}`)
  }
}

/** Nothing that makes the video may wait for what begins when it is made. */
const checkLater = ({ pipeline, edges: { before }, say }: Context) => {
  const later = new Set(pipeline.tasks.flatMap((task) => (task.later ? [task.name] : [])))
  for (const { name } of pipeline.tasks) {
    if (later.has(name)) continue
    for (const other of before.get(name) ?? []) {
      if (later.has(other)) say(`task "${name}" waits for "${other}", which comes later`)
    }
  }
  for (const name of pipeline.playable ?? []) {
    if (later.has(name)) say(`"${name}" comes later, so nothing is playable by it`)
  }
}

const checkCycles = ({ edges: { before }, say }: Context) => {
  const closed = new Set<string>()
  const path: Array<string> = []
  const visit = (name: string) => {
    if (closed.has(name)) return
    const at = path.indexOf(name)
    if (at >= 0) {
      const around = [...path.slice(at), name].reverse().join(" -> ")
      say(`tasks wait for each other: ${around}`)
      return
    }
    path.push(name)
    for (const other of before.get(name) ?? []) visit(other)
    path.pop()
    closed.add(name)
  }
  for (const name of before.keys()) visit(name)
}

const unreachable = ({ pipeline, edges: { before } }: Context): ReadonlyArray<string> => {
  if (pipeline.start === undefined) return []
  const reached = new Set(pipeline.start)
  let size = -1
  while (size !== reached.size) {
    size = reached.size
    for (const [name, waits] of before) {
      if ([...waits].some((other) => reached.has(other))) reached.add(name)
    }
  }
  return [...before.keys()].filter((name) => !reached.has(name))
}

const checkSize = ({ pipeline, say }: Context) => {
  const count = pipeline.tasks.reduce((sum, { groups }) => sum + (groups?.length ?? 1), 0)
  if (count > MOST_STEPS) say(`it has ${count} steps with all groups; at most ${MOST_STEPS}`)
}

/** The sentences, in the order of the pipeline. */
export const checkPipeline = (
  pipeline: Pipeline,
  types: ReadonlyArray<TaskType>,
): ReadonlyArray<string> => {
  const sentences: Array<string> = []
  const context: Context = {
    pipeline,
    types: new Map(types.map((type) => [type.type, type])),
    edges: edgesOf(pipeline),
    kinds: new Map(),
    say: (sentence) => void sentences.push(`pipeline "${pipeline.pipeline}": ${sentence}`),
  }
  const { say } = context
  const { before } = context.edges
  checkNames(context)
  for (const task of pipeline.tasks) checkOutputs(context, task)
  for (const task of pipeline.tasks) {
    checkInputs(context, task)
    checkNext(context, task)
  }
  checkLater(context)
  checkCycles(context)
  for (const name of [...(pipeline.start ?? []), ...(pipeline.playable ?? [])]) {
    if (!before.has(name)) say(`"${name}" is not a task${hint(name, before.keys())}`)
  }
  checkSize(context)
  if (sentences.length > 0) return sentences
  const from = (pipeline.start ?? []).map((name) => `"${name}"`).join(", ")
  for (const name of unreachable(context)) {
    say(`task "${name}" is unreachable: no path leads to it from ${from}`)
  }
  return sentences
}
