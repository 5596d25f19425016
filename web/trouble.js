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

// Returns a sentence, or '' if there is nothing to say beyond what the column shows.
export async function findTrouble(video) {
  if (!navigator.onLine) return 'This device is offline. The comments go on by themselves once it is back.';
  const asked = await answers(`/resolve/${encodeURIComponent(video)}`);
  if (!asked) return `${location.host} does not answer. The comments go on by themselves once it is back.`;
  if (!asked.ok) return ''; // no reader yet, or none left: the server says so itself
  const { readerUrl, publicUrl = readerUrl } = await asked.json();
  const reader = new URL(publicUrl);
  if (OWN_MACHINE.test(reader.hostname)) reader.hostname = location.hostname;
  if (location.protocol === 'https:' && reader.protocol === 'http:' && !OWN_MACHINE.test(reader.hostname))
    return `This page came over https, but the comments of this video come from ${reader.origin}, and browsers do not let an https page read http. The reader needs an https address: see --public-url.`;
  // A browser opens at most six connections to a server, and each stream is one; then this waits as well.
  if (!(await answers(new URL('/health', reader))))
    return `The comments of this video come from ${reader.origin}, which does not answer this browser. Either it cannot be reached from here, or six tabs are connected to it already: then close one.`;
  return '';
}
