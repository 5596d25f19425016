import { ChorusError, LiveComments } from 'chorus-live-comments';
import 'chorus-live-comments/element'; // as server-side rendering does, where there is no document

const live = new LiveComments({ server: 'http://127.0.0.1:9', video: 'v', user: 'u' });
console.log(LiveComments.name, ChorusError.name, JSON.stringify(live.state));
live.close();
const { Replay } = await import('chorus-live-comments/replay');
new Replay({ server: 'http://127.0.0.1:9', video: 'v', clock: { currentTime: 0 } }).close();
