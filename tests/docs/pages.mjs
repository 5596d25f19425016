// The pages of which every command is run by a test.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf } from './markdown.mjs';
import { tree } from './page.mjs';

const names = ['README.md', ...readdirSync(join(tree, 'docs')).filter((name) => name.endsWith('.md')).sort().map((name) => `docs/${name}`)];

export const pages = names.map((name) => ({ name, blocks: blocksOf(readFileSync(join(tree, name), 'utf8')) }));
