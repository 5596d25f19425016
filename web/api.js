// A page made from /openapi.json: each operation with a form that runs it.
import { readEvents } from './api-events.js';

const EVENTS_SHOWN = 200;
const EVERYWHERE = 'every part';
const words = { comment: 'Comment API', reader: 'Readers', statistics: 'Statistics', manager: 'Manager', archive: 'Archive', [EVERYWHERE]: 'Every part' };

// Elements

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

// What a description has of Markdown: `code` and **bold**.
function formatted(text) {
  return text.split(/(`[^`]*`|\*\*[^*]*\*\*)/).map((part) => (part.startsWith('`') ? element('code', {}, part.slice(1, -1))
    : part.startsWith('**') ? element('strong', {}, part.slice(2, -2)) : part));
}

const paragraphs = (text = '') => text.split('\n\n').filter(Boolean).map((each) => element('p', {}, ...formatted(each)));

// The document

let api;
const resolve = (node) => (node?.$ref ? node.$ref.slice(2).split('/').reduce((at, name) => at[name], api) : node);

// A schema as a type, the way TypeScript has it.
function typeOf(schema, indent = '') {
  if (schema.$ref && !/\/(Connected|Gap|Comment|Error|Viewers)$/.test(schema.$ref)) {
    const name = schema.$ref.split('/').at(-1);
    const target = resolve(schema);
    return target.type === 'object' && target.properties ? typeOf(target, indent) : name;
  }
  const it = resolve(schema);
  if (it.const !== undefined) return JSON.stringify(it.const);
  if (it.enum) return it.enum.map((each) => JSON.stringify(each)).join(' | ');
  if (it.anyOf) return it.anyOf.map((each) => typeOf(each, indent)).join(' | ');
  if (it.allOf) return typeOf({ type: 'object', properties: Object.assign({}, ...it.allOf.map((each) => resolve(each).properties)), required: it.allOf.flatMap((each) => resolve(each).required ?? []) }, indent);
  if (it.type === 'array') return `${typeOf(it.items, indent)}[]`;
  if (it.type !== 'object') return [it.type ?? 'any'].flat().join(' | ');
  if (!it.properties) return `{ [name]: ${it.additionalProperties ? typeOf(it.additionalProperties, indent) : 'any'} }`;
  const inner = `${indent}  `;
  const members = Object.entries(it.properties).map(([name, each]) => `${inner}${name}${it.required?.includes(name) ? '' : '?'}: ${typeOf(each, inner)}`);
  return `{\n${members.join(',\n')}\n${indent}}`;
}

// The codes that a response's errors may have.
const codesOf = (schema) => [schema?.properties?.code?.const, ...(schema?.properties?.code?.enum ?? []), ...(schema?.allOf ?? []).flatMap(codesOf)].filter(Boolean);

function codeList(codes) {
  return element('dl', {}, ...codes.map((code) => element('div', {}, element('dt', {}, element('code', {}, code)), element('dd', {}, ...formatted(api['x-error-codes'][code].meaning)))));
}

function responseRow([status, reference]) {
  const response = resolve(reference);
  const contents = Object.entries(response.content ?? {});
  const codes = codesOf(contents[0]?.[1].schema);
  const shown = contents.flatMap(([type, content]) => [
    element('code', {}, type),
    type === 'application/json' && !codes.length && resolve(content.schema).properties ? element('pre', {}, typeOf(content.schema)) : '',
    ...Object.entries(content['x-events'] ?? {}).map(([name, { description, data }]) => element('div', {}, element('code', {}, name), ` ${description}`, element('pre', {}, typeOf(data)))),
  ]);
  return element('tr', {}, element('th', { scope: 'row' }, status === 'default' ? 'any request' : status),
    element('td', {}, ...formatted(response.description), ' ', ...(codes.length ? [codeList(codes)] : shown)));
}

// Addresses

const addresses = new Map(); // role => input

// The comment port of `up` is the address of all parts. Otherwise the others are reached as this page was: their host is the
// same unless the user changes it.
let isOneAddress = false;

