/** The builder: the same pipeline in TypeScript, where a wrong reference or kind does not compile. */
import type { Pipeline, TaskDefinition } from "./pipeline.ts"
import type { Kinds, TaskType } from "./task-types.ts"

/** Something a task can read: `$config.x`, `$context.x` or `$each`, and of what kind it is. */
interface Ref<Kind extends string> {
  readonly ref: string
  readonly kind: Kind
}

type Plain<Kind extends string> = Kind extends `${infer Some}*` | `${infer Some}?` ? Some : Kind

type Given<Input extends Kinds> = {
  readonly [Field in keyof Input as Input[Field] extends `${string}?` ? never : Field]: Ref<
    Input[Field]
  >
} & {
  readonly [Field in keyof Input as Input[Field] extends `${string}?` ? Field : never]?: Ref<
    Plain<Input[Field]>
  >
}

type Results<Output extends Kinds> = { readonly [Field in keyof Output]: Ref<Output[Field]> }
type Streams<Output extends Kinds> = { readonly [Field in keyof Output]: Ref<`${Output[Field]}*`> }

type More = Pick<TaskDefinition, "next" | "optional" | "later" | "groups">

export interface Tools<Config extends Kinds> {
  readonly config: { readonly [Name in keyof Config]: Ref<Config[Name]> }
  readonly task: <Input extends Kinds, Output extends Kinds>(
    name: string,
    type: TaskType<Input, Output>,
    input: Given<Input>,
    more?: More,
  ) => Results<Output>
  /** One task for each piece of the stream. */
  readonly each: <Input extends Kinds, Output extends Kinds, Kind extends string>(
    name: string,
    stream: Ref<`${Kind}*`>,
    type: TaskType<Input, Output>,
    input: (piece: Ref<Kind>) => Given<Input>,
    more?: More,
  ) => Streams<Output>
}

type Refs = Readonly<Record<string, Ref<string>>>

export const definePipeline = <const Config extends Kinds>(
  name: string,
  config: Config,
  playable: ReadonlyArray<string>,
  build: (tools: Tools<Config>) => void,
): Pipeline => {
  const tasks: Array<TaskDefinition> = []
  const add = (
    task: string,
    { type, output }: TaskType,
    input: Refs,
    more: Partial<TaskDefinition>,
  ) => {
    const written = (field: string) => `${task}.${field}`
    const fields = Object.keys(output)
    tasks.push({
      name: task,
      type,
      input: Object.fromEntries(Object.entries(input).map(([field, { ref }]) => [field, ref])),
      output: Object.fromEntries(fields.map((field) => [written(field), `it.${field}`])),
      ...more,
    })
    const end = more.each === undefined ? "" : "*"
    return Object.fromEntries(
      Object.entries(output).map(([field, kind]) => [
        field,
        { ref: `$context.${written(field)}`, kind: `${kind}${end}` },
      ]),
    )
  }
  // The types above say what these records hold; they are made from the same names.
  const tools = {
    config: Object.fromEntries(
      Object.entries(config).map(([key, kind]) => [key, { ref: `$config.${key}`, kind }]),
    ),
    task: (task: string, type: TaskType, input: Refs, more: More = {}) =>
      add(task, type, input, more),
    each: (
      task: string,
      stream: Ref<string>,
      type: TaskType,
      input: (piece: Ref<string>) => Refs,
      more: More = {},
    ) => {
      const piece = { ref: "$each", kind: stream.kind.slice(0, -1) }
      return add(task, type, input(piece), { ...more, each: stream.ref })
    },
  } as Tools<Config>
  build(tools)
  return { pipeline: name, config, playable, tasks }
}
