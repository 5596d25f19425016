// A history in a file (--keep), which is judged again with --judge. A part of it a line: all of an hour is longer than a string can be.
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

export function keep(path, history) {
  const file = openSync(path, 'w');
  for (const [name, value] of Object.entries(history)) {
    for (const part of name === 'viewers' ? value : [value]) writeSync(file, `${JSON.stringify([name, part])}\n`);
  }
  closeSync(file);
}

export async function kept(path) {
  const history = { viewers: [] };
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const [name, part] = JSON.parse(line);
    if (name === 'viewers') history.viewers.push(part);
    else history[name] = part;
  }
  return history;
}