async function servesAll() {
  const health = await (await fetch('/health')).json();
  return Boolean(health.parts);
}

function usualAddress({ url, description: role }) {
  if (role === 'comment' || isOneAddress) return location.origin;
  const usual = new URL(url);
  usual.hostname = location.hostname;
  return usual.origin;
}

function showAddresses() {
  for (const server of api.servers) {
    const role = server.description;
    const input = element('input', { type: 'url', required: true, spellcheck: 'false', value: sessionStorage.getItem(`address of ${role}`) ?? usualAddress(server) });
    input.addEventListener('change', () => sessionStorage.setItem(`address of ${role}`, input.value));
    addresses.set(role, input);
    document.getElementById('servers').append(element('label', {}, words[role], input));
  }
  document.getElementById('addresses').addEventListener('submit', (event) => event.preventDefault());
}

// An answer that says where a video is gives the address of the reader.
function learnReader(json) {
  const url = json?.publicUrl ?? json?.readerUrl;
  const input = addresses.get('reader');
  if (!url || input.value === url) return;
  const learned = new URL(url);
  // A reader at a loopback address is on the machine that this page came from.
  if (['127.0.0.1', 'localhost', '[::1]'].includes(learned.hostname)) learned.hostname = location.hostname;
  input.value = learned.href.replace(/\/$/, '');
  input.dispatchEvent(new Event('change'));
}

// Forms

let fieldCount = 0;

function field(title, control, { hint, required } = {}) {
  const id = `field-${++fieldCount}`;
  control.id = id;
  if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
  return element('div', {}, element('label', { for: id }, title, required ? '' : element('small', {}, ' optional')), control,
    hint && element('p', { class: 'hint', id: `${id}-hint` }, ...formatted(hint)));
}

function parameterField(parameter) {
  const { name, in: place, required, schema, example, description } = parameter;
  const control = element('input', { name, 'data-in': place, required: Boolean(required), autocomplete: 'off', spellcheck: 'false', value: example ?? '', maxlength: resolve(schema).maxLength });
  return field(place === 'header' ? `${name} (header)` : name, control, { hint: description, required });
}

function formOf(operation) {
  const { tags, requestBody, security } = operation.described;
  const fields = [];
  const parameters = (operation.described.parameters ?? []).map(resolve);
  const isUsual = ({ required, example }) => required || example !== undefined;
  const unusual = parameters.filter((each) => !isUsual(each)).map(parameterField);
  if (tags.length > 1) fields.push(field('at', element('select', { name: 'at' }, ...tags.map((role) => element('option', { value: role }, words[role]))), { required: true }));
  fields.push(...parameters.filter(isUsual).map(parameterField));
  const token = security?.flatMap(Object.keys)[0];
  if (token) fields.push(field('token', element('input', { name: 'token', autocomplete: 'off', spellcheck: 'false' }), { hint: api.components.securitySchemes[token].description }));
  const body = requestBody && element('textarea', { name: 'body', rows: 6, spellcheck: 'false' });
  if (body) body.value = JSON.stringify(requestBody.content['application/json'].example, null, 2);
  const run = element('button', { class: 'run' }, 'Run');
  const copy = element('button', { type: 'button', class: 'copy' }, 'Copy curl');
  return element('form', { class: 'call', novalidate: true }, fields.length ? element('div', { class: 'fields' }, ...fields) : undefined,
    unusual.length ? element('details', {}, element('summary', {}, 'More parameters'), element('div', { class: 'fields' }, ...unusual)) : undefined, body && field('body', body, { required: true }), element('div', { class: 'actions' }, run, copy, element('span', { class: 'copied', role: 'status' })));
}

