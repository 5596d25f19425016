// Set-ups: embedded, up-redis.
// CI also: up-redis. Examples have to work on both engines.
// Long: 8.
import { exampleScenarios } from '../lib/examples.mjs';

exampleScenarios('python', () => ({ file: 'python3', args: ['clients/python/example.py'] }));
