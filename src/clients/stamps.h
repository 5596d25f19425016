// Remembers when our own comments were posted and finds them by their text: each comment ends with its time
// of posting in microseconds, which no two of ours share. Memory is fixed, so only the newest ones are found.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct stamps;

struct stamps *stamps_new(size_t count);
void stamps_free(struct stamps *);

enum { STAMP_TEXT_SIZE = 28 }; // 2026-11-23T22:41:29.123456Z

// Writes a comment's time stamp (the wall time, or a little later) and remembers `posted_us`, a monotonic
// time.
void stamps_add(struct stamps *, int64_t posted_us, char out[STAMP_TEXT_SIZE]);

// Returns when the comment in an event's data was posted; -1 if it is not ours.
int64_t stamps_find(const struct stamps *, const char *data, size_t len);
