#!/usr/bin/env node
// Makes docs/simulation-sets.png: what the page of `chorus simulate --html` shows of sets. By hand, after the page or the policies have changed:
//   CHORUS_BIN=build/chorus node tests/browser/simulation-picture.mjs
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '../integration/lib/process.mjs';
import { launchChromium } from './chromium.mjs';

const folder = mkdtempSync(join(tmpdir(), 'chorus-picture-'));
const file = join(folder, 'page.html');
const browser = await launchChromium();
try {
  // As docs/simulate.md has it.
  const { code, stderr } = await run(['simulate', '--videos', '90000', '--viewers', '2000000', '--readers', '40', '--distribution', 'zipf:1', '--policy', 'round-robin,least-loaded,hash', '--html', file]);
  if (code) throw new Error(stderr);
  const page = await browser.newPage({ viewport: { width: 1040, height: 900 }, deviceScaleFactor: 1.5, colorScheme: 'light' });
  await page.goto(pathToFileURL(file).href);
  const section = page.getByRole('region', { name: 'Hot videos on several readers' });
  writeFileSync(new URL('../../docs/simulation-sets.png', import.meta.url), await section.screenshot());
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
