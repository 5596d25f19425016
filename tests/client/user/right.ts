// What a user may write.
import { ChorusError, LiveComments, type Comment, type Gap, type LiveCommentsOptions, type State } from 'chorus-live-comments';
import { LiveCommentsElement } from 'chorus-live-comments/element';
import { useLiveComments } from 'chorus-live-comments/react';
import { lengthOf, Replay } from 'chorus-live-comments/replay';

const options: LiveCommentsOptions = {
  server: new URL('http://127.0.0.1:3000'), video: 'v', user: 'u', name: 'Ann', history: 50, viewers: true, share: false, since: '1-1',
  token: async () => 'secret',
  fetch,
  onComment(comment: Comment, { own, replayed }) {
    const text: string = comment.name ?? comment.userid, both: boolean = own && replayed;
    console.log(text, both);
  },
  onGap({ from, to, missed, reason }: Gap) {
    const known: number = missed ?? 0;
    console.log(from, to, known, reason === 'expired');
  },
  onState({ name, retryInMs = 0, error, code }: State) {
    console.log(name === 'reconnecting' ? retryInMs : error, code);
  },
  onViewers: (viewers) => console.log(viewers.toFixed()),
};
const live = new LiveComments(options);
live.name = undefined;
try {
  const { id, timestamp }: Comment = await live.post('hello');
  const { comments, more } = await live.comments({ before: id, limit: 10 });
  const { pinned, frozen } = await live.room();
  console.log(timestamp, comments.length, more, live.position.length, live.state.name, pinned?.length, frozen);
} catch (error) {
  if (error instanceof ChorusError) console.log(error.status, error.code, error.retryAfterMs?.toFixed());
}
live.close();

const element: LiveCommentsElement = document.createElement('live-comments');
Object.assign(element, { video: 'v', history: 10, readonly: true });
element.token = () => 'secret';
element.words = { title: 'Kommentare', missed: (count: number) => `${count} fehlen` };
element.addEventListener('comment', ({ detail: { comment, own } }) => console.log(comment.id, own));
element.addEventListener('click', () => console.log(element.post('hello'), element.state.name, element.viewers?.toFixed(), element.live?.state.name));
element.clock = document.createElement('video');
element.offsetMs = -5000;

const replay = new Replay({ video: 'v', clock: { currentTime: 0 }, offsetMs: 10, onComment: (comment, { at }) => console.log(comment.comment, at.toFixed()), onSeek() {} });
console.log((await lengthOf(replay)).toFixed(), (await replay.comments({ after: '1-1' })).more, replay.state.name === 'replaying');
replay.close();

const view = useLiveComments({ server: 'http://127.0.0.1:3000', video: 'v', user: 'u', keep: 10 });
console.log(view.comments.map(({ own, id }) => [own, id]), view.state.name, view.viewers?.toFixed(), view.gaps, (await view.post('hello')).id);
