// Keys and tokens, made by Node's crypto and so independently of the program.
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

// {kid, jwk, sign}: jwk is what --jwt-keys gets.
export function makeKey(alg, kid) {
  if (alg === 'HS256') {
    const secret = randomBytes(32);
    return { alg, kid, jwk: { kty: 'oct', alg, kid, k: secret.toString('base64url') }, sign: (text) => createHmac('sha256', secret).update(text).digest() };
  }
  const [type, options] = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }], EdDSA: ['ed25519', {}] }[alg];
  const { publicKey, privateKey } = generateKeyPairSync(type, options);
  const how = alg === 'ES256' ? { key: privateKey, dsaEncoding: 'ieee-p1363' } : privateKey;
  return { alg, kid, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid }, sign: (text) => sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), how) };
}

export const keySet = (...keys) => JSON.stringify({ keys: keys.map((key) => key.jwk) });

export const claims = (more = {}, chorus = {}) => ({
  sub: 'ann', exp: Math.floor(Date.now() / 1000) + 600, chorus: { videos: ['*'], can: ['read', 'post'], ...chorus }, ...more,
});

export function makeToken(key, payload = claims(), header = {}) {
  const text = `${encode({ alg: key.alg, kid: key.kid, ...header })}.${encode(payload)}`;
  return `${text}.${key.sign(text).toString('base64url')}`;
}