// What a form asks for: {url, method, headers, body}.
function requestOf(operation, form) {
  const inputs = [...form.querySelectorAll('[data-in]')].filter(({ value, required }) => value || required);
  const from = (place) => inputs.filter((input) => input.dataset.in === place);
  const role = form.elements.at?.value ?? operation.described.tags[0];
  let path = operation.path;
  for (const { name, value } of from('path')) path = path.replace(`{${name}}`, encodeURIComponent(value));
  const query = new URLSearchParams(from('query').map(({ name, value }) => [name, value])).toString();
  const headers = Object.fromEntries(from('header').map(({ name, value }) => [name, value]));
  if (form.elements.token?.value) headers.Authorization = `Bearer ${form.elements.token.value}`;
  const body = form.elements.body?.value;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return { url: addresses.get(role).value.replace(/\/$/, '') + path + (query && `?${query}`), method: operation.method, headers, body, streams: operation.streams };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curlOf({ url, method, headers, body, streams }) {
  const parts = ['curl', streams && '-NL', (method === 'PUT' || method === 'DELETE' || (body === undefined && method === 'POST')) && `-X ${method}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`), body !== undefined && `-d ${quoted(body)}`, quoted(url)];
  return parts.filter(Boolean).join(' ');
}

// Answers

function section(title, content) {
  return [element('h4', {}, title), content];
}

function showAnswer(out, request, status, good, ...rest) {
  out.replaceChildren(...section('Request', element('pre', { class: 'line', tabindex: 0, role: 'group', 'aria-label': 'the request for curl' }, curlOf(request))),
    element('p', { class: `status ${good ? 'good' : 'bad'}`, role: 'status' }, status), ...rest);
}

function headerTable(headers) {
  return element('details', {}, element('summary', {}, 'Headers that the browser shows to pages'),
    element('div', { class: 'scroll' }, element('table', {}, element('tbody', {}, ...[...headers].map(([name, value]) => element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, value)))))));
}

function showBody(text, type) {
  let shown = text;
  try {
    if (type.startsWith('application/json')) shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // shown as it came
  }
  return element('pre', { class: 'body', tabindex: 0, role: 'group', 'aria-label': 'the body of the answer' }, shown || '(no body)');
}

async function showStream(out, request, response, signal) {
  const list = element('ol', { class: 'events', tabindex: 0, 'aria-label': 'events' });
  const state = `${response.status}, events as they come`;
  showAnswer(out, request, state, true, headerTable(response.headers), ...section('Events', list));
  const status = out.querySelector('.status');
  let events = 0;
  try {
    for await (const { event, id, data, retry } of readEvents(response.body)) {
      events++;
      const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 20;
      list.append(element('li', {}, element('b', {}, event), element('span', {}, id ? `id ${id}` : retry ? `retry ${retry}` : ''), element('code', {}, data)));
      while (list.childElementCount > EVENTS_SHOWN) list.firstChild.remove();
      if (follows) list.scrollTop = list.scrollHeight;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  status.textContent = `${response.status}, ${signal.aborted ? 'stopped' : 'ended'} after ${events} events`;
}

async function run(request, out, signal) {
  const began = performance.now();
  try {
    const { url, method, headers, body } = request;
    const response = await fetch(url, { method, headers, body, signal, cache: 'no-store', referrerPolicy: 'no-referrer' });
    const type = response.headers.get('content-type') ?? '';
    if (type.startsWith('text/event-stream') && response.ok) return await showStream(out, request, response, signal);
    const text = await response.text();
    const took = `${Math.round(performance.now() - began)} ms`;
    showAnswer(out, request, `${response.status} ${response.statusText}, ${took}${response.redirected ? `, from ${new URL(response.url).origin}` : ''}`, response.ok, headerTable(response.headers), ...section('Body', showBody(text, type)));
    if (response.ok && type.startsWith('application/json')) learnReader(JSON.parse(text));
  } catch (error) {
    if (signal.aborted) return undefined;
    const { origin, port } = new URL(request.url, location.href);
    const why = port === '6000' ? 'Browsers refuse port 6000: ask the comment API instead, or use curl.' : `Nothing answers at ${origin}, or the connection was cut. Is the address right?`;
    showAnswer(out, request, `No answer. ${why}`, false);
    console.info(error);
  }
  return undefined;
}

function connectForm(operation, form, out) {
  const button = form.querySelector('.run');
  let running;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (running) return running.abort();
    const wrong = [...form.elements].find((each) => each.willValidate && !each.checkValidity());
    if (wrong) return wrong.reportValidity();
    running = new AbortController();
    if (operation.streams) {
      button.textContent = 'Stop';
      button.classList.add('stops');
    }
    await run(requestOf(operation, form), out, running.signal);
    running = undefined;
    button.textContent = 'Run';
    button.classList.remove('stops');
    return undefined;
  });
  form.querySelector('.copy').addEventListener('click', async () => {
    const line = curlOf(requestOf(operation, form));
    const told = form.querySelector('.copied');
    try {
      await navigator.clipboard.writeText(line);
      told.textContent = 'Copied.';
    } catch {
      showAnswer(out, requestOf(operation, form), 'Not sent: copy the line above.', true); // the clipboard needs a secure context
    }
  });
}

