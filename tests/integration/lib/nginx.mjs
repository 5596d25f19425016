// nginx in front of a reader, with everything at its defaults but what a test sets: in a folder of its own, without a
// master process, so that it needs no root, and ended by its process id.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { Program } from './process.mjs';
import { freePorts } from './ports.mjs';
import { NAME } from './tls.mjs';
import { until, within } from './time.mjs';

const file = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find(existsSync);
export const withoutNginx = !file && 'needs nginx (nginx-light)';

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

export class Nginx {
  // settings: lines of the location that passes everything on to `reader`. tls: makeCertificate()'s answer.
  constructor(folder, reader, settings = '', { tls } = {}) {
    Object.assign(this, { folder, reader, settings, tls });
  }

  get url() {
    return this.tls ? `https://${NAME}:${this.port}` : `http://127.0.0.1:${this.port}`;
  }

  async choosePort() {
    this.port ??= (await freePorts(1))[0];
  }

  // Starts, or starts again at the same port.
  async start() {
    await this.choosePort();
    mkdirSync(join(this.folder, 'tmp'), { recursive: true });
    writeFileSync(join(this.folder, 'nginx.conf'), `
      daemon off;
      master_process off;
      pid nginx.pid;
      error_log stderr;
      events { worker_connections 64; }
      http {
        access_log off;
        ${temporary.map((name) => `${name}_temp_path tmp/${name};`).join(' ')}
        server {
          listen 127.0.0.1:${this.port}${this.tls ? ` ssl http2;
          ssl_certificate ${this.tls.certificate};
          ssl_certificate_key ${this.tls.key}` : ''};
          location / { proxy_pass ${this.reader}; ${this.settings} }
        }
      }
    `);
    this.program = new Program(['-p', this.folder, '-c', 'nginx.conf', '-e', 'stderr'], { file });
    await until(async () => {
      if (this.program.end) throw Object.assign(new Error(`nginx ended: ${this.program.stderr}`), { final: true });
      const socket = connect(this.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
      return true;
    }, 'nginx to listen');
    return this;
  }

  async kill() {
    await within(this.program.kill('SIGKILL'), 10_000, 'the end of nginx');
  }
}
