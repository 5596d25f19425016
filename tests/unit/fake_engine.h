// An engine that does nothing by itself, except that a head() of what it has lost begins an epoch: the test
// decides what the log holds, what is published, and when and how each query is answered. One video, named
// FAKE_VIDEO; only the operations that a reader's broadcasts use.
#pragma once

#include "engine/engine.h"

#define FAKE_VIDEO "v1"

struct fake_engine;

struct fake_engine *fake_engine_new(void);
void fake_engine_free(struct fake_engine *); // answers what still waits with ENGINE_CLOSED
struct engine *fake_engine(struct fake_engine *);

// The log. fake_log() adds an entry without publishing it; fake_publish() publishes one without logging it;
// fake_append() does both.
void fake_log(struct fake_engine *, struct engine_entry);
void fake_publish(struct fake_engine *, struct engine_entry);
void fake_append(struct fake_engine *, struct engine_entry);
void fake_append_run(struct fake_engine *, uint64_t epoch, uint64_t first, uint64_t last);
void fake_log_run(struct fake_engine *, uint64_t epoch, uint64_t first, uint64_t last);
struct position fake_head(const struct fake_engine *);
size_t fake_logged(const struct fake_engine *, const struct engine_entry **log); // how many there are
void fake_set_head(struct fake_engine *, struct position);    // the position, apart from the entries
void fake_set_over(struct fake_engine *, bool over);          // of the video's room
void fake_expire(struct fake_engine *, struct position last); // drops entries up to `last`
void fake_lose(struct fake_engine *, struct position head);   // goes back to `head`: drops what is newer

// Subscriptions
unsigned fake_subscriptions(const struct fake_engine *);
void fake_notify_subscribed(struct fake_engine *);

// Returns the newest message to other processes, "" if there is none; valid until the next one.
const char *fake_notified(const struct fake_engine *);

// Queries that wait for their answer, oldest first.
enum fake_kind { FAKE_HEAD, FAKE_RANGE, FAKE_BEFORE };
struct fake_query {
    enum fake_kind kind;
    struct position after, before; // of a range, of a range before
    struct position known;         // of a head
    size_t limit;
};
unsigned fake_waiting(const struct fake_engine *);
struct fake_query fake_query(const struct fake_engine *, unsigned index);
unsigned fake_asked(const struct fake_engine *); // ever

// Sets whether the store is ready; at first it is.
void fake_set_ready(struct fake_engine *, bool);

// Fixes the answers of all waiting queries by the present log, whenever they are given.
void fake_take_effect(struct fake_engine *);

// Answer the query at `index`; all that wait, and those that the answers cause, up to `most`.
void fake_answer(struct fake_engine *, unsigned index);
void fake_fail(struct fake_engine *, unsigned index, enum engine_status);
unsigned fake_answer_all(struct fake_engine *, unsigned most);
