/** The words of the `task { … }` notation, each with its line. Comments as in TypeScript. */

export interface Token {
  readonly kind: "word" | "text" | "number" | "sign" | "stray" | "end"
  readonly text: string
  readonly line: number
}

const patterns = [
  ["space", /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y],
  // A dash joins a word only when a letter follows: `it ->` is two tokens also without the space.
  ["word", /[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*/y],
  ["text", /'[^'\n]*'|"[^"\n]*"/y],
  ["number", /-?\d+(?:\.\d+)?/y],
  ["sign", /->|[{}=,]/y],
  ["stray", /./suy],
] as const

const tokenAt = (source: string, at: number) => {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at
    const found = pattern.exec(source)?.[0]
    if (found !== undefined) return { kind, found }
  }
  return undefined
}

export const tokensOf = (source: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  let line = 1
  let at = 0
  let next = tokenAt(source, at)
  while (next !== undefined) {
    const { kind, found } = next
    const text = kind === "text" ? found.slice(1, -1) : found
    if (kind !== "space") tokens.push({ kind, text, line })
    line += found.split("\n").length - 1
    at += found.length
    next = tokenAt(source, at)
  }
  return [...tokens, { kind: "end", text: "the end", line }]
}
