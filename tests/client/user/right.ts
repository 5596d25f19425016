// What a user may write.
import { ChorusError, LiveComments, type Comment, type Gap, type LiveCommentsOptions, type State } from 'chorus-live-comments';

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
  console.log(timestamp, comments.length, more, live.position.length, live.state.name);
} catch (error) {
  if (error instanceof ChorusError) console.log(error.status, error.code, error.retryAfterMs?.toFixed());
}
live.close();
