// run.mjs check PORTABLE SIMD128 KATS | measure PORTABLE SIMD128: what .ci/wasm does with its two modules under Node.js.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [command, portablePath, simdPath, kats] = process.argv.slice(2);

// The sizes of FIPS 203, table 3, with the offset of ek in dk.
const SETS = {
  512: { ek: 800, dk: 1632, c: 768, offset: 768 },
  768: { ek: 1184, dk: 2400, c: 1088, offset: 1152 },
  1024: { ek: 1568, dk: 3168, c: 1568, offset: 1536 },
};

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

function load(path) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)));
  const module = instance.exports;
  const start = module.address();
  const bytes = () => Buffer.from(module.memory.buffer, start);
  const text = (length) => bytes().toString('latin1', 0, length);
  const write = (at, from) => from.copy(bytes(), at);
  const read = (at, length) => Buffer.from(bytes().subarray(at, at + length));
  return { module, text, write, read };
}

const portable = load(portablePath);
const simd = load(simdPath);
for (const [build, name] of [[portable, 'portable'], [simd, 'simd128']]) {
  const found = build.text(build.module.backend());
  if (found !== name) fail(`the build for ${name} runs on ${found}`);
}

// --- published vectors --------------------------------------------------------------------------

// The records of a file, see kats/README.md.
function records(file) {
  const text = readFileSync(join(kats, file), 'latin1');
  const split = text.indexOf('\n\n');
  const announced = Number(/^# count: (\d+)$/m.exec(text.slice(0, split))[1]);
  const list = text.slice(split + 2).trimEnd().split('\n\n').map((block) =>
    Object.fromEntries(block.split('\n').map((line) => line.split(' = '))));
  if (list.length !== announced) fail(`${file} has ${list.length} records and announces ${announced}`);
  return list;
}

// Whether a build gives what a record says.
function holds(build, record) {
  const number = Number(record.set.replace('ML-KEM-', ''));
  const sizes = SETS[number];
  const bytes = (name, length) => {
    const value = Buffer.from(record[name], 'hex');
    if (value.length !== length) fail(`the length of ${name} in case ${record.tc}`);
    return value;
  };
  const { module, write, read } = build;
  switch (record.function) {
    case 'keyGen':
      write(0, bytes('d', 32));
      write(32, bytes('z', 32));
      return module.key_gen(number) === 1 && read(64, sizes.dk).equals(bytes('dk', sizes.dk)) &&
        read(64 + sizes.offset, sizes.ek).equals(bytes('ek', sizes.ek));
    case 'encapsulation':
      write(0, bytes('m', 32));
      write(64, bytes('ek', sizes.ek));
      return module.encaps(number) === 1 && read(32, 32).equals(bytes('k', 32)) &&
        read(4096, sizes.c).equals(bytes('c', sizes.c));
    case 'decapsulation':
      write(64, bytes('dk', sizes.dk));
      write(4096, bytes('c', sizes.c));
      return module.decaps(number) === 1 && read(32, 32).equals(bytes('k', 32));
    case 'encapsulationKeyCheck':
      write(64, bytes('ek', sizes.ek));
      return module.encaps(number) === Number(record.passed === 'true');
    case 'decapsulationKeyCheck':
      write(64, bytes('dk', sizes.dk));
      write(4096, Buffer.alloc(sizes.c));
      return module.decaps(number) === Number(record.passed === 'true');
    default:
      return fail(`unknown function ${record.function}`);
  }
}

function vectors(build, name) {
  let count = 0;
  for (const edition of ['acvp-2024', 'acvp-2026']) {
    for (const file of ['keygen.txt', 'encapdecap.txt']) {
      for (const record of records(`${edition}/${file}`)) {
        if (!holds(build, record)) fail(`${name}: case ${record.tc} of ${edition}/${file}`);
        count += 1;
      }
    }
  }
  if (count !== 420) fail(`${count} published vectors`);
  // A vector with one bit turned must be noticed.
  for (const [file, field] of [['acvp-2024/keygen.txt', 'ek'], ['acvp-2024/encapdecap.txt', 'c']]) {
    const [record] = records(file);
    record[field] = record[field].slice(0, -1) + (record[field].endsWith('0') ? '1' : '0');
    if (holds(build, record)) fail(`${name}: a wrong ${field} passes for right`);
  }
  console.log(`${name}: ${count} published vectors; two planted faults found`);
}

// --- comparison ---------------------------------------------------------------------------------

function conformance() {
  const { module, text } = simd;
  const rounds = 300;
  const count = module.conformance(1, rounds, 0) >>> 0;
  if (count === 0) fail(`simd128 and portable differ in ${text(module.operation(module.failed()))}`);
  if (count < 500000) fail(`${count} comparisons only`);
  let operations = 0;
  for (; module.operation(operations + 1) > 0; operations += 1) {
    const name = text(module.operation(operations + 1));
    if (module.conformance(2, 2, operations + 1) !== 0) fail(`a fault planted in ${name} is not found`);
    if (module.failed() !== operations + 1) fail(`a fault planted in ${name} is found elsewhere`);
  }
  console.log(`simd128: ${count} comparisons of ${operations} operations and steps with portable; ` +
    `${operations} planted faults found, one in each`);
}

// --- time ---------------------------------------------------------------------------------------

function summary(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[sorted.length >> 1] };
}

// Microseconds of each call, in turns of a few milliseconds.
function interleaved(calls, turns) {
  const times = calls.map(() => []);
  const batch = calls.map((call) => {
    // Long enough for the optimising compiler to be done.
    const end = performance.now() + 300;
    let n = 0;
    while (performance.now() < end) {
      call();
      n += 1;
    }
    return Math.max(1, Math.round(n / 100));
  });
  for (let turn = 0; turn < turns; turn += 1) {
    calls.forEach((call, i) => {
      const start = performance.now();
      for (let n = 0; n < batch[i]; n += 1) call();
      times[i].push((performance.now() - start) * 1000 / batch[i]);
    });
  }
  return times.map(summary);
}

function row(name, slow, fast) {
  const figure = (number) => number.toFixed(1).padStart(8);
  console.log(`${name.padEnd(34)}${figure(slow.min)}${figure(slow.median)}${figure(fast.min)}${figure(fast.median)}` +
    `   ${(slow.min / fast.min).toFixed(2)}  ${(slow.median / fast.median).toFixed(2)}`);
}

function measure() {
  console.log('microseconds, min and median'.padEnd(34) + '        portable         simd128   ratios');
  for (const number of Object.keys(SETS).map(Number)) {
    const builds = [portable, simd];
    for (const operation of ['key_gen', 'encaps', 'decaps']) {
      for (const { module, write, read } of builds) {
        write(0, Buffer.alloc(64, 7));
        module.key_gen(number);
        if (operation === 'key_gen') continue;
        const dk = read(64, SETS[number].dk);
        write(64, read(64 + SETS[number].offset, SETS[number].ek));
        module.encaps(number);
        if (operation === 'decaps') write(64, dk);
      }
      for (const { module } of builds) if (module[operation](number) !== 1) fail(`${operation} ML-KEM-${number}`);
      const [slow, fast] = interleaved(builds.map(({ module }) => () => module[operation](number)), 60);
      row(`ML-KEM-${number} ${operation}`, slow, fast);
    }
  }
  const [slow, fast] = interleaved([0, 1].map((wide) => () => simd.module.permutations(wide, 100)), 60);
  row('200 permutations: alone, two at once', slow, fast);
}

if (command === 'check') {
  vectors(portable, 'portable');
  vectors(simd, 'simd128');
  conformance();
} else {
  measure();
}
