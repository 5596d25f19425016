// The client is the file that a server serves as /chorus.js, web/chorus.js; packing copies it (package.json).
export * from './chorus.js';
