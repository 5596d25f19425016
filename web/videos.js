// The videos that are being watched, with how many watch each: GET /videos of the comment API, asked again while the page is
// visible. Links, so that they also open in another tab; a plain click is left to onChoose.
import { hueOf } from './stage.js';

const POLL_MS = 5_000;
const PATIENCE_MS = 10_000;
const SHOWN = 20;
const EYE = 'M12 5c5 0 8.6 4.1 10 7-1.4 2.9-5 7-10 7S3.4 14.9 2 12c1.4-2.9 5-7 10-7zm0 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8z';

export const pathOf = (video) => `/watch/${encodeURIComponent(video)}`;

// The active videos, most viewers first: [{videoid, viewers, commentsPerSecond}].
export async function activeVideos() {
  const response = await fetch(`/videos?limit=${SHOWN}`, { headers: { accept: 'application/json' }, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`The list of videos: status ${response.status}`);
  return (await response.json()).videos;
}

export class VideoRow {
  #list;
  #onChoose;
  #items = new Map(); // by id
  #current;
  #timer = 0;
  #number = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

  constructor(list, { onChoose }) {
    this.#list = list;
    this.#onChoose = onChoose;
    list.addEventListener('click', (event) => {
      const link = event.target.closest('a');
      if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.#onChoose(link.dataset.video);
    });
    document.addEventListener('visibilitychange', () => this.#poll());
    this.#poll();
  }

  set current(video) {
    this.#current = video;
    this.#show([...this.#items.values()].map(({ data }) => data));
    this.#items.get(video)?.link.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  // The count of the current video comes with its stream, sooner than the list.
  setViewers(video, viewers) {
    const item = this.#items.get(video);
    if (item) this.#fill(item, { ...item.data, viewers });
  }

  // The id of the video `step` places after the current one, if there is any.
  neighbour(step) {
    const ids = [...this.#items.keys()], at = ids.indexOf(this.#current);
    return ids[(at + step + ids.length) % ids.length];
  }

  async #poll() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    const timer = (this.#timer = setTimeout(() => this.#poll(), PATIENCE_MS + POLL_MS));
    const videos = await activeVideos().catch(() => undefined); // the row stays as it is
    if (timer !== this.#timer) return; // asked again in between
    clearTimeout(timer);
    this.#timer = setTimeout(() => this.#poll(), POLL_MS);
    if (videos) this.#show(videos);
  }

  // Those already shown keep their places, so that nothing moves under a finger.
  #show(videos) {
    const found = new Map(videos.map((data) => [data.videoid, data]));
    if (this.#current && !found.has(this.#current)) found.set(this.#current, { videoid: this.#current });
    for (const [id, { element }] of this.#items) {
      if (found.has(id)) continue;
      element.remove();
      this.#items.delete(id);
    }
    for (const [id, data] of found) {
      const item = this.#items.get(id) ?? this.#make(id);
      this.#fill(item, data);
      if (id === this.#current) item.link.setAttribute('aria-current', 'page');
      else item.link.removeAttribute('aria-current');
    }
  }

  #make(id) {
    const element = document.createElement('li'), link = document.createElement('a');
    const thumb = document.createElement('span'), count = document.createElement('span'), name = document.createElement('bdi');
    const number = document.createElement('span'), words = document.createElement('span');
    link.className = 'video';
    link.href = pathOf(id) + location.search;
    link.dataset.video = id;
    thumb.className = 'thumb';
    thumb.style.setProperty('--hue', hueOf(id));
    count.className = 'count';
    words.className = 'visually-hidden';
    name.className = 'name';
    name.textContent = id;
    count.append(eye(), number, words);
    thumb.append(count);
    link.append(thumb, name);
    element.append(link);
    this.#list.append(element);
    const item = { element, link, count, number, words, data: {} };
    this.#items.set(id, item);
    return item;
  }

  #fill(item, data) {
    item.data = data;
    item.count.hidden = data.viewers === undefined;
    const text = data.viewers === undefined ? '' : this.#number.format(data.viewers);
    if (item.number.textContent === text) return;
    item.number.textContent = text;
    item.words.textContent = ' watching';
  }
}

function eye() {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  for (const [name, value] of [['viewBox', '0 0 24 24'], ['width', 13], ['height', 13], ['aria-hidden', 'true']]) svg.setAttribute(name, value);
  path.setAttribute('d', EYE);
  svg.append(path);
  return svg;
}
