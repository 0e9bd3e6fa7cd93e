/** `/openapi.json` from the routes themselves, and a page at `/docs` whose files all come from here. */
import { openapi } from "@elysiajs/openapi"
import { Schema } from "effect"
import { Elysia } from "elysia"
import packageJson from "#package.json" with { type: "json" }

const ui = `${import.meta.dir}/../../node_modules/swagger-ui-dist`
const files = {
  "swagger-ui.css": "text/css",
  "swagger-ui-bundle.js": "text/javascript",
} as const

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Reelog API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/open.js"></script>
</html>
`
const open = 'SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", validatorUrl: null })\n'

const answer = (body: string | Blob, type: string) =>
  new Response(body, {
    headers: {
      "content-type": type,
      "cache-control": "no-cache",
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'",
      "x-content-type-options": "nosniff",
    },
  })

export const document = openapi({
  path: "/openapi",
  specPath: "/openapi.json",
  provider: null,
  // Pages may share the app; they are no part of the API.
  exclude: { paths: [/^(?!\/(v1|healthz|readyz|metrics)\b)/, /\*/] },
  mapJsonSchema: { effect: (schema: Schema.Top) => Schema.toJsonSchemaDocument(schema).schema },
  documentation: {
    info: {
      title: "Reelog",
      version: packageJson.version,
      description:
        "Upload, watch, take down and rewind videos. Writes need `Authorization: Bearer`; errors are RFC 9457 problems with a stable `code`; every write answers `Reelog-Position`, every read takes `after=`.",
    },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
  },
})

export const docs = new Elysia()
  .get("/docs", () => answer(page, "text/html; charset=utf-8"), { detail: { hide: true } })
  .get("/docs/open.js", () => answer(open, "text/javascript"), { detail: { hide: true } })
  .get(
    "/docs/swagger-ui.css",
    () => answer(Bun.file(`${ui}/swagger-ui.css`), files["swagger-ui.css"]),
    {
      detail: { hide: true },
    },
  )
  .get(
    "/docs/swagger-ui-bundle.js",
    () => answer(Bun.file(`${ui}/swagger-ui-bundle.js`), files["swagger-ui-bundle.js"]),
    { detail: { hide: true } },
  )
