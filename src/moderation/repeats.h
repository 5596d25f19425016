// The texts that users have posted a short while ago, as hashes: who posts one again. Words are compared, as
// folded.h has them; a text without words as it is. At most REPEATS_MAX texts: beyond that the oldest are
// forgotten. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "folded.h"

enum { REPEATS_MAX = 100000 };

struct repeats;

// A text of a user.
struct repeat_mark {
    uint64_t user, text;
};

struct repeats *repeats_new(void);
void repeats_free(struct repeats *); // NULL is fine

struct repeat_mark repeat_mark_of(const char *user, const struct folded *, const char *text, size_t len);

// Notes a text, whose post has this key (user and Idempotency-Key; empty: none). Returns false if the user
// has posted it within `within_ms`, other than with the same key.
bool repeats_note(struct repeats *, const struct repeat_mark *, const char *key, int64_t now_ms,
                  int64_t within_ms);

// Forgets one that was not stored after all.
void repeats_forget(struct repeats *, const struct repeat_mark *);
