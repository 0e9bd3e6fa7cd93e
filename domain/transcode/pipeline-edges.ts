/** Which task waits for which: from the data it reads, and from `next`. */
import type { Pipeline } from "./pipeline.ts"

export const referenceOf = (
  value: unknown,
): { readonly scope: "config" | "context"; readonly name: string } | undefined => {
  const [, scope, name] =
    typeof value === "string" ? (/^\$(config|context)\.(.+)$/.exec(value) ?? []) : []
  if (name === undefined) return undefined
  return { scope: scope === "config" ? "config" : "context", name }
}

export interface Edges {
  /** Task → the tasks it waits for. */
  readonly before: ReadonlyMap<string, Set<string>>
  /** `$context.x` → the task that writes it. */
  readonly writers: ReadonlyMap<string, string>
}

export const edgesOf = ({ tasks }: Pipeline): Edges => {
  const writers = new Map<string, string>()
  for (const { name, output } of tasks) {
    for (const written of Object.keys(output ?? {})) {
      const reference = `$context.${written}`
      if (!writers.has(reference)) writers.set(reference, name)
    }
  }
  const before = new Map(tasks.map(({ name }) => [name, new Set<string>()] as const))
  for (const { name, each, input, next } of tasks) {
    for (const value of [each, ...Object.values(input ?? {})]) {
      const writer = typeof value === "string" ? writers.get(value) : undefined
      if (writer !== undefined) before.get(name)?.add(writer)
    }
    for (const follower of next ?? []) before.get(follower)?.add(name)
  }
  return { before, writers }
}
