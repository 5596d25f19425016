// Private to placement: which reader of a set gets the next viewer, by the readers as last listed. A reader's
// viewers are those of its lease, and those that were sent to it since: the set counts them. Control loop
// only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hot_crowd;
struct reader_set;
struct readers;

// Returns the first member that is alive; NULL if the set is not in force: none is, or it has only one.
const char *set_first_alive(const struct reader_set *, const struct readers *, int64_t now_ms);

// Returns the URL of the one that the next viewer of the video goes to, who counts as sent; NULL: none is
// alive.
const char *set_choose(struct reader_set *, const struct readers *, const char *video, int64_t now_ms);

// See placement_set_moves() and placement_sends_on().
uint64_t set_moves(struct reader_set *, const struct readers *, const char *video, const char *own,
                   uint64_t viewers, struct hot_crowd *, int64_t now_ms);
bool set_sends_on(struct reader_set *, const struct readers *, const char *video, const char *own,
                  uint64_t viewers, const char *other);
