/**
 * Runs the tests in three rounds (quick, integration, whole platform) and adds them up. Files of
 * the last two run in a process each: they start servers, and one appending event store client is
 * all a process may have.
 */
import { Glob } from "bun"

const ROUND_MINUTES = { quick: 5, int: 6, e2e: 12 } as const
type Round = keyof typeof ROUND_MINUTES

const wanted = process.argv.slice(2)
const files = [
  ...new Glob("{apps,domain,infra,projections,scripts}/**/*.test.{ts,tsx}").scanSync("."),
]
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()
const roundOf = (file: string): Round =>
  file.includes(".int.test.") ? "int" : file.includes(".e2e.test.") ? "e2e" : "quick"

const totals = { pass: 0, fail: 0, skip: 0 }
const count = (output: string, word: string) =>
  Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(output)?.[1] ?? 0)

const run = async (round: Round, group: ReadonlyArray<string>) => {
  const started = performance.now()
  const child = Bun.spawn(
    [process.execPath, "--no-orphans", "test", ...group.map((file) => `./${file}`)],
    { stdout: "pipe", stderr: "pipe", env: { ...process.env, NODE_ENV: "test" } },
  )
  const watchdog = setTimeout(() => child.kill("SIGKILL"), ROUND_MINUTES[round] * 60_000)
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  const code = await child.exited
  clearTimeout(watchdog)
  const [pass, fail, skip] = [count(err, "pass"), count(err, "fail"), count(err, "skip")]
  totals.pass += pass
  totals.skip += skip
  // A file that could not even be loaded, crashed or was stopped counts as one failure.
  totals.fail += code !== 0 && fail === 0 ? 1 : fail
  const name = group.length === 1 ? group[0] : `${group.length} ${round} files`
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `${code === 0 ? "ok  " : "FAIL"} ${name}: ${pass} passed, ${fail} failed (${seconds} s)`,
  )
  if (code !== 0) console.log(`${out}\n${err}`)
  else
    for (const line of out.split("\n")) if (/\bskipped\b/i.test(line)) console.log(`     ${line}`)
}

const quick = files.filter((file) => roundOf(file) === "quick")
if (quick.length > 0) await run("quick", quick)
for (const round of ["int", "e2e"] as const) {
  for (const file of files.filter((other) => roundOf(other) === round)) await run(round, [file])
}
console.log(
  `${totals.pass} passed, ${totals.fail} failed${totals.skip > 0 ? `, ${totals.skip} skipped` : ""}`,
)
process.exit(totals.fail > 0 || totals.pass === 0 ? 1 : 0)
