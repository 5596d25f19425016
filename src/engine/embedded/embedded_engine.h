// The control loop's side of the embedded engine, below its operations: takes their requests, has them called
// back, publishes. Control loop only.
#pragma once

#include "embedded_request.h"
#include "engine/engine.h"
#include "net/loop.h"

struct hub;
struct store_thread;

struct embedded {
    struct engine engine;
    struct loop *loop;
    struct hub *hub;
    struct store_thread *thread;
    void (*hand_over)(struct store_thread *, struct request_list *);

    struct request_list pending; // of this turn
    struct request_list refused; // with their status
    size_t waiting, waiting_bytes;
    struct loop_timer turn_end, refuse;

    struct loop_job take_answers;
    struct request_list answers; // taken, not called back yet
    bool closing;
    struct loop_job reap;
    char why[512];
};

void embedded_init(struct embedded *, const struct engine_ops *, struct loop *);

// Takes the request. It is called back with ENGINE_BUSY or ENGINE_CLOSED if it cannot be accepted.
void embedded_push(struct engine *, struct request *);

// Has the request called back in a moment with this status.
void embedded_refuse(struct embedded *, struct request *, enum engine_status);

// Calls back `most` requests of the list, oldest first, and frees them. A callback may close the engine,
// which then answers the rest of the list.
void embedded_answer(struct embedded *, struct request_list *, size_t most);

// Publishes an entry that a request has stored, unless its position is not set.
void embedded_publish(struct embedded *, const char *video, const struct engine_entry *);

// Whether a video has several subscriptions.
bool embedded_is_shared(struct engine *, const char *video);

// The operations that need no store; see engine.h.
struct engine_subscription *embedded_subscribe(struct engine *, const char *video,
                                               const struct engine_subscriber *, void *arg);
void embedded_unsubscribe(struct engine *, struct engine_subscription *);
