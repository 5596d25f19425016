// The embedded engine from opening to closing, and the table of its operations. Those on the store stand
// whole in the file of their subject: what is asked, what the store's thread does with it, and how it is
// called back.
#include "engine/embedded.h"

#include <stdlib.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "embedded_counter.h"
#include "embedded_engine.h"
#include "embedded_lease.h"
#include "embedded_log.h"
#include "embedded_mapping.h"
#include "embedded_overview.h"
#include "embedded_room.h"
#include "embedded_thread.h"
#include "engine/hub.h"
#include "net/loop.h"

enum { CLOSE_GRACE_MS = 300 };

static struct embedded *from(struct engine *engine) {
    return (struct embedded *)engine;
}

static void take_answers(struct loop_job *job) {
    struct embedded *e = container_of(job, struct embedded, take_answers);
    if (e->closing) return;
    struct request_list answers = store_thread_answers(e->thread);
    e->waiting -= answers.count;
    for (const struct request *r = answers.first; r; r = r->next) e->waiting_bytes -= r->bytes;
    request_list_move(&e->answers, &answers);
    embedded_answer(e, &e->answers, e->answers.count);
}

// On the store's thread.
static void on_answers(void *arg) {
    struct embedded *e = arg;
    loop_post(e->loop, &e->take_answers);
}

// Life

static bool ready(struct engine *engine, const char **why) {
    struct embedded *e = from(engine);
    bool is_ready = store_thread_ready(e->thread, e->why, sizeof e->why);
    if (!is_ready) *why = e->why;
    return is_ready;
}

static struct engine_stats stats(struct engine *engine) {
    struct embedded *e = from(engine);
    struct engine_stats so_far = store_thread_stats(e->thread);
    so_far.waiting = e->waiting;
    return so_far;
}

static void on_reap(struct loop_job *job) {
    free(container_of(job, struct embedded, reap));
}

// Subscribers hear nothing more, but their subscriptions last until all callbacks have been called: those may
// still unsubscribe. What is stored now is heard by whoever comes back after the restart.
static void close_engine(struct engine *engine) {
    struct embedded *e = from(engine);
    struct request_list left = {0};
    if (e->closing) return;
    e->closing = true;
    loop_timer_stop(e->loop, &e->turn_end);
    loop_timer_stop(e->loop, &e->refuse);
    store_thread_push(e->thread, &e->pending);
    store_thread_stop(e->thread, CLOSE_GRACE_MS, &e->answers, &left);
    embedded_answer(e, &e->answers, e->answers.count);
    for (struct request *r; (r = request_list_take(&left));) embedded_refuse(e, r, ENGINE_CLOSED);
    while (e->refused.first) embedded_answer(e, &e->refused, e->refused.count);
    hub_free(e->hub);
    // Behind a take_answers that may still wait in the loop.
    loop_post(e->loop, &e->reap);
}

static const struct engine_ops embedded_ops = {
    .name = "embedded",
    .append = embedded_append,
    .subscribe = embedded_subscribe,
    .unsubscribe = embedded_unsubscribe,
    .head = embedded_head,
    .range = embedded_range,
    .lookup = embedded_lookup,
    .assign = embedded_assign,
    .reassign = embedded_reassign,
    .release = embedded_release,
    .watch = embedded_watch,
    .lease_renew = embedded_lease_renew,
    .lease_drop = embedded_lease_drop,
    .leases = embedded_leases,
    .counter_next = embedded_counter_next,
    .overview = embedded_overview,
    .ready = ready,
    .stats = stats,
    .close = close_engine,
};

struct engine *embedded_open(struct loop *loop, const struct embedded_config *config, char *why,
                             size_t why_size) {
    struct embedded *e = mem_zalloc(sizeof *e);
    e->take_answers.run = take_answers;
    e->reap.run = on_reap;
    e->hand_over = store_thread_push;
    e->loop = loop;
    e->thread = store_thread_start(config, on_answers, e, why, why_size);
    if (!e->thread) {
        free(e);
        return NULL;
    }
    embedded_init(e, &embedded_ops, loop);
    return &e->engine;
}
