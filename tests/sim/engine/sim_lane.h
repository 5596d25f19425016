// One direction of a path between an engine and the simulated store: what is put in arrives in that order,
// each thing at its time or when the one before it does. What travels belongs to the store. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim_call.h"

struct sim_store_world;
struct sim_session;

struct sim_item {
    struct sim_item *next;
    int64_t due_us;
    enum sim_item_kind {
        ITEM_CALL,   // to the store
        ITEM_ANSWER, // from it
        ITEM_SUBSCRIBE,
        ITEM_UNSUBSCRIBE,
        ITEM_SUBSCRIBED,
        ITEM_ENTRY,
        ITEM_MESSAGE
    } kind;
    struct sim_call *call;  // a reference; or NULL
    struct sim_entry entry; // of ENTRY; of MESSAGE its body
    bool is_topic;          // the name
    char name[];            // a video or a topic; empty with a call
};

struct sim_item *sim_item_new(enum sim_item_kind kind, const char *name);
void sim_item_free(struct sim_item *);

// Zero-initialise, then set these.
struct sim_lane {
    const struct sim_store_world *world;
    struct sim_session *session;                           // NULL: of no session
    void (*deliver)(struct sim_lane *, struct sim_item *); // takes the item over
    // Returns until when nothing arrives, in the world's time; may be in the past. NULL: never held.
    int64_t (*held_until)(const struct sim_lane *);
    void (*on_idle)(struct sim_lane *); // it is not armed any more. May be NULL

    struct sim_item *first, *last;
    int64_t last_due_us;
    bool armed; // the world will call it: it must not be freed
};

// Puts an item in, to arrive after the delay at the earliest. It may arrive inside the call if there is
// nothing to wait for.
void sim_lane_put(struct sim_lane *, struct sim_item *, int64_t delay_us);

// Delivers what is due: after what held it has ended sooner than it said.
void sim_lane_run(struct sim_lane *);

// Takes the oldest item out, whether due or not; NULL: there is none.
struct sim_item *sim_lane_take(struct sim_lane *);
