// Why the comments do not come, in words: what the page can find out by itself while its stream does not start.

const PATIENCE_MS = 5_000;
const OWN_MACHINE = /^(localhost|127\.[\d.]+|\[::1\]|.*\.localhost)$/;

async function answers(url, options) {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), cache: 'no-store', ...options });
  } catch {
    return undefined;
  }
}

// Browsers let a page that came over https read nothing by http, so the client connects to where the page came from.
async function findTroubleHere(video, reader) {
  const here = await answers(`/connect?${new URLSearchParams({ userid: 'trouble', videoid: video })}`, { method: 'HEAD' });
  if (here?.ok) return '';
  const how = here ? `answers ${here.status}` : 'does not answer';
  return `This page came over https, so the comments are asked for at ${location.origin}/connect and not at ${reader.origin}; and that ${how}. The proxy has to pass /connect on to the readers, or the reader needs an https address: see --public-url.`;
}

// Returns a sentence, or '' if there is nothing to say beyond what the column shows.
export async function findTrouble(video) {
  if (!navigator.onLine) return 'This device is offline. The comments go on by themselves once it is back.';
  const asked = await answers(`/resolve/${encodeURIComponent(video)}`);
  if (!asked) return `${location.host} does not answer. The comments go on by themselves once it is back.`;
  if (!asked.ok) return ''; // no reader yet, or none left: the server says so itself
  const { readerUrl, publicUrl = readerUrl } = await asked.json();
  const reader = new URL(publicUrl);
  if (location.protocol === 'https:' && reader.protocol === 'http:') return findTroubleHere(video, reader);
  if (OWN_MACHINE.test(reader.hostname)) reader.hostname = location.hostname;
  // A browser opens at most six connections to a server, and each stream is one; then this waits as well.
  if (!(await answers(new URL('health', `${reader.href.replace(/\/*$/, '')}/`))))
    return `The comments of this video come from ${reader.origin}, which does not answer this browser. Either it cannot be reached from here, or six tabs are connected to it already: then close one.`;
  return '';
}
