/** What all streaming calls share: a signal that ends them, and writing no faster than the client reads. */
import type { ServiceError } from "@grpc/grpc-js"
import { internal } from "./failures.ts"

interface Call {
  readonly on: (event: string, listener: () => void) => unknown
}

interface WritableCall {
  readonly write: (message: Buffer) => boolean
  readonly once: (event: "drain", listener: () => void) => unknown
  readonly off: (event: "drain", listener: () => void) => unknown
}

/** Aborts when the client cancels or goes away. */
export const endOf = (call: Call): AbortSignal => {
  const controller = new AbortController()
  const abort = () => controller.abort()
  call.on("cancelled", abort)
  call.on("close", abort)
  call.on("error", abort)
  return controller.signal
}

/** Undefined when more may be written at once. */
export const send = (
  call: WritableCall,
  message: Buffer,
  signal: AbortSignal,
): Promise<void> | undefined => {
  if (signal.aborted || call.write(message)) return undefined
  return new Promise((resolve) => {
    const goOn = () => {
      call.off("drain", goOn)
      signal.removeEventListener("abort", goOn)
      resolve()
    }
    call.once("drain", goOn)
    signal.addEventListener("abort", goOn, { once: true })
  })
}

/** Sends them all; waits only where the client is slow. */
export const sendAll = async (
  call: WritableCall,
  messages: ReadonlyArray<Buffer>,
  signal: AbortSignal,
) => {
  for (const message of messages) {
    const drained = send(call, message, signal)
    if (drained !== undefined) await drained
  }
}

/** Lets other work in between two pages. */
export const aMoment = () => new Promise<void>((resolve) => setImmediate(resolve))

/** What a handler threw, as the status of its call. */
export const failureOf = (cause: unknown): ServiceError =>
  cause instanceof Error && "code" in cause && "metadata" in cause
    ? (cause as ServiceError)
    : internal(cause)

export const passBuffer = (message: Buffer) => message
