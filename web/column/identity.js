// Who comments: the user of a token; otherwise a user id that is made once, and a name, kept in localStorage, or in memory where
// that is unavailable.
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

// The name that was chosen here last. A user who has none, and no id that a person would know, is "Guest 4821".
const nameKey = (userid) => (userid === ownUserId() ? 'chorus.name' : `chorus.name.${userid}`);
export const keepName = (userid, name) => write(nameKey(userid), name);
export function ownName(userid, words) {
  const kept = read(nameKey(userid));
  if (kept || userid !== ownUserId()) return kept ?? '';
  return words.guest(1000 + (Array.from(userid).reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) >>> 0, 7) % 9000));
}

// Whose token it is, as it says itself: only the server knows whether that is true. Undefined if it is no JWT.
export function userOfToken(token) {
  try {
    const claims = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(claims).sub;
  } catch {
    return undefined;
  }
}
