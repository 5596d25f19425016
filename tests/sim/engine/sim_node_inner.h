// Private to sim_node*.c: the data of one server of the simulated store, and what its parts offer each other.
// Functions of the table of operations fill in an answer, as sim_node_carry_out() does.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uthash.h"
#include "engine/lease.h"
#include "memory_gate.h"
#include "sim_node.h"

enum { BUCKETS = 256, PREVS = 4 };

struct token {
    struct engine_token is;
    struct position at;
    int64_t added_ms;
    struct token *next; // older
};

struct video {
    char *name;
    bool stored; // counts; else it is only noted as watched
    struct position at;
    uint64_t run; // that gave `at`
    struct position prevs[PREVS];
    bool announced[PREVS]; // what was lost behind it
    size_t prev_count;
    struct sim_entry *log; // oldest first
    size_t count, room;
    int64_t bytes, watched_until_ms;
    bool watched;
    struct token *tokens;
    size_t token_count;
    struct memory_gate gate;
    char *reader;  // mapped to, or NULL
    uint64_t used; // last, by node.clock
    char *set;     // of readers, or NULL
    uint64_t set_generation;
    struct video *bucket_next, *prev, *next;
};

struct secret {
    char *name;
    unsigned char bytes[ENGINE_SECRET];
    struct secret *next;
};

struct counter {
    char *name;
    uint64_t value;
    struct counter *next;
};

struct settings {
    char *video, *text;
    struct settings *next;
};

// No keyed hash: a process of the simulation has a key of its own, and the store is in none.
struct sim_node {
    struct video *videos, *buckets[BUCKETS];
    uint64_t stored, clock, comments;
    struct sim_entry newest[ENGINE_NEWEST]; // the n-th comment at n modulo that
    struct lease *leases;
    struct counter *counters;
    struct settings *settings;
    struct secret *secrets;
};

static inline char *sim_copy_text(const char *text) {
    return text ? mem_strdup(text) : NULL;
}

// Videos (sim_node_videos.c)

// Returns NULL if nothing is stored of it.
struct video *sim_video_find(const struct sim_node *, const char *name);

// Returns NULL, with the answer's status, if no video can be evicted for it.
struct video *sim_video_find_or_add(struct sim_node *, const struct sim_call *, struct sim_answer *);

// Drops the entries that are not kept.
void sim_video_prune(struct video *, const struct sim_call *);
void sim_video_drop(struct sim_node *, struct video *);
void sim_video_copy(struct sim_node *, const struct video *from);

// The log (sim_node_log.c)

void sim_answer_entries(struct sim_answer *, const struct sim_entry *from, size_t count);

// Lists (sim_node_lists.c)

void sim_lease_copy(struct sim_node *, const struct lease *from);
void sim_settings_add(struct sim_node *, const char *video, const char *text);
void sim_settings_free(struct settings *);
void sim_secret_add(struct sim_node *, const char *name, const unsigned char *bytes);

// Operations

typedef void sim_node_op(struct sim_node *, const struct sim_call *, struct sim_answer *);
sim_node_op sim_node_append, sim_node_amend, sim_node_head, sim_node_range, sim_node_range_before,
    sim_node_lookup, sim_node_assign, sim_node_reassign, sim_node_release, sim_node_watch,
    sim_node_lease_renew, sim_node_lease_drop, sim_node_leases, sim_node_counter, sim_node_overview,
    sim_node_set_read, sim_node_set_write, sim_node_settings_read, sim_node_settings_write,
    sim_node_rooms_read, sim_node_room_write, sim_node_ban_write, sim_node_bans_read, sim_node_held_read,
    sim_node_held_drop, sim_node_audit_read, sim_node_secret;
