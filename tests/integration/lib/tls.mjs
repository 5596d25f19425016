// Certificates of the tests, and clients that trust them: their names resolve to this machine.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildConnector } from './undici.mjs';

export const NAME = 'live.example.org'; // as in deploy/

// Makes a certificate for NAME that signs itself: the paths of {certificate, key, pem}, pem being both in one file.
export function makeCertificate(folder) {
  const [certificate, key, pem] = ['certificate.pem', 'key.pem', 'both.pem'].map((name) => join(folder, name));
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${NAME}`,
    '-addext', `subjectAltName=DNS:${NAME}`, '-keyout', key, '-out', certificate,
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  return { certificate, key, pem };
}

// Makes an authority, and a certificate of it for each of the names (subjectAltName, such as IP:127.0.0.1): {ca, of: [{ca,
// certificate, key}]}.
export function makeAuthority(folder, names) {
  const openssl = (...words) => execFileSync('openssl', words, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...fresh, '-days', '2', '-subj', '/CN=tests', '-keyout', 'ca.key', '-out', 'ca.pem');
  const ca = join(folder, 'ca.pem');
  const of = names.map((name, i) => {
    writeFileSync(join(folder, `${i}.ext`), `subjectAltName=${name}\n`);
    openssl('req', ...fresh, '-subj', `/CN=${i}`, '-keyout', `${i}.key`, '-out', `${i}.csr`);
    openssl('x509', '-req', '-in', `${i}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${i}.ext`, '-out', `${i}.pem`);
    return { ca, certificate: join(folder, `${i}.pem`), key: join(folder, `${i}.key`) };
  });
  return { ca, of };
}

// What a client of such a server needs beside the address. from: the client's own address, such as 127.0.0.7.
export const trusting = (certificate, from) => ({
  ca: readFileSync(certificate),
  servername: NAME,
  lookup: (_, { all }, done) => (all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)),
  ...(from && { localAddress: from }),
});

export const connectorOf = (options) => buildConnector({ allowH2: false, ...options });
