import { ChorusError, LiveComments } from 'chorus-live-comments';

const live = new LiveComments({ server: 'http://127.0.0.1:9', video: 'v', user: 'u' });
console.log(LiveComments.name, ChorusError.name, JSON.stringify(live.state));
live.close();
