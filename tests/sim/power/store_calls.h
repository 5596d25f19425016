// The embedded engine's store without its thread: operations as calls that carry a batch out and return.
// Everything runs on the caller's thread, so that a run depends on nothing but its seed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct store;

struct call_append {
    unsigned video, text; // the names of both are numbers
    bool has_token;       // its name is the text
    enum engine_status status;
    bool repeated;
    struct position at, loss; // the entry's; of a tombstone before it
};

// Appends them as one batch. A planted fault: they count as answered when they are carried out, before the
// commit.
extern bool call_answers_early;
void call_appends(struct store *, struct call_append *list, size_t count);

// Calls on_entry() for each entry of the log; text 0: a tombstone. Returns false if it cannot be read.
typedef void call_on_entry(void *arg, struct position at, unsigned text);
bool call_range(struct store *, unsigned video, call_on_entry *on_entry, void *arg);

enum engine_status call_head(struct store *, unsigned video, struct position known, struct engine_head *head);

// The number of the reader that the video is mapped to: assigned, or only looked up. 0: none.
enum engine_status call_assign(struct store *, unsigned video, unsigned reader, unsigned *found);
enum engine_status call_lookup(struct store *, unsigned video, unsigned *found);

enum engine_status call_count(struct store *, uint64_t *value);
