// Who comments, kept in localStorage, or in memory where that is unavailable: a user id that is made once, and a name.
const memory = new Map();

function read(key) {
  try {
    return localStorage.getItem(key) ?? memory.get(key);
  } catch {
    return memory.get(key); // storage is blocked, or the document has an opaque origin
  }
}
function write(key, value) {
  memory.set(key, value);
  try {
    localStorage.setItem(key, value);
  } catch {
    // blocked or full: it holds until the page is closed
  }
}

// crypto.randomUUID() is only there in secure contexts.
function makeUserId() {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return `u-${Array.from(bytes, (byte) => (byte % 36).toString(36)).join('')}`;
}

export function ownUserId() {
  const kept = read('chorus.user');
  if (/^[\w.~:@-]{1,128}$/.test(kept ?? '')) return kept;
  const made = makeUserId();
  write('chorus.user', made);
  return made;
}

// The name that was chosen here last, or one such as "Guest 4821", which stays the same for the user.
export const ownName = (userid, words) => read('chorus.name') || words.guest(1000 + (Array.from(userid).reduce((sum, c) => (sum * 31 + c.codePointAt(0)) >>> 0, 7) % 9000));
export const keepName = (name) => write('chorus.name', name);
