// Runs the commands of README.md and docs/*.md, as their reader would, and compares what they print with what is written there.
// How a page says what: markdown.mjs. One page: PAGE=docs/concepts.md CHORUS_BIN=build/chorus node tests/docs/commands.test.mjs
import { describe, test } from 'node:test';
import { noteOf } from './markdown.mjs';
import { Page } from './page.mjs';
import { pages } from './pages.mjs';

const elsewhere = (block) => ['run by', 'from', 'not run'].some((name) => noteOf(block, name) !== undefined);
const runs = (block) => ['sh', 'prompt'].includes(block.kind) && !elsewhere(block);
const needsChorus = ({ text }) => /\b(127\.0\.0\.1|localhost):\d|\bchorus (clients|top|bench|probe|canary|backup)\b/.test(text);

async function follow({ blocks }) {
  const page = new Page();
  let ready = false;
  let before; // the block of which an output is
  try {
    await page.start();
    for (const [i, block] of blocks.entries()) {
      if (block.kind === 'set-up') await page.setUp(block.text);
      ready ||= block.kind === 'set-up';
      if (runs(block)) {
        if (!ready && needsChorus(block)) await page.setUp('chorus up');
        ready ||= needsChorus(block);
        await page.run(block, { answered: blocks[i + 1]?.kind === 'output' });
      } else if (block.kind === 'output' && before && runs(before)) {
        await page.output(block.text);
      }
      if (block.kind !== 'output') before = block;
    }
  } catch (error) {
    error.message = `at ${error.message}`;
    throw error;
  } finally {
    await page.end();
  }
}

const wanted = pages.filter(({ name, blocks }) => blocks.some(runs) && (!process.env.PAGE || process.env.PAGE === name));

describe('the commands of', { concurrency: 3 }, () => {
  for (const page of wanted) test(page.name, { timeout: 150_000 }, () => follow(page));
});
