// The proxies of deploy/, each with the very file there; only ports, addresses, paths, certificates and limits are
// replaced. Without root they run as the user of the tests.
import http2 from 'node:http2';
import https from 'node:https';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import tls from 'node:tls';
import { once } from 'node:events';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent } from './undici.mjs';
import { call } from './api.mjs';
import { freePorts } from './ports.mjs';
import { Program, run } from './process.mjs';
import { NAME, connectorOf, makeCertificate, trusting } from './tls.mjs';
import { until, within } from './time.mjs';

const deploy = join(dirname(fileURLToPath(import.meta.url)), '../../../deploy');
const root = process.getuid() === 0;
const found = (...files) => files.find(existsSync);

// completes: it makes an end in order of a cut. files: of a recipe, the first being the one that the program reads. replace: [pattern, text] pairs. reload: makes the running
// program read its files again.
const kinds = {
  nginx: {
    file: found('/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'),
    files: (recipe) => ['nginx/nginx.conf', `nginx/${recipe}.conf`],
    replace: ({ port, plainPort, folder, certificate, key }) => [
      [/^user .*/m, root ? 'user root;' : ''],
      ['/run/nginx.pid', join(folder, 'nginx.pid')],
      ['/var/log/nginx', folder],
      ['/etc/nginx/conf.d/*.conf', join(folder, '*.conf.d')],
      [/^http \{/m, ['http {', ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)].join('\n')],
      [/^ +listen \[::\].*\n/gm, ''],
      ['listen 443', `listen 127.0.0.1:${port}`],
      ['listen 80', `listen 127.0.0.1:${plainPort}`],
      [/\/etc\/letsencrypt\/\S+fullchain.pem/, certificate],
      [/\/etc\/letsencrypt\/\S+privkey.pem/, key],
    ],
    args: ({ paths }) => ['-c', paths[0], '-e', 'stderr', '-g', 'daemon off;'],
    reload: (proxy) => proxy.renew('SIGHUP'),
  },
  haproxy: {
    file: found('/usr/sbin/haproxy', '/usr/local/sbin/haproxy'),
    files: (recipe) => [`haproxy/${recipe}.cfg`],
    replace: ({ port, plainPort, folder, pem }) => [
      ['log /dev/log', 'log stderr format raw'],
      [/^ +(user|group|chroot) .*\n/gm, (line) => (root ? line : '')],
      ['/run/haproxy/admin.sock', join(folder, 'admin.sock')],
      ['maxconn 60000', 'maxconn 6000'], // the limit of descriptors may be low here
      ['bind :::443 v4v6', `bind 127.0.0.1:${port}`],
      ['bind :::80 v4v6', `bind 127.0.0.1:${plainPort}`],
      ['/etc/haproxy/live.example.org.pem', pem],
    ],
    args: ({ paths }) => ['-W', '-f', paths[0]],
    reload: (proxy) => proxy.renew('SIGUSR2'),
  },
  caddy: {
    completes: true, // a response that its upstream has cut
    file: found('/usr/bin/caddy', '/usr/local/bin/caddy'),
    files: (recipe) => [`caddy/${recipe}.Caddyfile`],
    replace: ({ port, plainPort, adminPort, certificate, key }) => [
      [/^(#[^\n]*\n)+/, (comment) => `${comment}{\n\tadmin 127.0.0.1:${adminPort}\n\thttps_port ${port}\n\thttp_port ${plainPort}\n\tdefault_bind 127.0.0.1\n}\n`],
      [/^live\.example\.org \{$/m, `live.example.org {\n\ttls ${certificate} ${key}`],
    ],
    args: ({ paths }) => ['run', '--adapter', 'caddyfile', '--config', paths[0]],
    async reload({ paths, adminPort, options }) {
      const { code, stderr } = await run(['reload', '--force', '--adapter', 'caddyfile', '--config', paths[0], '--address', `127.0.0.1:${adminPort}`], options);
      if (code !== 0) throw new Error(`caddy reload: ${stderr}`);
    },
  },
};

export const proxyKinds = Object.keys(kinds);
export const without = (kind) => !kinds[kind].file && `needs ${kind}`;

const replaceAll = (text, pairs) => pairs.reduce((sum, [from, to]) => sum.replaceAll(from instanceof RegExp && !from.global ? new RegExp(from, from.flags + 'g') : from, to), text);

class Proxy {
  constructor(kind, recipe, folder, options) {
    Object.assign(this, { kind, recipe, folder, limits: {}, settings: [], ...options, ...kinds[kind] });
    this.options = { file: this.file, limits: this.limits, env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } };
  }

  async prepare() {
    [this.port, this.plainPort, this.adminPort] = await freePorts(3);
    Object.assign(this, makeCertificate(this.folder));
    writeFileSync(this.pem, readFileSync(this.certificate, 'utf8') + readFileSync(this.key, 'utf8'));
    this.url = `https://${NAME}:${this.port}`;
    this.connector = connectorOf(trusting(this.certificate));
    this.dispatcher = new Agent({ connections: 16, keepAliveTimeout: 2_000, connect: this.connector });
    return this;
  }

  // servers: {'127.0.0.1:3000': 'http://127.0.0.1:40123'}
  #write(servers) {
    this.paths = this.kindFiles.map((file, i) => join(this.folder, i === 0 ? basename(file) : `${basename(file)}.d`));
    const addresses = Object.entries(servers).map(([from, url]) => [new RegExp(`${from.replaceAll('.', '\\.')}(?!\\d)`), new URL(url).host]);
    this.kindFiles.forEach((file, i) => {
      const text = readFileSync(join(deploy, file), 'utf8');
      writeFileSync(this.paths[i], replaceAll(text, [...this.replace(this), ...addresses, ...this.settings]));
    });
  }

  get kindFiles() {
    return this.files(this.recipe);
  }

  async start(servers) {
    mkdirSync(this.folder, { recursive: true });
    this.#write(servers);
    this.program = new Program(this.args(this), this.options);
    await this.#listens();
    return this;
  }

  #listens() {
    return until(async () => {
      if (this.program.end) throw Object.assign(new Error(`${this.kind} ended: ${this.program.stderr}`), { final: true });
      const socket = connect(this.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
      return true;
    }, () => `${this.kind} to listen:\n${this.program.stderr}`);
  }

  get #processes() {
    const { pid } = this.program;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  }

  // A master that starts further processes at a signal, while the old ones end their work.
  async renew(signal) {
    const old = new Set(this.#processes);
    this.program.signal(signal);
    await until(() => this.#processes.some((pid) => !old.has(pid)), () => `a new process of ${this.kind}:\n${this.program.stderr}`);
    await this.#listens();
  }

  again() {
    return this.reload(this);
  }

  // Resident memory of all its processes, in bytes.
  memory() {
    const sizes = [String(this.program.pid), ...this.#processes].filter(Boolean).map((pid) => readFileSync(`/proc/${pid}/status`, 'utf8'));
    return sizes.reduce((sum, status) => sum + Number(status.match(/^VmRSS:\s+(\d+) kB/m)[1]) * 1024, 0);
  }

  // {status, headers, text, json}, over HTTP/1.1.
  call(method, path, options) {
    return call(method, this.url + path, { ...options, dispatcher: this.dispatcher });
  }

  // Transports of a viewer (viewer.mjs). from: the address that the proxy sees.
  http1(from) {
    return async (url, { method, headers, body }) => {
      const outgoing = https.request(url, { method, headers, agent: false, ...trusting(this.certificate, from) });
      outgoing.on('error', () => {}); // a cut of the stream, which ends the body
      outgoing.end(body);
      const [response] = await once(outgoing, 'response');
      return { status: response.statusCode, headers: response.headers, body: response };
    };
  }

  // A bare connection.
  connect() {
    return tls.connect({ port: this.port, host: '127.0.0.1', ALPNProtocols: ['http/1.1'], ca: readFileSync(this.certificate), servername: NAME });
  }

  // All its streams share one connection, which ends with the proxy.
  http2() {
    let session;
    return async (url, { method, headers, body }) => {
      if (!session || session.closed || session.destroyed) {
        session = http2.connect(this.url, trusting(this.certificate)).on('error', () => {});
        this.sessions.push(session);
      }
      const { pathname, search } = new URL(url);
      const stream = session.request({ ':method': method, ':path': pathname + search, ...headers });
      stream.on('error', () => {});
      stream.end(body);
      const [answer] = await once(stream, 'response');
      return { status: answer[':status'], headers: answer, body: stream };
    };
  }
  sessions = [];

  async release() {
    for (const session of this.sessions) session.destroy();
    await this.dispatcher.destroy();
    if (this.program && !this.program.end) await within(this.program.kill('SIGTERM'), 10_000, `the end of ${this.kind}`);
  }
}

// One that has its ports and its certificate, and is to be started: its address may be part of what Chorus needs to know.
// options: {settings: [['60s', '2s']], limits: {nofile: 4096}}
export async function prepareProxy(t, kind, recipe, options = {}) {
  const proxy = await new Proxy(kind, recipe, t.folder(), options).prepare();
  t.after(() => proxy.release());
  return proxy;
}
