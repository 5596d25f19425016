// An event loop over epoll: descriptors, timers, and jobs posted by other threads. A process has one control
// loop and one loop per fan-out worker.
//
// Everything belongs to the thread that runs the loop, except loop_post(). Time is read once per turn.
// Nothing is freed inside a callback chain: an object that ends calls loop_defer() and is freed at the end of
// the turn, so that no event of the same turn can reach freed memory.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;

// A watched descriptor, embedded in its owner. fd is -1 while not watched.
struct loop_fd {
    int fd;
    uint32_t tag;                                        // the owner's
    void (*on_event)(struct loop_fd *, uint32_t events); // EPOLLIN, EPOLLOUT, EPOLLRDHUP, ...
};

// A one-shot timer, embedded in its owner; zero-initialised means stopped. Starting it again moves it.
struct loop_timer {
    void (*on_due)(struct loop_timer *);
    int64_t due_ms;
    uint32_t slot; // index in the heap, from 1; 0: stopped
};

// Work for the end of the turn (loop_defer) or from another thread (loop_post). Embedded in its owner, which
// may reuse or free it from the moment run() is called.
struct loop_job {
    struct loop_job *next;
    void (*run)(struct loop_job *);
};

// Returns NULL with errno set if the kernel has no descriptor left.
struct loop *loop_new(void);

// Frees a loop that is not running. Pending jobs are run first, once.
void loop_free(struct loop *);

// Runs the pending jobs (posted, next turn's, deferred), even if the loop is not running: call it before the
// jobs' owners are freed.
void loop_drain(struct loop *);

// Runs until loop_stop(). Returns 0, or a negative errno when epoll itself fails.
int loop_run(struct loop *);

// Ends loop_run() after this turn. Loop thread only; other threads post a job that calls it.
void loop_stop(struct loop *);

// Returns the monotonic time of this turn.
int64_t loop_now_ms(const struct loop *);

// Watches fd for `events`. Does not own the descriptor. Returns 0 or a negative errno.
int loop_fd_add(struct loop *, struct loop_fd *, int fd, uint32_t events);
int loop_fd_change(struct loop *, struct loop_fd *, uint32_t events);

// Stops watching; no callback follows, not even for an event that was already fetched. The descriptor stays
// open.
void loop_fd_remove(struct loop *, struct loop_fd *);

// Starts or moves a timer; it fires once, in a turn whose time is at least now + delay_ms.
void loop_timer_start(struct loop *, struct loop_timer *, int64_t delay_ms);
void loop_timer_stop(struct loop *, struct loop_timer *);

// Runs the job at the end of this turn.
void loop_defer(struct loop *, struct loop_job *);

// Runs the job after the events of this turn; if called by such a job or later in the turn, after the events
// of the next turn, which then does not wait for any.
void loop_next_turn(struct loop *, struct loop_job *);

// Returns the number of this turn.
uint64_t loop_turn(const struct loop *);

// How long turns have been since the start, each measured from the end of one wait to the beginning of the
// next: the longest time for which an event may have waited. within[i] counts the turns shorter than
// loop_lag_step_us(i) but not shorter than the step before; the last one counts all longer turns.
enum { LOOP_LAG_STEPS = 12 };
struct loop_lag {
    uint64_t turns, busy_us, longest_us, within[LOOP_LAG_STEPS];
};

// Any thread.
struct loop_lag loop_lag(const struct loop *);

static inline int64_t loop_lag_step_us(unsigned i) {
    return INT64_C(1000) << i; // 1 ms to 1 s
}

// Returns how many turns took 16 ms and longer.
static inline uint64_t loop_lag_slow_turns(const struct loop_lag *lag) {
    uint64_t sum = 0;
    for (unsigned i = 5; i < LOOP_LAG_STEPS; i++) sum += lag->within[i];
    return sum;
}

// Runs the job on the loop's thread, in the order of posting. Any thread; never blocks on the loop.
void loop_post(struct loop *, struct loop_job *);

// Return the descriptors that a thread with its own table (fd_table_unshare) must keep: to run the loop, and
// to post to it.
enum { LOOP_DESCRIPTORS = 2 };
void loop_run_descriptors(const struct loop *, int fds[LOOP_DESCRIPTORS]);
int loop_post_descriptor(const struct loop *);

// Calls `before_wait` in every turn after all events and jobs, just before waiting: for work that was
// collected during the turn. At most one per loop.
void loop_set_before_wait(struct loop *, void (*before_wait)(void *arg), void *arg);
