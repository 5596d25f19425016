// Ids of videos and users, as the server accepts them, and as addresses have them.
export const ID = /^(?!\.{1,2}$)[\w.~:@-]{1,128}$/;
export const ID_RULE = 'A video’s id has 1 to 128 of the characters A-Z a-z 0-9 . _ ~ - : @';

// The id in /PAGE/ID; undefined if the path is another one.
export function idInPath(page) {
  const [, name, id] = location.pathname.match(/^\/(\w+)\/([^/]+)\/?$/) ?? [];
  if (name !== page) return undefined;
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
