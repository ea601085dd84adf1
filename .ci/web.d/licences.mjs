// licences.mjs NAME VERSION...: the licences of these crates, which are in WebAssembly beside ours, from what `cargo metadata` says on
// the standard input. MIT and BSD ask for their text in what is shipped.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

const { packages } = JSON.parse(readFileSync(0, 'utf8'))
const wanted = process.argv.slice(2)
console.log('WebAssembly in this package has code of these crates in it, each under the terms that follow it.')
for (let i = 0; i < wanted.length; i += 2) {
  const [name, version] = [wanted[i], wanted[i + 1]]
  const found = packages.find((crate) => crate.name === name && crate.version === version)
  if (!found) throw new Error(`no crate ${name} ${version}`)
  const folder = dirname(found.manifest_path)
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copyright|notice)/i.test(file)).sort()
  // The text of Apache-2.0 is in LICENSE of this package.
  const texts = files.filter((file) => !/apache/i.test(file)).map((file) => readFileSync(join(folder, file), 'utf8').trim())
  if (texts.length === 0) throw new Error(`${name} ${version} has no text of a licence`)
  console.log(`\n${'='.repeat(80)}\n${name} ${version} (${found.license})\n\n${texts.join('\n\n')}`)
}
