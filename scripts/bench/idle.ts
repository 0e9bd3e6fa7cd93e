/** Leaves a platform alone and looks at what it uses. */

import { parseArgs } from "node:util"
import { EventStoreDBClient, START } from "@eventstore/db-client"
import { forget, startPlatform } from "../../apps/platform/testing.ts"
import { usesOfTree } from "./usage.ts"

const GOAL = { mebibytes: 700, share: 0.03, eventsPerDay: 10_000 }
const DAY_SECONDS = 86_400

const { values } = parseArgs({
  options: {
    wait: { type: "string", default: "30" },
    seconds: { type: "string", default: "60" },
  },
})

/** The types of all events in the log. */
const typesIn = async (url: string) => {
  const client = EventStoreDBClient.connectionString(url)
  const types: Array<string> = []
  for await (const { event } of client.readAll({ fromPosition: START })) {
    if (event !== undefined) types.push(event.type)
  }
  await client.dispose()
  return types
}

const counted = (types: ReadonlyArray<string>) =>
  [...new Set(types)]
    .map((type) => `${types.filter((other) => other === type).length} ${type}`)
    .join(", ")

const platform = await startPlatform()
try {
  await Bun.sleep(Number(values.wait) * 1000)
  const typesBefore = await typesIn(platform.eventStoreUrl)
  const before = usesOfTree(platform.pid)
  const began = performance.now()
  await Bun.sleep(Number(values.seconds) * 1000)
  const after = usesOfTree(platform.pid)
  const seconds = (performance.now() - began) / 1000
  const types = (await typesIn(platform.eventStoreUrl)).slice(typesBefore.length)

  const rows = after.map((use) => {
    const spent = use.seconds - (before.find(({ pid }) => pid === use.pid)?.seconds ?? 0)
    return { name: use.name, mebibytes: use.mebibytes, share: spent / seconds }
  })
  const names = [...new Set(rows.map(({ name }) => name))]
  const print = (name: string, mebibytes: number, share: number) =>
    console.log(
      `${name.padEnd(20)} ${mebibytes.toFixed(1).padStart(8)} MiB ${(share * 100).toFixed(2).padStart(7)} %`,
    )
  const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, one) => total + one, 0)
  console.log(
    `idle for ${values.wait} s, then looked at for ${seconds.toFixed(0)} s: PSS, share of a core`,
  )
  for (const name of names) {
    const mine = rows.filter((row) => row.name === name)
    print(
      mine.length === 1 ? name : `${name} (${mine.length})`,
      sum(mine.map(({ mebibytes }) => mebibytes)),
      sum(mine.map(({ share }) => share)),
    )
  }
  const mebibytes = sum(rows.map((row) => row.mebibytes))
  const share = sum(rows.map((row) => row.share))
  const perDay = Math.round((types.length * DAY_SECONDS) / seconds)
  print("all", mebibytes, share)
  console.log(`events: ${types.length} (${counted(types)}), ${perDay} a day`)
  const verdict = (isMet: boolean) => (isMet ? "met" : "MISSED")
  console.log(
    [
      `goals: under ${GOAL.mebibytes} MiB ${verdict(mebibytes < GOAL.mebibytes)}`,
      `under ${GOAL.share * 100} % of a core ${verdict(share < GOAL.share)}`,
      `under ${GOAL.eventsPerDay} events a day ${verdict(perDay < GOAL.eventsPerDay)}`,
    ].join("; "),
  )
} finally {
  await platform.stop()
  forget(platform)
}
