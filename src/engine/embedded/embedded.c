// The control loop's side of the embedded engine. Operations become requests; those of one turn are handed to
// the store's thread together, when a timer without delay fires at the turn's end, so that they become one
// transaction and wake the thread once.
//
// Answers come back a batch at a time. For each entry in order the callback comes first, then the publishing:
// whoever posted does not wait for those who watch. Subscribers thus hear of an entry after it is stored, in
// log order.
#include "engine/embedded.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "embedded_request.h"
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

static void push(struct embedded *e, struct request *r) {
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

static void append(struct engine *engine, const struct engine_append *a, engine_append_cb *cb, void *arg) {
    bool tombstone = a->json_len == 0;
    const char *old_token = a->token ? a->token->old_name : NULL;
    assert(tombstone || (a->json_len > 2 && a->json[0] == '{'));
    size_t room =
        request_copy_size(a->video) + request_copy_size(old_token) + REQUEST_PREFIX_ROOM + a->json_len;
    struct request *r = request_new(REQUEST_APPEND, room);
    r->name = request_copy(r, a->video);
    r->in.append.kind = a->kind;
    r->in.append.has_token = a->token != NULL;
    if (a->token) r->in.append.token = *a->token;
    r->in.append.old_token = request_copy(r, old_token);
    r->in.append.known = a->known;
    r->in.append.body = request_room(r, REQUEST_PREFIX_ROOM + a->json_len) + REQUEST_PREFIX_ROOM;
    if (!tombstone) {
        r->in.append.body_len = a->json_len - 1;
        memcpy(r->in.append.body, a->json + 1, r->in.append.body_len);
    }
    r->on.append = cb;
    r->arg = arg;
    push(from(engine), r);
}

static struct request *new_named(enum request_kind kind, const char *name, size_t more_room) {
    struct request *r = request_new(kind, request_copy_size(name) + more_room);
    r->name = request_copy(r, name);
    return r;
}

static void head(struct engine *engine, const char *video, struct position known, engine_head_cb *cb,
                 void *arg) {
    struct request *r = new_named(REQUEST_HEAD, video, 0);
    r->in.known = known;
    r->on.head = cb;
    r->arg = arg;
    push(from(engine), r);
}

static void range(struct engine *engine, const char *video, struct position after, size_t limit,
                  engine_range_cb *cb, void *arg) {
    struct request *r = new_named(REQUEST_RANGE, video, 0);
    r->in.range.after = after;
    r->in.range.limit = limit;
    r->on.range = cb;
    r->arg = arg;
    push(from(engine), r);
}

static struct request *new_mapping(enum request_kind kind, const char *video, const char *expected,
                                   const char *reader_url) {
    struct request *r = new_named(kind, video, request_copy_size(expected) + request_copy_size(reader_url));
    r->in.mapping.expected = request_copy(r, expected);
    r->in.mapping.reader_url = request_copy(r, reader_url);
    return r;
}

static void push_mapping(struct engine *engine, struct request *r, engine_mapping_cb *cb, void *arg) {
    r->on.mapping = cb;
    r->arg = arg;
    push(from(engine), r);
}

static void lookup(struct engine *engine, const char *video, engine_mapping_cb *cb, void *arg) {
    push_mapping(engine, new_mapping(REQUEST_LOOKUP, video, NULL, NULL), cb, arg);
}

static void assign(struct engine *engine, const char *video, const char *reader_url, engine_mapping_cb *cb,
                   void *arg) {
    push_mapping(engine, new_mapping(REQUEST_ASSIGN, video, NULL, reader_url), cb, arg);
}

static void reassign(struct engine *engine, const char *video, const char *expected, const char *reader_url,
                     engine_mapping_cb *cb, void *arg) {
    push_mapping(engine, new_mapping(REQUEST_REASSIGN, video, expected, reader_url), cb, arg);
}

static void push_done(struct engine *engine, struct request *r, engine_done_cb *cb, void *arg) {
    r->on.done = cb;
    r->arg = arg;
    push(from(engine), r);
}

static void release(struct engine *engine, const char *video, const char *expected, engine_done_cb *cb,
                    void *arg) {
    push_done(engine, new_mapping(REQUEST_RELEASE, video, expected, NULL), cb, arg);
}

static void watch(struct engine *engine, const char *const *videos, size_t count, bool watched) {
    for (size_t i = 0; i < count; i++) {
        if (!watched && hub_is_shared(from(engine)->hub, videos[i])) continue;
        struct request *r = new_named(REQUEST_WATCH, videos[i], 0);
        r->in.watched = watched;
        push(from(engine), r);
    }
}

static void lease_renew(struct engine *engine, const struct engine_lease *lease, int ttl_ms,
                        engine_lease_cb *cb, void *arg) {
    size_t room = request_copy_size(lease->reader_url) + request_copy_size(lease->public_url) +
                  request_copy_size(lease->instance_id);
    struct request *r = request_new(REQUEST_LEASE_RENEW, room);
    r->in.lease.what = *lease;
    r->in.lease.what.reader_url = request_copy(r, lease->reader_url);
    r->in.lease.what.public_url = request_copy(r, lease->public_url);
    r->in.lease.what.instance_id = request_copy(r, lease->instance_id);
    r->in.lease.ttl_ms = ttl_ms;
    r->on.lease = cb;
    r->arg = arg;
    push(from(engine), r);
}

static void lease_drop(struct engine *engine, const char *reader_url, uint64_t generation, engine_done_cb *cb,
                       void *arg) {
    struct request *r = request_new(REQUEST_LEASE_DROP, request_copy_size(reader_url));
    r->in.lease.what.reader_url = request_copy(r, reader_url);
    r->in.lease.what.generation = generation;
    push_done(engine, r, cb, arg);
}

static void leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    struct request *r = request_new(REQUEST_LEASES, 0);
    r->on.leases = cb;
    r->arg = arg;
    push(from(engine), r);
}

