// Chorus and the system it took its interfaces from, on one Redis: docs/interoperation.md says how to run this.
//
//   node tests/interop/run.mjs CHECKOUT [--node NODE] [WORD]
//
// CHECKOUT: the original's folder, after `npm install`. --node: what to run it with. WORD: only checks whose name has it.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as comments from './comments.mjs';
import { flushedUnderUs, setup } from './nineteen.mjs';
import { oursToTheirs, theirsToOurs } from './reports.mjs';
import { World } from './world.mjs';

const checks = {
  'comments: theirs reach our viewers, without a number': comments.theirCommentsReachOurViewers,
  'comments: ours reach their viewers': comments.ourCommentsReachTheirViewers,
  'mappings: theirs hold for our manager, comment API and readers': comments.theirMappingsHoldForUs,
  'mappings: to a reader nobody knows, honoured': comments.unknownReadersAreHonoured,
  'mappings: ours hold for their manager': comments.ourMappingsHoldForThem,
  'statistics: their services report to ours': theirsToOurs,
  'statistics: our services report to theirs': oursToTheirs,
  'original clients, all else original (for comparison)': setup({}),
  'original clients, our statistics, all else original': setup({ statistics: 'chorus' }),
  'original clients, our comment API, all else original': setup({ comment: 'chorus' }),
  'original clients, our manager, all else original, two readers': setup({ manager: 'chorus' }, 2),
  'original clients, our reader, all else original': setup({ reader: 'chorus' }),
  'original clients, two readers of ours, all else original': setup({ reader: 'chorus' }, 2),
  'original clients, our manager, a reader of each maker, all else original': setup({ manager: 'chorus' }, ['original', 'chorus']),
  'original clients, all else ours, by environment alone': setup({ statistics: 'chorus', comment: 'chorus', manager: 'chorus', reader: 'chorus' }, 3),
  'original clients, all else ours, 40 s, emptying the Redis under viewers': flushedUnderUs,
  'our clients, all else original': setup({ clients: 'chorus' }),
  'our clients, our manager, all else original, two readers': setup({ clients: 'chorus', manager: 'chorus' }, 2),
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { node: { type: 'string', default: process.execPath } } });
const [checkout, word = ''] = positionals;
if (!checkout) {
  console.error('usage: node tests/interop/run.mjs CHECKOUT [--node NODE] [WORD]; CHORUS_BIN names the binary');
  process.exit(2);
}
const nodeVersion = execFileSync(values.node, ['--version'], { encoding: 'utf8' }).trim();
const options = { checkout: resolve(checkout), binary: resolve(process.env.CHORUS_BIN ?? 'build/chorus'), node: resolve(values.node) };

async function run(name, check) {
  const world = new World(options);
  world.originalKeepsViewers = Number(nodeVersion.match(/\d+/)[0]) < 16;
  try {
    try {
      await check(await world.open());
    } finally {
      await world.close();
    }
    console.log(`pass  ${name}${world.note ? `: ${world.note}` : ''}`);
    return true;
  } catch (error) {
    console.log(`FAIL  ${name}\n      ${error.stack.replaceAll('\n', '\n      ')}`);
    return false;
  }
}

console.log(`the original runs on Node ${nodeVersion}`);
const waiting = Object.entries(checks).filter(([name]) => name.includes(word));
const results = [];
const worker = async () => {
  while (waiting.length) results.push(await run(...waiting.shift()));
};
await Promise.all([worker(), worker(), worker()]);
const passed = results.filter(Boolean).length;
console.log(`interop: ${passed} passed, ${results.length - passed} failed`);
process.exitCode = passed === results.length && passed > 0 ? 0 : 1;
