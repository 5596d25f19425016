// Whether a program printed what the documentation says: the same lines in this order, others in between, except for what is
// different each time.
const VARIES = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/, String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`],
  [/http:\/\/[\w.[\]:-]+/, undefined], // with its port, as it is
  [/\d{13}(?=-\d)/, String.raw`(\d{10,})`], // the epoch of an id: it is another one, the number after it is the same
  [/\.\.\.|…/, '.*'],
  [/\d[\d,]*\.\d[\d.,]*|\d[\d,]{2,}/, String.raw`-?\d[\d.,]*`], // figures; small whole numbers are as they are
  [/ +/, ' +'],
];
const ANY = new RegExp(VARIES.map(([pattern]) => `(${pattern.source.replace(/\((?!\?)/g, '(?:')})`).join('|'), 'g');
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// [the expression for a documented line, the epochs in it]
function expressionOf(line) {
  const epochs = [];
  let text = '';
  let end = 0;
  for (const match of line.matchAll(ANY)) {
    const which = match.slice(1).findIndex((group) => group !== undefined);
    if (which === 2) epochs.push(match[0]);
    text += escaped(line.slice(end, match.index)) + (VARIES[which][1] ?? escaped(match[0]));
    end = match.index + match[0].length;
  }
  return [new RegExp(`^\\s*${text}${escaped(line.slice(end))}\\s*$`), epochs];
}

// {missing: the first documented line that was not printed, after: the rest of what was printed, epochs: {documented: real}}
export function compare(documented, printed) {
  const lines = printed.split(/\r?\n/);
  const epochs = {};
  for (const line of documented.split('\n').map((each) => each.trim()).filter((each) => each && !/^(\.\.\.|…)$/.test(each))) {
    const [expression, names] = expressionOf(line);
    let found;
    while (!found && lines.length) found = lines.shift().match(expression);
    if (!found) return { missing: line, epochs };
    names.forEach((name, i) => (epochs[name] = found[i + 1]));
  }
  return { after: lines.join('\n'), epochs };
}
