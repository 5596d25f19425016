// Each line that says so is wrong.
import { LiveComments } from 'chorus-live-comments';
import { Replay } from 'chorus-live-comments/replay';

const live = new LiveComments({ video: 'v', user: 'u' });
new LiveComments({ video: 'v' }); // wrong
new LiveComments({ video: 'v', user: 'u', history: '50' }); // wrong
live.position = '1-1'; // wrong
await live.post(); // wrong
if (live.state.name === 'closed') live.close(); // wrong
live._stream; // wrong
new Replay({ video: 'v' }); // wrong
new Replay({ video: 'v', clock: { currentTime: '0:10' } }); // wrong
