// proofs.mjs MODULE...: every item of tests/proofs in these modules, for `.ci/wasm proofs`.
import { readFileSync } from 'node:fs';

let failed = 0;
let run = 0;
for (const path of process.argv.slice(2)) {
  const load = () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)));
    const text = (length) => Buffer.from(exports.memory.buffer, exports.text(), length).toString();
    return { exports, text, count: exports.start() };
  };
  // A trap may leave anything behind: each item has an instance of its own, and says what it said last.
  const attempt = (call) => {
    const instance = load();
    try {
      return { said: instance.text(call(instance.exports)) };
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      return { failure: instance.text(instance.exports.message()) || error.message };
    }
  };
  const planted = attempt((exports) => exports.planted() ?? 0);
  if (!planted.failure?.includes('planted')) throw new Error('a planted failure is not seen');

  const { exports, text, count } = load();
  const backend = text(exports.backend());
  if (count < 20) throw new Error(`${count} items only`);
  for (let item = 0; item < count; item += 1) {
    if (exports.ignored(item)) continue;
    const name = text(exports.name(item));
    const start = performance.now();
    const { said, failure } = attempt((exports) => exports.run(item));
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    run += 1;
    if (failure) {
      failed += 1;
      console.log(`FAILED     ${backend}::${name}: ${failure}`);
    } else {
      const [evidence, inputs, what] = said.split('\t');
      console.log(`${evidence.padEnd(11)}${`${backend}::${name}`.padEnd(36)}${inputs.padStart(11)} inputs ${seconds.padStart(6)} s  ${what}`);
    }
  }
}
console.log(`proofs: ${run} run, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
