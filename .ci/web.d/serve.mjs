// A server of files for this machine alone.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.txt': 'text/plain', '.wasm': 'application/wasm' }
// A page on its own has a clock of 5 microseconds, others one of 100.
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

/**
 * Serves folders, each below a path, and says where: the address of "/".
 * @param {Record<string, string>} folders
 */
export async function serve(folders) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
    const below = Object.keys(folders).filter((below) => path.startsWith(below)).sort((a, b) => b.length - a.length)[0]
    const type = TYPES[extname(path)]
    try {
      if (below === undefined || type === undefined) throw new Error(path)
      const body = await readFile(join(folders[below], path.slice(below.length)))
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', ...ISOLATED }).end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }
}
