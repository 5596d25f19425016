// Answers of a system against its own description of its interface, /openapi.json.
import assert from 'node:assert/strict';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { call } from './api.mjs';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

export class Description {
  seen = new Set(); // 'POST /comment 201', 'POST /comment 400 invalid_json': what answers have shown
  #schemas = new Map();

  static async of(url, options) {
    const { status, json } = await call('GET', `${url}/openapi.json`, options);
    assert.equal(status, 200);
    return new Description(json);
  }

  constructor(document) {
    this.document = document;
    this.ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addSchema({ $id: 'openapi', ...document });
  }

  // Each operation as {role, method, path, operation}, once for each role that serves it.
  operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method])
      .flatMap((method) => item[method].tags.map((role) => ({ role, method: method.toUpperCase(), path, operation: item[method] }))));
  }

  // Follows a reference within the document.
  resolve(node) {
    return node?.$ref ? node.$ref.slice(2).split('/').reduce((at, name) => at[name.replaceAll('~1', '/').replaceAll('~0', '~')], this.document) : node;
  }

  // Follows the pointer's references, so that a schema has one name: '#/components/responses/…', not the place that refers to it.
  #validator(schema) {
    const text = JSON.stringify(schema);
    if (!this.#schemas.has(text)) this.#schemas.set(text, this.ajv.compile(JSON.parse(text.replaceAll('"#/', '"openapi#/'))));
    return this.#schemas.get(text);
  }

  check(schema, value, where) {
    const validate = this.#validator(schema);
    assert.ok(validate(value), `${where}: ${this.ajv.errorsText(validate.errors)} in ${JSON.stringify(value).slice(0, 1_000)}`);
  }

  // The operation's description of this status.
  response({ method, path }, status) {
    const { responses } = this.document.paths[path][method.toLowerCase()];
    return this.resolve(responses[status] ?? responses.default);
  }

  // An answer of an operation: its status, type, headers and body are as described. `answer`: {status, headers, text}.
  checkAnswer(operation, { status, headers, text }) {
    const name = `${operation.method} ${operation.path} ${status}`;
    const response = this.response(operation, status);
    for (const [field, described] of Object.entries(response.headers ?? {})) {
      const { required, schema } = this.resolve(described);
      const value = headers[field.toLowerCase()];
      if (required || field === 'Retry-After') assert.ok(value, `${name}: the header ${field}`);
      if (value !== undefined) this.check(schema, schema.type === 'integer' ? Number(value) : value, `${name}: ${field}`);
    }
    this.seen.add(name);
    const type = (headers['content-type'] ?? '').split(';')[0];
    if (!response.content) return assert.equal(text, '', name);
    const content = response.content[type];
    assert.ok(content, `${name}: the type ${type} is described, and not only ${Object.keys(response.content)}`);
    if (type !== 'application/json') return undefined;
    const json = JSON.parse(text);
    this.check(content.schema, json, name);
    if (json.code === undefined) return json;
    assert.equal(this.document['x-error-codes'][json.code]?.status, status, `${name}: the status of ${json.code}`);
    this.seen.add(`${name} ${json.code}`);
    return json;
  }

  // An answer to any request, if there is such an operation at this port.
  checkAny(method, url, answer) {
    if (answer.json?.code === 'not_found') return;
    const { pathname } = new URL(url);
    const operation = this.operations().find((each) => each.method === method && new RegExp(`^${each.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname));
    if (operation) this.checkAnswer(operation, answer);
  }

  // The data of an event of a stream.
  checkEvent(operation, name, data) {
    const { 'x-events': events } = this.response(operation, 200).content['text/event-stream'];
    assert.ok(events[name], `an event ${name} of ${operation.path} is described`);
    this.check(events[name].data, data, `event ${name}`);
    this.seen.add(`${operation.method} ${operation.path} event ${name}`);
  }

  // The codes that an operation's answers may have, with the status: ['400 invalid_json'].
  codes(operation, statuses = Object.keys(operation.operation.responses)) {
    const found = (schema) => [schema?.properties?.code?.const, ...(schema?.properties?.code?.enum ?? []), ...(schema?.allOf ?? []).flatMap(found)].filter(Boolean);
    return statuses.flatMap((status) => {
      const { content } = this.resolve(operation.operation.responses[status]);
      return found(content?.['application/json']?.schema).map((code) => ({ status, code }));
    });
  }
}
