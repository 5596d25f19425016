// Texts of strangers, made fit to be shown; and what is derived from them.

const encoder = new TextEncoder();
export const byteLength = (text) => encoder.encode(text).length;

// As people see characters: a family of emoji is one. Where the browser cannot tell, code points.
const segmenter = Intl.Segmenter && new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const characters = (text) => (segmenter ? Array.from(segmenter.segment(text), ({ segment }) => segment) : Array.from(text));

// Controls, line separators and what turns the direction of writing or joins nothing: no part of a name.
const NO_NAME = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]+/gu;
const LONE_SURROGATE = /\p{Cs}/gu;
const INVISIBLE = /^[\p{Z}\p{C}\p{M}\u115f\u1160\u3164\uffa0\u2800]*$/u;
const oneLine = (text) => String(text ?? '').replace(LONE_SURROGATE, '\ufffd').replace(NO_NAME, ' ').replace(/\s+/g, ' ').trim();

// A name that the server accepts (1-64 bytes of UTF-8), of whatever was typed; '' if nothing is left.
export function fitName(text, limit = 64) {
  let fit = '', bytes = 0;
  for (const character of characters(oneLine(text))) {
    bytes += byteLength(character);
    if (bytes > limit) break;
    fit += character;
  }
  fit = fit.trim();
  return INVISIBLE.test(fit) ? '' : fit;
}

// What stands for the author of a comment: the name, or the user id if there is none that can be seen.
export function authorOf({ name, userid }) {
  const shown = oneLine(name);
  return INVISIBLE.test(shown) ? oneLine(userid) || '?' : shown;
}

// One or two letters: of the first word and the last. A character with many marks gives its letter alone.
export function initials(name) {
  const words = name.split(/[\s._:@~-]+/u).filter((word) => !INVISIBLE.test(word));
  const firstOf = (word) => {
    const [character] = characters(word);
    return /^[\p{Extended_Pictographic}\p{Regional_Indicator}]/u.test(character) && character.length < 16 ? character : Array.from(word)[0];
  };
  const first = firstOf(words[0] ?? '?');
  const last = words.length > 1 ? firstOf(words.at(-1)) : '';
  return /^[\p{L}\p{N}]$/u.test(first) && /^\p{L}$/u.test(last) ? (first + last).toUpperCase() : first.toUpperCase();
}

// The same user has the same hue everywhere: 0-359, from FNV-1a of the id.
export function hueOf(userid) {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(userid)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return (hash ^ (hash >>> 15)) % 360;
}

// "now", "12 s", "5 min", "3 h", then the date. A server's clock may be ahead: that is now, too.
export function age(at, now, words) {
  const seconds = Math.floor((now - at) / 1000);
  if (!(seconds >= 5)) return words.now;
  if (seconds < 60) return words.seconds(seconds - (seconds % 5));
  if (seconds < 3600) return words.minutes(Math.floor(seconds / 60));
  if (seconds < 86400) return words.hours(Math.floor(seconds / 3600));
  return new Date(at).toLocaleDateString();
}

// A place in a recording: "0:05", "1:02:07".
export function position(seconds) {
  const whole = Math.floor(Math.abs(seconds)), two = (number) => String(number).padStart(2, '0');
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return `${seconds < 0 && whole ? '−' : ''}${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

// Ids are <epoch>-<seq>: negative, 0 or positive, as a sort wants it.
export function compareIds(a, b) {
  const [epochA, seqA] = a.split('-').map(Number), [epochB, seqB] = b.split('-').map(Number);
  return epochA - epochB || seqA - seqB;
}
export const idAfter = (id, by = 1) => id.replace(/\d+$/, (seq) => Number(seq) + by);

const number = new Intl.NumberFormat();
export const formatNumber = (count) => number.format(count);

// What may be posted: no controls but tab and line feeds, nothing around it.
export const fitComment = (text) => text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '').replace(LONE_SURROGATE, '\ufffd').trim();
