// A fan-out worker: a thread with its own event loop, which holds channels. Private to fanout.
#pragma once

#include "reader/channel.h"

struct worker;

enum worker_order { WORKER_ADD, WORKER_PUBLISH, WORKER_RETIRE };

// How a worker tells the control loop that viewers have gone: batched, in a job posted there.
typedef void worker_left_cb(void *arg, uint64_t channel_serial, uint32_t n);

struct worker *worker_new(struct loop *control, worker_left_cb *, void *arg, int *error);

// Ends the thread and closes whatever it still holds. What it has posted to the control loop refers to it
// still: worker_free() comes after loop_drain(control).
void worker_stop(struct worker *);
void worker_free(struct worker *);

struct loop *worker_loop(struct worker *);

// Gives an order; takes the frame, or fd and pending, or (RETIRE) the channel.
void worker_give(struct worker *, enum worker_order, struct channel *, struct frame *, int fd,
                 struct pending *);
