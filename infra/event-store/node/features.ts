/** What this server can do; clients ask once per connection and choose their calls by it. */

import features from "@eventstore/db-client/generated/serverfeatures_pb.js"
import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js"

const VERSION = "24.10.0"
const STREAMS = "event_store.client.streams.Streams"
const GROUPS = "event_store.client.persistent_subscriptions.PersistentSubscriptions"
const OPERATIONS = "event_store.client.operations.Operations"

const methods: ReadonlyArray<readonly [string, ReadonlyArray<string>, ReadonlyArray<string>]> = [
  [STREAMS, ["append", "batchappend", "delete", "tombstone"], []],
  [STREAMS, ["read"], ["position", "events"]],
  [GROUPS, ["create", "update", "delete", "read", "getinfo", "replayparked"], ["stream", "all"]],
  [GROUPS, ["list"], ["stream", "all"]],
  [GROUPS, ["restartsubsystem"], []],
  [OPERATIONS, ["startscavenge", "stopscavenge", "restartpersistentsubscriptions"], []],
]

const supported = () => {
  const answer = new features.SupportedMethods()
  answer.setEventStoreServerVersion(VERSION)
  for (const [service, names, traits] of methods) {
    for (const name of names) {
      const method = new features.SupportedMethod()
      method.setServiceName(service)
      method.setMethodName(name)
      method.setFeaturesList([...traits])
      answer.addMethods(method)
    }
  }
  return answer
}

export const getSupportedMethods = (
  _call: ServerUnaryCall<unknown, features.SupportedMethods>,
  answer: sendUnaryData<features.SupportedMethods>,
) => answer(null, supported())