// The page

const EVENT_STREAM = 'text/event-stream';
const isStream = ({ responses }) => Boolean(resolve(responses[200])?.content?.[EVENT_STREAM]);

const operations = () => Object.entries(api.paths).flatMap(([path, item]) => ['get', 'post', 'put', 'patch', 'delete'].filter((method) => item[method])
  .map((method) => ({ path, method: method.toUpperCase(), described: item[method], streams: isStream(item[method]) })));

const groupOf = ({ described: { tags } }) => (tags.length === api.tags.length ? EVERYWHERE : tags[0]);

function showOperation(operation) {
  const { path, method, described } = operation;
  const { operationId, summary, description, responses } = described;
  const form = formOf(operation);
  const out = element('div', { class: 'answer' });
  connectForm(operation, form, out);
  const only = described['x-only-with'];
  return element('article', { id: operationId, 'aria-labelledby': `${operationId}-title` },
    element('header', {}, element('span', { class: `method ${method.toLowerCase()}` }, method), element('h3', { id: `${operationId}-title` }, element('code', {}, path)),
      only && element('span', { class: 'only' }, `only with ${only}`), element('p', {}, summary)),
    ...paragraphs(description), form, out,
    element('details', {}, element('summary', {}, 'Answers'), element('div', { class: 'scroll' }, element('table', {}, element('tbody', {}, ...Object.entries(responses).map(responseRow))))));
}

// A path that may be broken at its slashes.
const breakable = (path) => path.split(/(?=\/)/).flatMap((part, i) => (i ? [element('wbr'), part] : [part]));

function link({ path, method, described }) {
  return element('li', {}, element('a', { href: `#${described.operationId}` }, element('span', { class: `method ${method.toLowerCase()}` }, method), element('code', {}, ...breakable(path))));
}

// An operation of several roles is in the contents of each, and on the page once.
function showGroup(name, all) {
  const listed = all.filter((each) => groupOf(each) === name || (each.described.tags.includes(name) && groupOf(each) !== EVERYWHERE));
  document.getElementById('contents').append(element('h2', {}, words[name]), element('ul', {}, ...listed.map(link)));
  const members = listed.filter((each) => groupOf(each) === name);
  if (!members.length) return;
  const about = api.tags.find((tag) => tag.name === name)?.description;
  document.getElementById('groups').append(element('section', { class: 'group', 'aria-label': words[name] }, element('h2', {}, words[name]), ...paragraphs(about), ...members.map(showOperation)));
}

function show() {
  const [first, ...rest] = api.info.description.split('\n\n');
  document.getElementById('about').append(...paragraphs(first), element('details', {}, element('summary', {}, 'What holds for all of them'), ...rest.flatMap(paragraphs)));
  showAddresses();
  const all = operations();
  for (const name of [...api.tags.map((tag) => tag.name), EVERYWHERE]) showGroup(name, all);
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

try {
  const response = await fetch('/openapi.json');
  if (!response.ok) throw new Error(`the answer is ${response.status}`);
  api = await response.json();
  isOneAddress = await servesAll();
  show();
} catch (error) {
  const problem = document.getElementById('problem');
  problem.hidden = false;
  problem.textContent = `The description of the interface could not be loaded (${error.message}). Load the page again.`;
}
