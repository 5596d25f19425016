// How the documentation writes commands, and what tests make of it.
//
// A block of code is fenced, or indented by four spaces. It is one of these:
//   ```sh             Commands without a prompt, to be pasted whole. They are run as one script, in the shell of their page,
//                     and must exit with 0.
//   ```output         (or ```json output) What the commands before it print. Each line must be a line of what they printed,
//                     in this order; ids, times, larger numbers and `...` match any (output.mjs).
//   $ command         In any block: a command after a prompt. The lines up to the next `$ ` are what it prints.
//   anything else     is not run: a configuration, an event, a program. It may not look like a command.
// A command that stays, such as `curl -N` or `chorus up`, runs on until the page ends; what comes after runs beside it.
//
// A comment in HTML right before a block says what is different:
//   <!-- run by PATH, PATH --> It does not run as it stands; these tests run it. A PATH is below tests/integration/ or tests/,
//                             or of the tree. They and what they import must have the names of the block's programs, and
//                             each of its long options.
//   <!-- from PATH -->        The block is a part of that file of the tree, line by line.
//   <!-- not run: WHY -->     For very few.
//   <!-- runs until: TEXT --> It stays; what comes after runs once it has printed TEXT.
//   <!-- repeated -->         It is run again until it prints what is documented: a figure that is late by a moment.
// and, for all blocks from there on:
//   <!-- set-up: COMMAND; COMMAND -->   ends what runs, and starts these: `chorus up --demo`, `redis-server`, or `none`.
//                                       A page without it has a `chorus up`, if its commands name an address.
// All run in a new folder with the tree's files in it. The documented ports (3000, 4001, ..., 6379) become free ones.

const FENCE = /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/;

// [{line, kind, info, notes, text}], and {kind: 'set-up', text} in between. kind: sh, prompt, output or other
export function blocksOf(markdown) {
  const lines = markdown.split('\n');
  const blocks = [];
  let notes = [];
  const add = (line, info, text) => {
    blocks.push({ line: line + 1, kind: kindOf(info, text), info, notes, text });
    notes = [];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    const fence = line.match(FENCE);
    if (fence) {
      const begin = at;
      const end = lines.findIndex((other, i) => i > begin && other.trim() === fence[2]);
      if (end < 0) throw new Error(`line ${begin + 1}: the fence does not end`);
      at = end;
      add(begin, fence[3], lines.slice(begin + 1, end).map((each) => each.replace(fence[1], '')).join('\n'));
    } else if (/^ {4}\S/.test(line) && !lines[at - 1]?.trim()) {
      const begin = at;
      while (/^ {4}/.test(lines[at + 1] ?? '') || (lines[at + 1] === '' && /^ {4}/.test(lines[at + 2] ?? ''))) at++;
      add(begin, '', lines.slice(begin, at + 1).map((each) => each.slice(4)).join('\n'));
    } else if (/^\s*<!--/.test(line)) {
      let text = line;
      while (!text.includes('-->')) text += ` ${lines[++at]}`;
      const note = text.replace(/^\s*<!--\s*|\s*-->.*$/g, '').replace(/\s+/g, ' ');
      if (note.startsWith('set-up: ')) blocks.push({ line: at + 1, kind: 'set-up', text: note.slice('set-up: '.length) });
      else notes.push(note);
    } else if (line.trim()) {
      notes = [];
    }
  }
  return blocks;
}

function kindOf(info, text) {
  if (/\boutput\b/.test(info)) return 'output';
  if (/^\$ /m.test(text)) return 'prompt';
  return /^(sh|bash|console)\b/.test(info) ? 'sh' : 'other';
}

// The value of a note: noteOf(block, 'run by'), undefined without it.
export const noteOf = ({ notes }, name) => notes.find((note) => note.startsWith(`${name} `) || note.startsWith(`${name}: `))?.slice(name.length).replace(/^:? /, '');

// What a block runs, in order: [{line, text, output}]. output: the documented one, undefined if there is none.
export function commandsOf({ kind, line, text }) {
  if (kind === 'sh') return [{ line, text }];
  const commands = [];
  let open = false; // the command goes on in the next line
  text.split('\n').forEach((each, i) => {
    if (each.startsWith('$ ')) commands.push({ line: line + i, text: each.slice(2) });
    else if (open) commands.at(-1).text += `\n${each}`;
    else if (commands.length && (each.trim() || commands.at(-1).output)) commands.at(-1).output = [commands.at(-1).output, each].filter((part) => part !== undefined).join('\n');
    open = each.endsWith('\\');
  });
  return commands;
}

const PROGRAMS = 'chorus|build/chorus|curl|docker|docker-compose|cmake|ctest|git|node|npm|npx|python3|go run|sysctl|systemctl|journalctl|apt|apt-get|redis-cli|redis-server|sqlite3|nginx|haproxy|caddy|promtool|prometheus|rm|cp|mv|mkdir|cd|kill|openssl|useradd|systemd-analyze|ulimit|tar|sudo|wget|export|clients/\\S+|scripts/\\S+|bench/\\S+|\\./\\S+';
const LOOKS_LIKE_A_COMMAND = new RegExp(`^([A-Z_]+=\\S* )*(${PROGRAMS})( [^=:{]|$)`);

// The first line of a block that is not run, and looks as if it should be.
export const hiddenCommand = ({ kind, info, text }) =>
  kind === 'other' && /^(text)?$/.test(info) ? text.split('\n').find((line) => LOOKS_LIKE_A_COMMAND.test(line)) : undefined;
