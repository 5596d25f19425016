// When our own comments were posted, found again by their text: each ends with the time of its posting, to
// the microsecond, and no two of ours have the same. In fixed memory: the newest ones, others are not found.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct stamps;

struct stamps *stamps_new(size_t count);
void stamps_free(struct stamps *);

enum { STAMP_TEXT_SIZE = 28 }; // 2026-11-23T22:41:29.123456Z

// Writes a comment's time (wall time of now, or a little later) and remembers `posted_us`, a monotonic time.
void stamps_add(struct stamps *, int64_t posted_us, char out[STAMP_TEXT_SIZE]);

// Returns when the comment in an event's data was posted; -1 if it is none of ours.
int64_t stamps_find(const struct stamps *, const char *data, size_t len);
