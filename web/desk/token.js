// The moderator's token: in the address after # (which browsers send to no server, and which goes from it at once), or typed;
// kept until the tab is closed. Without one the cookie of the page's origin counts.
const KEPT = 'chorus.moderator';

export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return kept();
  history.replaceState(null, '', location.pathname + location.search);
  keepToken(given);
  return given;
}

function kept() {
  try {
    return sessionStorage.getItem(KEPT) ?? '';
  } catch {
    return ''; // storage is blocked
  }
}

export function keepToken(token) {
  try {
    sessionStorage.setItem(KEPT, token);
  } catch {
    // it holds until the page is left
  }
}
