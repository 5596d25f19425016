// The events of a text/event-stream body (WHATWG HTML, 9.2.6), comment lines left out.

// Yields {event, id, data, retry}; `id` and `retry` are those of the event itself.
export async function* readEvents(body) {
  let fields = { event: 'message', lines: [] };
  for await (const line of readLines(body)) {
    if (line === '') {
      const { lines, ...rest } = fields;
      if (lines.length) yield { ...rest, data: lines.join('\n') };
      fields = { event: 'message', lines: [] };
      continue;
    }
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (name === 'data') fields.lines.push(value ?? '');
    else if (['event', 'id', 'retry'].includes(name)) fields[name] = value ?? '';
  }
}

// An end of line may be cut in two: a CR at the end waits for the LF that may follow.
async function* readLines(body) {
  let rest = '';
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    yield* lines;
  }
}
