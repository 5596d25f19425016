// The routes that accept a JSON body, with the smallest valid one. The reader's is a stream, of one of its own videos.
import { postBytes } from './wire.mjs';

const VIDEO = 'conformance';

export async function bodyTakers(ports) {
  const at = (role) => ports.find((port) => port.role === role)?.url;
  const taken = await postBytes(`${at('comment')}/register`, Buffer.from(JSON.stringify({ videoid: VIDEO })));
  if (taken.status !== 200) throw new Error(`POST /register: ${taken.status} ${taken.text}`);
  const reader = JSON.parse(taken.text).readerUrl;
  return [
    { url: `${at('comment')}/comment`, valid: { userid: 'u', videoid: VIDEO, comment: 'c' }, status: 201 },
    { url: `${at('comment')}/register`, valid: { videoid: VIDEO }, status: 200 },
    { url: `${at('manager')}/register`, valid: { videoid: VIDEO }, status: 200 },
    { url: `${reader}/connect`, valid: { userid: 'u', videoid: VIDEO }, status: 200 },
    ...['comment-api', 'reader-api', 'reader-api-manager'].map((part) => (
      { url: `${at('statistics')}/${part}-statistics`, valid: { instanceId: 'conformance' }, status: 200 })),
    { url: `${at('statistics')}/client-statistics`, valid: { clientId: 'conformance' }, status: 200 },
  ];
}

// A valid body with one more member, at the end or at the beginning, whose value is given as bytes.
export function withExtra(valid, value, { first = false } = {}) {
  const members = JSON.stringify(valid).slice(1, -1);
  const [before, after] = first ? ['{"extra":', `,${members}}`] : [`{${members},"extra":`, '}'];
  return Buffer.concat([Buffer.from(before), Buffer.from(value), Buffer.from(after)]);
}