static void counter_next(struct engine *engine, const char *name, engine_counter_cb *cb, void *arg) {
    struct request *r = new_named(REQUEST_COUNTER_NEXT, name, 0);
    r->on.counter = cb;
    r->arg = arg;
    push(from(engine), r);
}

static void overview(struct engine *engine, engine_overview_cb *cb, void *arg) {
    struct request *r = request_new(REQUEST_OVERVIEW, 0);
    r->on.overview = cb;
    r->arg = arg;
    push(from(engine), r);
}

// From the thread back to the callbacks

static void publish(struct embedded *e, const struct request *r, const struct engine_entry *entry) {
    if (position_is_set(entry->at) && !e->closing) hub_publish(e->hub, r->name, entry);
}

static void answer_append(struct embedded *e, struct request *r) {
    const struct engine_entry *entry = r->status == ENGINE_OK ? &r->out.append.entry : NULL;
    bool repeated = entry && r->out.append.repeated;
    r->on.append(r->arg, r->status, entry, repeated ? &r->out.append.first : NULL);
    if (!entry || repeated) return;
    publish(e, r, &r->loss);
    publish(e, r, entry);
}

static void answer_head(struct embedded *e, struct request *r) {
    r->on.head(r->arg, r->status, r->status == ENGINE_OK ? &r->out.head : NULL);
    if (r->status == ENGINE_OK) publish(e, r, &r->loss);
}

static void call_back(struct embedded *e, struct request *r) {
    bool ok = r->status == ENGINE_OK;
    switch (r->kind) {
    case REQUEST_APPEND: answer_append(e, r); break;
    case REQUEST_HEAD: answer_head(e, r); break;
    case REQUEST_RANGE: r->on.range(r->arg, r->status, ok ? &r->out.range : NULL); break;
    case REQUEST_LOOKUP:
    case REQUEST_ASSIGN:
    case REQUEST_REASSIGN:
        r->on.mapping(r->arg, r->status, r->out.mapping.reader_url, r->out.mapping.changed);
        break;
    case REQUEST_LEASE_RENEW: r->on.lease(r->arg, r->status, ok ? &r->out.lease : NULL); break;
    case REQUEST_RELEASE:
    case REQUEST_LEASE_DROP: r->on.done(r->arg, r->status); break;
    case REQUEST_LEASES: r->on.leases(r->arg, r->status, r->out.leases.list, r->out.leases.count); break;
    case REQUEST_COUNTER_NEXT: r->on.counter(r->arg, r->status, r->out.counter); break;
    case REQUEST_OVERVIEW: r->on.overview(r->arg, r->status, ok ? &r->out.overview : NULL); break;
    case REQUEST_WATCH:
    case REQUEST_KINDS: break;
    }
}

// A callback may close the engine, which then answers the rest of the list itself.
static void answer(struct embedded *e, struct request_list *list, size_t most) {
    struct request *r;
    while (most-- && (r = request_list_take(list))) {
        call_back(e, r);
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
    .append = append,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .head = head,
    .range = range,
    .lookup = lookup,
    .assign = assign,
    .reassign = reassign,
    .release = release,
    .watch = watch,
    .lease_renew = lease_renew,
    .lease_drop = lease_drop,
    .leases = leases,
    .counter_next = counter_next,
    .overview = overview,
    .ready = ready,
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
