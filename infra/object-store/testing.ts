/** Starts the embedded node for a test, on a free port and an empty folder. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { S3Client, type S3ClientConfig, S3ServiceException } from "@aws-sdk/client-s3"
import { environmentLayer } from "#infra/configuration.ts"

export const credentials = {
  REELOG_S3_ACCESS_KEY_ID: "test-key",
  REELOG_S3_SECRET_ACCESS_KEY: "test-secret",
}

export interface ObjectStoreNode {
  readonly url: string
  readonly pid: number
  readonly kill: (signal: "SIGTERM" | "SIGKILL") => Promise<number>
}

/** On a folder that stays, for a node that is killed and started again. */
export const startNodeOn = async (
  folder: string,
  env: Record<string, string> = {},
): Promise<ObjectStoreNode> => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "node/main.ts")], {
    env: {
      ...process.env,
      ...credentials,
      REELOG_S3_LISTEN: "127.0.0.1:0",
      REELOG_S3_DATA: folder,
      REELOG_S3_CORS_ORIGINS: "http://pages.test",
      REELOG_PARENT_PID: String(process.pid),
      ...env,
    },
    stdout: "pipe",
    stderr: "inherit",
  })
  const { value } = await child.stdout.getReader().read()
  const { ready }: { readonly ready: string } = JSON.parse(new TextDecoder().decode(value))
  return {
    url: ready,
    pid: child.pid,
    kill: (signal) => {
      child.kill(signal)
      return child.exited
    },
  }
}

export const newFolder = () => mkdtempSync(join(tmpdir(), "reelog-object-store-"))

export const startNode = async (env: Record<string, string> = {}) => {
  const folder = newFolder()
  const node = await startNodeOn(folder, env)
  return {
    url: node.url,
    pid: node.pid,
    folder,
    stop: async () => {
      const code = await node.kill("SIGTERM")
      rmSync(folder, { recursive: true })
      return code
    },
  }
}

/** The settings of a client of the node. */
export const clientSettings = (url: string) =>
  environmentLayer({ ...credentials, REELOG_S3_ENDPOINT: url })

/** The SDK's own client, for what the port does not ask for. */
export const sdkClient = (url: string, options: S3ClientConfig = {}) =>
  new S3Client({
    endpoint: url,
    region: "local",
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: {
      accessKeyId: credentials.REELOG_S3_ACCESS_KEY_ID,
      secretAccessKey: credentials.REELOG_S3_SECRET_ACCESS_KEY,
    },
    ...options,
  })

/** Status and code of a refusal. */
export const refusalOf = (sent: Promise<unknown>) =>
  sent.then(
    () => "was allowed",
    (cause: unknown) =>
      cause instanceof S3ServiceException
        ? `${cause.$metadata.httpStatusCode} ${cause.name}`
        : String(cause),
  )
