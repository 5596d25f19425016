'use strict';
const $ = (id) => document.getElementById(id);
const LINES = 500; // kept in the list
const query = new URLSearchParams(location.search);
// The address is /watch/VIDEO, or /?video=VIDEO.
const inPath = location.pathname.match(/^\/watch\/([^/]+)\/?$/);
$('video').value = (inPath && decodeURIComponent(inPath[1])) || query.get('video') || 'video1';
$('user').value = query.get('user') || 'viewer-' + Math.random().toString(36).slice(2, 7);
let source, attempt = 0;

function addLine(className, fill) {
  const list = $('comments');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const item = document.createElement('li');
  item.className = className;
  fill(item);
  list.append(item);
  while (list.childElementCount > LINES) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}
const addNote = (text) => addLine('note', (item) => (item.textContent = text));
const addComment = (c) => addLine('', (item) => {
  const author = document.createElement('b');
  author.textContent = c.name || c.userid; // text, never markup
  item.append(author, c.comment);
});

async function callJson(path, body, headers) {
  const answer = await fetch('/' + path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
  const json = await answer.json();
  if (answer.ok) return json;
  const wait = answer.headers.get('Retry-After');
  throw new Error(json.error + (wait ? ` (try again in ${wait} s)` : ''));
}

// Asks which reader has the video, and opens its stream. EventSource reconnects by itself after a cut; only a refusal
// closes it permanently, and then we ask again.
async function watch() {
  if (source) source.close();
  const mine = ++attempt, video = $('video').value, user = $('user').value;
  $('state').textContent = 'connecting';
  try {
    const { readerUrl, publicUrl } = await callJson('register', { videoid: video });
    if (mine !== attempt) return;
    const url = new URL('connect', (publicUrl || readerUrl) + '/');
    // A reader at a loopback address is on the machine that this page came from.
    if (['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) url.hostname = location.hostname;
    url.search = new URLSearchParams({ userid: user, videoid: video });
    source = new EventSource(url);
  } catch (error) {
    $('problem').textContent = error.message;
    if (mine === attempt) setTimeout(() => mine === attempt && watch(), 2000);
    return;
  }
  const stream = source;
  stream.onopen = () => { $('state').textContent = 'live'; $('problem').textContent = ''; };
  stream.onmessage = (event) => {
    const data = JSON.parse(event.data);
    if (data.type === undefined) addComment(data);
  };
  stream.addEventListener('gap', (event) => {
    const { missed } = JSON.parse(event.data);
    addNote(missed ? `${missed} comments missed` : 'some comments missed');
  });
  stream.onerror = () => {
    if (stream !== source) return;
    $('state').textContent = 'reconnecting';
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => stream === source && watch(), 2000);
  };
}

$('post').onsubmit = async (event) => {
  event.preventDefault();
  const comment = $('text').value;
  if (!comment) return;
  try {
    // The key makes a repeat harmless if the response was lost on its way.
    const key = Date.now().toString(36) + Math.random().toString(36).slice(2);
    await callJson('comment', { userid: $('user').value, videoid: $('video').value, comment }, { 'Idempotency-Key': key });
    if ($('text').value === comment) $('text').value = ''; // a refused comment stays in the field, to be sent again
    $('problem').textContent = '';
  } catch (error) {
    $('problem').textContent = error.message;
  }
};
$('video').onchange = $('user').onchange = () => {
  history.replaceState(null, '', '/watch/' + encodeURIComponent($('video').value) + '?' + new URLSearchParams({ user: $('user').value }));
  $('comments').replaceChildren();
  watch();
};
watch();
