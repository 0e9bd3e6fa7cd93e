/** Counts the answers of this process for `/metrics`. */
import { Metric } from "effect"

const answered = Metric.counter("reelog_http_answers_total", {
  description: "HTTP answers, by status",
  incremental: true,
})
/** Counts one answer. */
export const countAnswer = (status: number) =>
  Metric.update(Metric.withAttributes(answered, { status: String(status) }), 1)
