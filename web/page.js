// The viewer page: which video is shown, and what the page says around the comments, which <live-comments> shows.
//
// Addresses: /watch/VIDEO, or / for the video that most people watch. `?user=` and `?name=` say who comments; otherwise
// <live-comments> makes an id, keeps it, and lets one choose a name. `?video=` works as well. `?replay` shows the comments as they
// came, in place of live ones: a video that is over offers that.
import './live-comments.js';
import { ID, ID_RULE, idInPath } from './ids.js';
import { Player } from './player.js';
import { Stage } from './stage.js';
import { useShortcuts } from './shortcuts.js';
import { findTrouble } from './trouble.js';
import { activeVideos, pathOf, VideoRow } from './videos.js';

const FIRST_VIDEO = 'video1'; // while none is watched
const CHOICE_MS = 2_000; // for the list of videos, on arrival
const TROUBLE_MS = 4_000; // without a stream, until the page looks for the reason
const BADGES = { connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting', ended: 'Ended', refused: 'Not connected', replaying: 'Replay' };

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const comments = $('comments');
const stage = new Stage($('lights'), $('hills'));
const player = new Player($('player'));
const row = new VideoRow($('videos'), { onChoose: (id) => go(id) });
const number = new Intl.NumberFormat();
let video;
let troubleTimer = 0;
let wasAsked = false; // for a replay, on this page

function videoOfAddress() {
  return idInPath('watch') ?? new URLSearchParams(location.search).get('video');
}

function addressOf(id, { replay = false } = {}) {
  const rest = new URLSearchParams(location.search);
  for (const name of ['video', 'replay']) rest.delete(name);
  if (replay) rest.set('replay', '');
  return pathOf(id) + (String(rest) && `?${rest}`);
}

async function mostWatched() {
  const late = new Promise((done) => setTimeout(done, CHOICE_MS, []));
  const [first] = await Promise.race([activeVideos(), late]).catch(() => []);
  return first?.videoid ?? FIRST_VIDEO;
}

// Shows a video; the address is already its own.
function show(id) {
  video = id;
  player.close();
  clearTimeout(troubleTimer);
  troubleTimer = 0;
  $('title').firstChild.textContent = id;
  document.title = `${id} · Chorus`;
  $('viewers').textContent = '';
  $('over').hidden = true;
  say('');
  stage.show(id);
  if (ID.test(id)) {
    row.current = id;
    comments.setAttribute('video', id);
    comments.toggleAttribute('replay', new URLSearchParams(location.search).has('replay'));
    return;
  }
  row.current = undefined;
  comments.removeAttribute('video');
  say(`“${id}” is not a video. ${ID_RULE}`);
}

function go(id) {
  if (id === undefined || id === video) return;
  history.pushState(null, '', addressOf(id));
  show(id);
}

function say(sentence) {
  if ($('problem').textContent === sentence) return; // or it would be read aloud again
  $('problem').textContent = sentence;
  $('problem').hidden = !sentence;
}

function onState({ name }) {
  const badge = $('badge'), isReplay = comments.hasAttribute('replay');
  if (isReplay && name === 'ended') name = 'replaying';
  badge.className = `badge ${name}`;
  badge.textContent = ID.test(video ?? '') ? BADGES[name] : '';
  if (name !== 'live') $('viewers').textContent = '';
  if (isReplay) return name === 'connecting' || openPlayer();
  $('over').hidden = name !== 'ended';
  $('replay').hidden = true;
  if (name === 'ended') offerReplay();
  if (name === 'connecting' || name === 'reconnecting') {
    troubleTimer ||= setTimeout(look, TROUBLE_MS);
    return;
  }
  clearTimeout(troubleTimer);
  troubleTimer = 0;
  if (name === 'live') say('');
}

// Replay

async function lengthOfReplay() {
  const { lengthOf } = await import('./replay.js');
  return lengthOf(comments.live).catch(() => 0);
}

// Where there is something to replay.
async function offerReplay() {
  const id = video, ms = await lengthOfReplay();
  if (id === video && comments.state.name === 'ended') $('replay').hidden = !ms;
}

async function openPlayer() {
  if (player.isOpen) return;
  player.open();
  if (document.activeElement === document.body && document.hasFocus() && wasAsked) player.focus(); // the button that was pressed is gone
  const id = video, ms = await lengthOfReplay();
  if (id === video && player.isOpen) player.duration = ms / 1000;
}

// The address says it too: for a reload, and for others.
function replay(on) {
  wasAsked = on;
  history.pushState(null, '', addressOf(video, { replay: on }));
  show(video);
  if (!on) comments.focus();
}
$('replay').addEventListener('click', () => replay(true));
$('leave').addEventListener('click', () => replay(false));

// Looks again until there is a stream: reasons change.
async function look() {
  const timer = troubleTimer;
  const sentence = await findTrouble(video).catch(() => '');
  if (timer !== troubleTimer) return; // it is live by now
  say(sentence);
  troubleTimer = setTimeout(look, TROUBLE_MS);
}

function onViewers({ viewers }) {
  $('viewers').textContent = `${number.format(viewers)} watching`;
  row.setViewers(video, viewers);
}

comments.clock = player;
comments.addEventListener('state', ({ detail }) => onState(detail));
comments.addEventListener('viewers', ({ detail }) => onViewers(detail));
comments.addEventListener('comment', ({ detail }) => detail.replayed || stage.pulse());
addEventListener('popstate', () => show(videoOfAddress() ?? FIRST_VIDEO));

$('open').addEventListener('submit', (event) => {
  event.preventDefault();
  const id = $('open-video').value.trim();
  $('open-problem').textContent = ID.test(id) ? '' : ID_RULE;
  if (!ID.test(id)) return;
  $('open-video').value = '';
  go(id);
});

// Keys

useShortcuts({
  k: () => player.isOpen && player.toggle(),
  c: () => comments.shadowRoot?.querySelector('textarea')?.focus(),
  '[': () => go(row.neighbour(-1)),
  ']': () => go(row.neighbour(1)),
});

// The keyboard of a phone covers the page's lower part unless the page becomes smaller; some browsers only say how much of it
// is visible.
const { visualViewport } = window;
visualViewport?.addEventListener('resize', () => {
  const covered = innerHeight - visualViewport.height * visualViewport.scale > 100;
  if (covered) document.documentElement.style.setProperty('--visible-height', `${visualViewport.height}px`);
  else document.documentElement.style.removeProperty('--visible-height');
  if (covered) scrollTo(0, 0);
});

const user = query.get('user'), name = query.get('name') ?? user;
if (user && ID.test(user)) comments.setAttribute('user', user);
if (name) comments.setAttribute('name', name);
if (videoOfAddress() === null) history.replaceState(null, '', addressOf(await mostWatched()));
show(videoOfAddress());
