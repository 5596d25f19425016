// A wall clock of one process that a test can set: libfaketime reads its offset from a file. The monotonic clock
// is unaffected.
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { slow } from './time.mjs';

const library = readdirSync('/usr/lib')
  .map((arch) => `/usr/lib/${arch}/faketime/libfaketime.so.1`)
  .find(existsSync);
export const withoutFaketime = !library && 'needs libfaketime';
// For Chorus's own clock: libraries that a sanitizer preloads have to come first.
export const withoutOwnFaketime = withoutFaketime || (slow && 'not under a sanitizer');

export class Clock {
  constructor(folder) {
    this.file = join(folder, 'clock');
    this.set(0);
  }
  // Sets the offset from now on, in seconds.
  set(seconds) {
    writeFileSync(`${this.file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    renameSync(`${this.file}.new`, this.file);
  }
  // The environment of the process that uses it. (libc's malloc comes first: Redis's jemalloc asks for the time
  // before libfaketime can begin.)
  get env() {
    return {
      LD_PRELOAD: `${library}:libc.so.6`, FAKETIME_TIMESTAMP_FILE: this.file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }
}
