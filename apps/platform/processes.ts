/**
 * The processes of an embedded platform and the settings each is given: exactly those that a
 * cluster gives them, so that the two differ by connection strings alone.
 */
import { join } from "node:path"
import type { Home } from "./home.ts"

export interface Wanted {
  readonly port: number
  readonly workers: number
  readonly cores: number
  readonly programs: string
}

export interface ProcessSpec {
  readonly name: string
  readonly script: string
  readonly env: Readonly<Record<string, string>>
  /** 1: stores, without which others can't begin. 2: what answers people. 3: all the rest. They stop in the opposite order. */
  readonly tier: 1 | 2 | 3
  /** It is ready when it says so on its first line, when this answers, or as soon as it runs. */
  readonly ready: "line" | "spawned" | { readonly url: string }
}

export const addresses = (home: Home, { port }: Wanted) => ({
  url: `http://127.0.0.1:${port}`,
  edgeUrl: `http://127.0.0.1:${port + 1}`,
  s3Url: `http://127.0.0.1:${port + 2}`,
  eventStoreUrl: `esdb://127.0.0.1:${home.ports.eventStore}?tls=false`,
  databaseUrls: ["reelog_0", "reelog_1"]
    .map(
      (name) =>
        `postgres://postgres:${home.secrets.postgresPassword}@127.0.0.1:${home.ports.postgres}/${name}`,
    )
    .join(","),
})

export const processesOf = (home: Home, wanted: Wanted): ReadonlyArray<ProcessSpec> => {
  const { url, edgeUrl, s3Url, eventStoreUrl, databaseUrls } = addresses(home, wanted)
  const { secrets, ownerToken, directory } = home
  const at = (...names: ReadonlyArray<string>) => join(directory, ...names)
  const address = (offset: number) => `127.0.0.1:${wanted.port + offset}`

  const log = { REELOG_EVENTSTORE_URL: eventStoreUrl }
  const objects = {
    REELOG_S3_ENDPOINT: s3Url,
    REELOG_S3_PUBLIC_URL: s3Url,
    REELOG_S3_ACCESS_KEY_ID: secrets.s3AccessKeyId,
    REELOG_S3_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
  }
  const database = { REELOG_DATABASE_URLS: databaseUrls }
  const origins = { REELOG_PUBLIC_URL: url, REELOG_EDGE_URL: edgeUrl }
  const programs = wanted.programs === "" ? {} : { REELOG_PROGRAMS: wanted.programs }
  const slots = String(Math.max(1, Math.floor(wanted.cores / wanted.workers)))

  const app = (
    name: string,
    script: string,
    env: Readonly<Record<string, string>>,
    ready: ProcessSpec["ready"] = "spawned",
  ): ProcessSpec => ({
    name,
    script: `apps/${script}`,
    env,
    tier: ready === "spawned" ? 3 : 2,
    ready,
  })
  const node = (
    name: string,
    folder: string,
    env: Readonly<Record<string, string>>,
  ): ProcessSpec => ({ name, script: `infra/${folder}/node/main.ts`, env, tier: 1, ready: "line" })

  return [
    node("event-store", "event-store", {
      REELOG_EVENTSTORE_LISTEN: `127.0.0.1:${home.ports.eventStore}`,
      REELOG_EVENTSTORE_DATA: at("events"),
    }),
    node("object-store", "object-store", {
      ...objects,
      REELOG_S3_LISTEN: address(2),
      REELOG_S3_DATA: at("objects"),
      REELOG_S3_BUCKET: "reelog",
      REELOG_S3_CORS_ORIGINS: url,
    }),
    node("postgres", "read-store", {
      REELOG_POSTGRES_DATA: at("postgres"),
      REELOG_POSTGRES_PORT: String(home.ports.postgres),
      REELOG_POSTGRES_PASSWORD: secrets.postgresPassword,
    }),
    app("projector", "projector/main.ts", { ...log, ...database }),
    app("scheduler", "scheduler/main.ts", { ...log, REELOG_SCHEDULER_RANK: "0" }),
    app("standby", "scheduler/main.ts", { ...log, REELOG_SCHEDULER_RANK: "1" }),
    app("completion", "completion/main.ts", { ...log, ...objects }),
    app(
      "edge",
      "edge/main.ts",
      { ...log, ...objects, REELOG_EDGE_LISTEN: address(1), REELOG_EDGE_CACHE: at("edge") },
      { url: `${edgeUrl}/healthz` },
    ),
    ...Array.from({ length: wanted.workers }, (_, index) =>
      app(`worker-${index + 1}`, "worker/main.ts", {
        ...log,
        ...objects,
        ...programs,
        REELOG_WORKER_SLOTS: slots,
        REELOG_SCRATCH: at("scratch", String(index + 1)),
      }),
    ),
    app(
      "public",
      "platform/public.ts",
      {
        ...log,
        ...objects,
        ...database,
        ...origins,
        REELOG_LISTEN: address(0),
        REELOG_SECRET: secrets.secret,
        REELOG_OWNER_TOKEN: ownerToken,
        REELOG_PERSONAL_DATA_KEY: secrets.personalDataKey,
        REELOG_WEB_CACHE: at("pages"),
      },
      { url: `${url}/readyz` },
    ),
  ]
}
