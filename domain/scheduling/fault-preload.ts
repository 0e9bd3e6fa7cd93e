/** Loads one file of this folder with one place changed, as `FAULT` says. For `faults.test.ts`. */
const { file, from, to } = JSON.parse(process.env.FAULT ?? "{}")

Bun.plugin({
  name: "fault",
  setup: (build) => {
    build.onLoad({ filter: new RegExp(`/scheduling/${file}$`) }, async ({ path }) => ({
      contents: (await Bun.file(path).text()).replace(from, () => to),
      loader: "ts",
    }))
  },
})
