// The room of a video, its bans and what it accepted a short time ago, in memory: for engines of tests.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct memory_ban;
struct memory_held;
struct memory_note;
struct memory_recent;

// Zero-initialise.
struct memory_gate {
    bool exists;
    struct engine_room room;
    struct memory_ban *bans;
    struct memory_recent *recents;
    struct memory_held *held;  // in the order of due_ms
    struct memory_note *notes; // newest first
    double paced_ms;
};

void memory_gate_release(struct memory_gate *);

// Makes a copy with memory of its own.
void memory_gate_copy(struct memory_gate *to, const struct memory_gate *from);

// An append with a gate. The clocks are those of struct room_look.
struct memory_post {
    const char *video;
    const struct engine_gate *gate;
    const struct engine_token *token; // NULL: none
    const char *body;
    size_t body_len;
    int64_t wall_ms, now_ms;
};

// Returns whether the comment is accepted, and then notes that; or it may wait from now on.
bool memory_gate_admits(struct memory_gate *, const struct memory_post *, struct engine_refusal *);

// Returns those that wait and are due by then, at most `room`; they belong to the gate.
size_t memory_gate_held(const struct memory_gate *, int64_t due_ms, struct engine_held *list, size_t room);

// Returns whether it did wait. `left`: how many still do.
bool memory_gate_drop(struct memory_gate *, const char *id, int64_t *left);

// As room_write(). Returns whether it was written.
bool memory_gate_write(struct memory_gate *, const struct engine_room *);

// The audit trail: adds a note, or NULL; and returns how many there are, in the order of audit_read.
enum { MEMORY_NOTES = ENGINE_NOTES + ENGINE_NOTES_AUTOMATIC };
void memory_gate_note(struct memory_gate *, const char *note);
size_t memory_gate_notes(const struct memory_gate *, const char *list[MEMORY_NOTES]);

// As room_amend().
bool memory_gate_amend(struct memory_gate *, enum entry_kind, struct position target);

// As ban_write(). Returns the ban, or NULL if it was lifted.
const struct engine_ban *memory_gate_ban(struct memory_gate *, const char *user, int64_t for_ms, bool shadow,
                                         const char *note, int64_t wall_ms);

// Returns how many bans are in force, and fills in as many as there is room for.
size_t memory_gate_bans(const struct memory_gate *, int64_t wall_ms, struct engine_ban *list, size_t room);
