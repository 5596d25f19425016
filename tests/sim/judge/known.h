// All entries that a journal shows to be in a log: comments that were acknowledged, and what some viewer has
// seen. The writer of an entry that is no comment is KNOWN_ENTRY, its number what it says.
// In the order of their positions, video by video. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/position.h"
#include "journal.h"

#define KNOWN_ENTRY UINT32_MAX

struct known {
    uint32_t video;
    struct position at;
    uint32_t writer, number;
    int64_t first_us; // when it was acknowledged or seen first
    int64_t acked_us; // -1: it never was
    int64_t lost_us;  // when the store forgot it; -1: it has not
};

struct known_list {
    struct known *all; // by video, then by position
    size_t count;
};

// A comment that cannot be where it is: the position has two texts.
typedef void known_conflict_cb(void *arg, const struct known *, const struct known *);

// Collects the comments. `list` is to be released also if there were conflicts.
void known_collect(struct known_list *, const struct journal *, known_conflict_cb *, void *arg);
void known_release(struct known_list *);

// Returns the index of the first comment of the video after `at`.
size_t known_after(const struct known_list *, uint32_t video, struct position at);

// Returns the comment at this position, or NULL.
struct known *known_find(const struct known_list *, uint32_t video, struct position at);
