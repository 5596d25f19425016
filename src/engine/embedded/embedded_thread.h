// The thread that owns the store. The control loop pushes requests; the thread takes all pending ones as one
// batch, carries it out as one transaction, and hands the answers back. When there is nothing to do it sweeps
// what has expired, and while the store cannot be written it tries about once a second whether it can again.
//
// The caller bounds what is pending. The thread has all signals blocked: a write beyond the limit on
// file sizes is an error to it, not the end of the process by SIGXFSZ.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/embedded_config.h"
#include "engine/request.h"

struct store_thread;

// Opens the store on the new thread and waits for that. Returns NULL on failure with a sentence in `why`.
// on_answers() is called on the thread when there are answers to take; not again until all have been taken.
struct store_thread *store_thread_start(const struct embedded_config *, void (*on_answers)(void *arg),
                                        void *arg, char *why, size_t why_size);

// Takes all requests of the list.
void store_thread_push(struct store_thread *, struct request_list *);

// Gives requests that have been answered, `most` of them, and says whether there are more: those that do not
// read the log in order, then those that do, one at least and about 256 KB of entries.
struct request_list store_thread_answers(struct store_thread *, size_t most, bool *more);

// Returns whether the store can be written; if not, copies a sentence with the reason.
bool store_thread_ready(struct store_thread *, char *why, size_t why_size);

// Adds up the batches; `waiting` is left to the caller.
struct engine_stats store_thread_stats(struct store_thread *);

// Sets what the store keeps; the thread takes it over before it works next.
void store_thread_set_limits(struct store_thread *, const struct engine_limits *);

// Lets the thread work on what waits for at most `grace_ms`, ends it, closes the store and frees everything.
// Puts the requests that it answered on `answered` and the others on `left`.
void store_thread_stop(struct store_thread *, int grace_ms, struct request_list *answered,
                       struct request_list *left);
