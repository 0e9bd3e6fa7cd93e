/** Loaded before every test file (bunfig.toml): a test that encodes, or starts a platform, takes longer than Bun's 5 s. */
import { setDefaultTimeout } from "bun:test"

setDefaultTimeout(120_000)
