// The control loop's side of the embedded engine. Operations become requests; those of one turn are handed to
// the store's thread together, when a timer without delay fires at the turn's end, so that they become one
// transaction and wake the thread once.
//
// Answers come back a batch at a time. For each entry in order the callback comes first, then the publishing:
// whoever posted does not wait for those who watch. Subscribers thus hear of an entry after it is stored, in
// log order.
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

enum {
    WAITING_REQUESTS = 16384, // until they are answered; beyond either, ENGINE_BUSY
    WAITING_BYTES = 32 << 20,
    HAND_OVER = 8, // requests at once: the thread works on them while the rest of the turn goes on
    REFUSE_MS = 1, // refusals come a moment later: whoever tries again at once must not keep the loop busy
    CLOSE_GRACE_MS = 300,
    WHY_SIZE = 512
};

struct embedded {
    struct engine engine;
    struct loop *loop;
    struct hub *hub;
    struct store_thread *thread;

    struct request_list pending; // of this turn
    struct request_list refused; // with their status
    size_t waiting, waiting_bytes;
    struct loop_timer turn_end, refuse;

    struct loop_job take_answers;
    struct request_list answers; // taken, not called back yet
    bool closing;
    struct loop_job reap;
    char why[WHY_SIZE];
};

static struct embedded *from(struct engine *engine) {
    return (struct embedded *)engine;
}

// From an operation to the thread

static void on_turn_end(struct loop_timer *timer) {
    struct embedded *e = container_of(timer, struct embedded, turn_end);
    if (e->pending.first) store_thread_push(e->thread, &e->pending);
    hub_tell_now(e->hub);
}

static void at_turn_end(struct embedded *e) {
    if (!e->closing && !e->turn_end.slot) loop_timer_start(e->loop, &e->turn_end, 0);
}

static void refuse(struct embedded *e, struct request *r, enum engine_status status) {
    r->status = status;
    request_list_add(&e->refused, r);
    if (!e->closing && !e->refuse.slot) loop_timer_start(e->loop, &e->refuse, REFUSE_MS);
}

void embedded_push(struct engine *engine, struct request *r) {
    struct embedded *e = from(engine);
    if (e->closing) {
        refuse(e, r, ENGINE_CLOSED);
        return;
    }
    if (e->waiting == WAITING_REQUESTS || e->waiting_bytes + r->bytes > WAITING_BYTES) {
        refuse(e, r, ENGINE_BUSY);
        return;
    }
    e->waiting++;
    e->waiting_bytes += r->bytes;
    request_list_add(&e->pending, r);
    if (e->pending.count >= HAND_OVER)
        store_thread_push(e->thread, &e->pending);
    else
        at_turn_end(e);
}

// From the thread back to the callbacks

void embedded_publish(struct embedded *e, const char *video, const struct engine_entry *entry) {
    if (position_is_set(entry->at) && !e->closing) hub_publish(e->hub, video, entry);
}

// A callback may close the engine, which then answers the rest of the list itself.
static void answer(struct embedded *e, struct request_list *list, size_t most) {
    struct request *r;
    while (most-- && (r = request_list_take(list))) {
        if (r->call_back) r->call_back(e, r);
        request_free(r);
    }
}

static void on_refuse(struct loop_timer *timer) {
    struct embedded *e = container_of(timer, struct embedded, refuse);
    answer(e, &e->refused, e->refused.count);
}

static void take_answers(struct loop_job *job) {
    struct embedded *e = container_of(job, struct embedded, take_answers);
    if (e->closing) return;
    struct request_list answers = store_thread_answers(e->thread);
    e->waiting -= answers.count;
    for (const struct request *r = answers.first; r; r = r->next) e->waiting_bytes -= r->bytes;
    request_list_move(&e->answers, &answers);
    answer(e, &e->answers, e->answers.count);
}

// On the store's thread.
static void on_answers(void *arg) {
    struct embedded *e = arg;
    loop_post(e->loop, &e->take_answers);
}

// Subscriptions

static struct engine_subscription *subscribe(struct engine *engine, const char *video,
                                             const struct engine_subscriber *who, void *arg) {
    struct embedded *e = from(engine);
    struct engine_subscription *s = hub_subscribe(e->hub, video, who, arg);
    hub_tell_later(e->hub, s);
    at_turn_end(e);
    return s;
}

bool embedded_is_shared(struct engine *engine, const char *video) {
    return hub_is_shared(from(engine)->hub, video);
}

static void unsubscribe(struct engine *engine, struct engine_subscription *subscription) {
    hub_unsubscribe(from(engine)->hub, subscription);
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
    answer(e, &e->answers, e->answers.count);
    for (struct request *r; (r = request_list_take(&left));) refuse(e, r, ENGINE_CLOSED);
    while (e->refused.first) answer(e, &e->refused, e->refused.count);
    hub_free(e->hub);
    // Behind a take_answers that may still wait in the loop.
    loop_post(e->loop, &e->reap);
}

static const struct engine_ops embedded_ops = {
    .name = "embedded",
    .append = embedded_append,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
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
    e->engine.ops = &embedded_ops;
    e->loop = loop;
    e->turn_end.on_due = on_turn_end;
    e->refuse.on_due = on_refuse;
    e->take_answers.run = take_answers;
    e->reap.run = on_reap;
    e->thread = store_thread_start(config, on_answers, e, why, why_size);
    if (!e->thread) {
        free(e);
        return NULL;
    }
    e->hub = hub_new();
    return &e->engine;
}
