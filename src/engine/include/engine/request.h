// A request on its way through an engine inside a process (local.h): made on the control loop, carried out
// where the store lives, which may be a thread of its own, and called back on the control loop. It belongs to
// one thread at a time; lists hand it over. It carries the functions for both; an operation's own struct
// begins with it and holds its arguments and its answer. Together with its strings it is one
// allocation; what an answer points to is held by the request, or borrowed from the store if that cannot
// change before the callback.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct local_engine;
struct store; // each engine's own
struct request;

// Fills in the answer, and a status other than ENGINE_OK. May be called again after request_reset().
typedef void request_carry_out(struct store *, struct request *);
// On the control loop. May close the engine.
typedef void request_call_back(struct local_engine *, struct request *);

struct request {
    struct request *next;
    request_carry_out *carry_out;
    request_call_back *call_back; // NULL: there is no answer
    enum engine_status status;
    bool reads_log; // the store may carry out what came after it first
    size_t bytes;   // the allocation, for the bound on what waits
    size_t copied;  // of it, by the request itself and its strings
    size_t held_bytes;
    struct request_chunk *held; // see request_hold()
    void *arg;                  // of the operation's callback
};

// Returns a zeroed request of `size` bytes, with room for `text_room` bytes of strings.
void *request_new(size_t size, size_t text_room, request_carry_out *, request_call_back *, void *arg);
void request_free(struct request *);

// Takes n bytes of that room.
char *request_room(struct request *, size_t n);

// Copies a string into that room; NULL stays NULL.
const char *request_copy(struct request *, const char *string);
size_t request_copy_size(const char *string);

// Returns aligned memory that is freed with the request: for what an answer points to.
void *request_hold(struct request *, size_t n);

// Returns a NUL-terminated copy of n bytes, held.
char *request_hold_text(struct request *, const void *bytes, size_t n);

// Forgets what is held and the status, so that the request can be carried out again.
void request_reset(struct request *);

// A queue; zero-initialised is empty.
struct request_list {
    struct request *first, *last;
    size_t count;
};

void request_list_add(struct request_list *, struct request *);
struct request *request_list_take(struct request_list *); // the oldest, or NULL

// Moves all of `from` behind what `to` has.
void request_list_move(struct request_list *to, struct request_list *from);
