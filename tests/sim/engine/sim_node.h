// What one server of the simulated store holds: logs with their positions, tokens, mappings, leases, counters
// and notes of watched videos. It follows engine.h, and lua/shared/position.lua where that leaves a choice,
// in code of its own. What a call does depends only on the call and on the data, so that a replica that
// repeats the calls holds the same.
//
// Nothing but the keeping of entries and tokens ends with time: positions, unused mappings and ended leases
// stay. Notes of watched videos end by the steady clock. One thread.
#pragma once

#include "sim_call.h"

struct sim_node;

struct sim_node *sim_node_new(void);
void sim_node_free(struct sim_node *);

// Makes its data the same as the other's.
void sim_node_copy(struct sim_node *, const struct sim_node *from);
void sim_node_clear(struct sim_node *);

// Fills in the answer, which is zeroed.
void sim_node_carry_out(struct sim_node *, const struct sim_call *, struct sim_answer *);

// Returns whether the call would have to write something although it usually only reads.
bool sim_node_begins(const struct sim_node *, const struct sim_call *);

// Gets the number of a video's oldest entry that is kept at that time; not set: none is.
struct position sim_node_oldest(const struct sim_node *, const char *video, const struct engine_limits *,
                                int64_t wall_ms);
// Returns a video's position.
struct position sim_node_position(const struct sim_node *, const char *video);

// Gets the reader that a video is mapped to and its set of readers, both borrowed, NULL if there is none; and
// the set's generation.
void sim_node_placed(const struct sim_node *, const char *video, const char **reader, const char **set,
                     uint64_t *generation);
