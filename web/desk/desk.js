// The moderators' page of a video, /moderate/VIDEO: the column with what can be done to a comment and its user, those that wait,
// the room, bans and the audit trail. What is done is shown at once, and undone with the server's sentence if it refuses.
import '../live-comments.js';
import { make } from '../column/dom.js';
import { authorOf } from '../column/text.js';
import { ID, ID_RULE, idInPath } from '../ids.js';
import { useShortcuts } from '../shortcuts.js';
import { Aim } from './aim.js';
import { Audit, spanOf } from './audit.js';
import { Bans } from './bans.js';
import { Held } from './held.js';
import { Service } from './service.js';
import { Settings } from './settings.js';
import { keepToken, takeToken } from './token.js';

const TIME_OUT_S = 600;
const BADGES = { connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting', ended: 'Ended', refused: 'Not connected' };
const isNarrow = matchMedia('(max-width: 899px)'); // as in desk.css
const PARTS = ['comments', 'waiting', 'settings', 'bans', 'audit'];

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat();
const video = idInPath('moderate') ?? '';
const comments = $('comments');
const service = new Service(video);
const audit = new Audit(service);
const bans = new Bans(service, (user) => lift(user));
const held = new Held(service, decide);
const settings = new Settings($('fields'), setRoom);

$('title').lastChild.textContent = video;
document.title = `Moderate ${video} · Chorus`;

// Who may

service.token = takeToken();

async function enter() {
  $('gate').hidden = true;
  try {
    await bans.read();
  } catch (error) {
    return turnAway(error);
  }
  $('room').hidden = false;
  comments.token = service.token || undefined;
  comments.setAttribute('video', video);
  held.poll();
  service.ask('GET', 'room').then((room) => settings.showAnswer(room), () => {});
  buttonOf('audit').hidden = !(await audit.exists());
}

function turnAway({ message, code }) {
  const why = { token_missing: 'Moderators need a token.', not_allowed: `This token does not give the right to moderate “${video}”.` };
  $('gate').hidden = false;
  $('refusal').textContent = Object.hasOwn(why, code) ? `${why[code]} ${message}` : message;
  $('token').focus();
}

$('gate').addEventListener('submit', (event) => {
  event.preventDefault();
  service.token = $('token').value.trim() || service.token;
  keepToken(service.token);
  $('token').value = '';
  enter();
});

// Doing something

function say(sentence, failed = false) {
  $('outcome').textContent = failed ? '' : sentence;
  $('failure').textContent = failed ? sentence : '';
  $('said').hidden = !sentence;
}
$('unsay').addEventListener('click', () => say(''));

// Resolves to the answer, or to undefined if it is refused: then `undo` is called.
async function act(done, ask, undo) {
  try {
    const answer = await ask();
    say(done);
    audit.poll();
    return answer;
  } catch (error) {
    undo?.();
    say(error.message, true);
    if (error.status === 401) turnAway(error);
    return undefined;
  }
}

function remove(comment, row) {
  aim.leave(row);
  row.classList.add('going');
  act(`The comment of ${authorOf(comment)} is deleted.`, () => service.ask('DELETE', `comments/${comment.id}`), () => row.classList.remove('going'));
}

function ban({ userid, seconds, shadow = false, purge = false }) {
  const until = seconds ? new Date(Date.now() + seconds * 1000).toISOString() : null;
  const undo = bans.put({ userid, until, shadow });
  const done = seconds ? `${userid} is timed out for ${spanOf(seconds)}.` : `${userid} is banned.`;
  act(done, () => service.ask('PUT', `bans/${encodeURIComponent(userid)}`, { ...(seconds && { seconds }), ...(shadow && { shadow }), ...(purge && { purge }) }), undo);
}
function lift(userid) {
  act(`The ban of ${userid} is lifted.`, () => service.ask('DELETE', `bans/${encodeURIComponent(userid)}`), bans.remove(userid));
}

const unpin = () => act('Nothing is pinned.', () => service.ask('DELETE', 'pin'));
function pin({ id, ...comment }) {
  if (id === comments.pinned) unpin();
  else act(`The comment of ${authorOf(comment)} is pinned.`, () => service.ask('PUT', 'pin', { id }));
}

function setRoom(patch, label) {
  return act(`${label} is set.`, () => service.ask('PATCH', 'room', patch));
}

// One that is no longer there is decided, too.
async function decide({ id, comment }, allow) {
  let gone = false;
  const ask = () => service.ask('POST', `held/${id}`, { allow }).catch((error) => {
    gone = ['not_held', 'banned', 'video_ended'].includes(error.code);
    throw error;
  });
  return Boolean(await act(`The comment of ${authorOf(comment)} is ${allow ? 'allowed' : 'denied'}.`, ask)) || gone;
}

// Dialogs

const banForm = $('ban').querySelector('form');
function askBan(userid = '') {
  banForm.reset();
  banForm.elements.user.value = userid;
  aim.kept = true;
  $('ban').returnValue = '';
  $('ban').showModal();
  (userid ? banForm.querySelector('[value=ban]') : banForm.elements.user).focus();
}
$('ban').addEventListener('close', () => {
  aim.kept = false;
  const { user, seconds, purge, shadow } = banForm.elements;
  if ($('ban').returnValue === 'ban') ban({ userid: user.value, seconds: Number(seconds.value), purge: purge.checked, shadow: shadow.checked });
});
$('ban-user').addEventListener('click', () => askBan());

$('end').addEventListener('click', () => {
  $('ending').returnValue = '';
  $('ending').showModal();
});
$('ending').addEventListener('close', () => $('ending').returnValue === 'end' && act('The video has ended.', () => service.ask('POST', 'end')));
$('start').addEventListener('click', async () => {
  if (!(await act('The video is started.', () => service.ask('POST', 'start'))) || comments.state.name !== 'ended') return;
  comments.removeAttribute('video'); // what has ended does not connect again by itself
  comments.setAttribute('video', video);
});
$('unpin').addEventListener('click', unpin);

// The column

const ACTS = [
  { name: 'Delete', key: 'd', grave: true, act: remove },
  { name: 'Time out', key: 't', act: ({ userid }) => ban({ userid, seconds: TIME_OUT_S }) },
  { name: 'Ban…', key: 'b', grave: true, act: ({ userid }) => askBan(userid) },
  { name: 'Pin', key: 'p', act: pin },
];
const aim = new Aim(comments, ACTS);

comments.addEventListener('state', ({ detail: { name } }) => {
  $('badge').className = `badge ${name}`;
  $('badge').textContent = BADGES[name];
  if (name !== 'live') $('viewers').textContent = '';
});
comments.addEventListener('viewers', ({ detail: { viewers } }) => ($('viewers').textContent = `${number.format(viewers)} watching`));
comments.addEventListener('room', ({ detail: { room } }) => settings.show(room));
for (const type of ['room', 'entry']) comments.addEventListener(type, () => ($('unpin').disabled = !comments.pinned));

// Parts of the page: beside the column, or on a phone in its place.

const buttonOf = (part) => document.querySelector(`#parts [data-part=${part}]`);
function show(part) {
  document.body.dataset.part = part;
  for (const name of PARTS) {
    buttonOf(name).setAttribute('aria-pressed', String(name === part));
    if (part !== 'comments' && name !== 'comments') $(name).hidden = name !== part;
  }
  if (part === 'bans') bans.read().catch(({ message }) => say(message, true));
  audit.poll();
}
function go(part) {
  if (buttonOf(part).hidden) return;
  if (part !== 'comments' || isNarrow.matches) show(part);
  if (part === 'comments') aim.move(0);
  else if (part === 'waiting') held.move(0);
  if (part !== 'comments' && !$(part).matches(':focus-within')) $(part).focus();
}
$('parts').addEventListener('click', ({ target }) => target.closest('button') && show(target.closest('button').dataset.part));

const onComment = Object.fromEntries(ACTS.map(({ key, act: what }) => [key, () => aim.act(what)]));
const move = (by) => (held.hasFocus ? held.move(by) : aim.move(by));
useShortcuts({
  ...onComment,
  j: () => move(1),
  k: () => move(-1),
  a: () => held.decide(held.focused, true),
  x: () => held.decide(held.focused, false),
  c: () => comments.shadowRoot.querySelector('textarea')?.focus(),
  ...Object.fromEntries(PARTS.map((part, i) => [String(i + 1), () => go(part)])),
});

show(isNarrow.matches ? 'comments' : 'waiting');
if (ID.test(video)) enter();
else $('main').prepend(make('p.problem', { role: 'alert' }, `“${video}” is not a video. ${ID_RULE}`));
