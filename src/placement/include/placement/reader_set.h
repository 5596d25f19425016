// The readers that serve a hot video together, as the store has them (engine.h, set_read()): their URLs,
// separated by spaces. The first is the one that the video's mapping names, for processes that know no sets.
// A set of fewer than two is not in force: then the mapping alone decides. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct engine_set;

enum { READER_SET_MAX = 24 };

struct reader_set {
    unsigned references;
    uint64_t generation;
    size_t count;
    const char *urls[READER_SET_MAX];
    // How many viewers were sent to each by this process since its lease had this stamp.
    uint64_t stamps[READER_SET_MAX];
    uint32_t sent[READER_SET_MAX];
    char text[];
};

// Returns a new one, with one reference. What is not a URL in it is left out.
struct reader_set *reader_set_read(const struct engine_set *);
void reader_set_unref(struct reader_set *); // NULL is fine

// Puts the set that was read in the place of *set; NULL, if none was ever written. Returns false if it is the
// very set that *set is, which then stays, with what it counts.
bool reader_set_take(struct reader_set **set, const struct engine_set *);

// Returns the index of the URL, or `count`. `set` may be NULL: 0, which is its count then.
size_t reader_set_find(const struct reader_set *, const char *url);
bool reader_set_has(const struct reader_set *, const char *url); // `set` may be NULL

// Writes URLs as the text of a set.
void reader_set_write(struct buf *, const char *const *urls, size_t count);
