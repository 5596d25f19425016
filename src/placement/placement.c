// A query that the cache cannot answer waits on its video's mapping, which is looked up once for all queries:
//
//     AT_REST ---> UNLISTED           until the readers have been listed: before that, a dead reader cannot
//     be
//        |            |               distinguished from an unknown one
//        +------------+
//        v
//     LOOKING_UP ---> answer          it has a reader, or it has none and no query may assign one
//        |    ^
//        v    |                       no mapping, or that of a dead reader
//     TAKING_TURN ---> answer         no reader is alive
//        |    |
//        v    +---> REASSIGNING ---> answer   (or, if the mapping has been dropped meanwhile, LOOKING_UP)
//     ASSIGNING ---> answer
//
// A lookup reads the mapping, and the set of readers, if there are sets. Where a set is in force, the mapping
// only names its first reader, for processes that know no sets; if that one is gone, the next member takes
// its place there, without a turn.
//
// So a new video costs three trips to the store in a row: look up the mapping, take a turn from the counter,
// write the mapping. The counter comes before the mapping because with Redis Cluster the two are in different
// slots, and it is not raised for videos that have a reader. A failed trip ends in an answer, too.
//
// An answer takes the queries off the mapping and leaves it at rest (or looking up again, for queries that
// came too late for this lookup). All callbacks, also those answered from the cache, run at the end of the
// turn in the order of the answers. So a callback always finds mappings that are ready for the next query.
#include "placement/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/log.h"
#include "engine/engine.h"
#include "net/loop.h"
#include "placement/readers.h"
#include "placement/listing.h"
#include "service/event_feed.h"
#include "mappings.h"
#include "presence.h"
#include "set_choice.h"

enum { REFRESH_MS = 500, ASSIGNED_LINES = 20 };

struct placement {
    struct loop *loop;
    struct engine *engine;
    enum placement_policy policy;
    bool sets;
    struct listing listing;
    struct presence *presence; // NULL: all readers are in this process
    struct mappings mappings;
    struct mapping *unlisted;         // in the state MAPPING_UNLISTED
    struct placement_query *answered; // their callbacks are due
    struct loop_job call_back, reap;
    struct loop_timer refresh;
    struct log_sampler sampler;
    struct event_feed events;
};

static void mapping_look_up(struct mapping *);

// Returns the first member of the video's set that is alive; NULL if there is no set in force.
static const char *mapping_first_member(const struct mapping *m) {
    const struct placement *p = m->placement;
    return p->sets && m->set ? set_first_alive(m->set, &p->listing.readers, loop_now_ms(p->loop)) : NULL;
}

// Answers

// Answers given meanwhile wait for the next run.
static void on_call_back(struct loop_job *job) {
    struct placement *p = container_of(job, struct placement, call_back);
    struct placement_query *answered = p->answered, *q, *next;
    p->answered = NULL;
    DL_FOREACH_SAFE(answered, q, next) {
        const char *owner = q->url ? q->url->text : NULL, *url = owner;
        int64_t now_ms = loop_now_ms(p->loop);
        const char *member = q->set ? set_choose(q->set, &p->listing.readers, q->video, now_ms) : NULL;
        if (member) url = member;
        const struct reader_row *row = url ? readers_find(&p->listing.readers, url) : NULL;
        q->cb(q->arg, &(struct placement_answer){.status = q->status,
                                                 .reader_url = url,
                                                 .public_url = row ? row->public_url : NULL,
                                                 .owner_url = owner,
                                                 .set = member ? q->set : NULL,
                                                 .registered = q->registered,
                                                 .confirmed = q->confirmed});
        shared_url_unref(q->url);
        reader_set_unref(q->set);
        free(q);
    }
}

static void placement_query_answer(struct placement *p, struct placement_query *q,
                                   enum placement_status status, const struct mapping *m) {
    q->status = status;
    if (status == PLACEMENT_OK) {
        q->url = m->url;
        q->url->references++;
        q->set = mapping_first_member(m) ? m->set : NULL;
        if (q->set) q->set->references++;
    }
    if (!p->answered) loop_defer(p->loop, &p->call_back);
    DL_APPEND(p->answered, q);
}

// Where an answer comes from.
enum source { FROM_STORE, FROM_STORE_REGISTERED, WITHOUT_STORE };

static void mapping_answer_from(struct mapping *m, enum placement_status status, enum source source) {
    struct placement *p = m->placement;
    bool ok = status == PLACEMENT_OK, registered = source == FROM_STORE_REGISTERED;
    struct placement_query *q, *next;
    DL_FOREACH_SAFE(m->queries, q, next) {
        if (q->later && source != WITHOUT_STORE) continue;
        DL_DELETE(m->queries, q);
        q->confirmed = ok && source != WITHOUT_STORE;
        q->registered = registered && q->may_assign; // reported to one of them only
        if (q->registered) registered = false;
        placement_query_answer(p, q, status, m);
    }
    m->state = MAPPING_AT_REST;
    if (m->queries)
        mapping_look_up(m);
    else if (!m->url)
        mappings_drop(&p->mappings, m); // a video without a mapping is not worth memory
}

static void mapping_answer_from_store(struct mapping *m, enum placement_status status) {
    mapping_answer_from(m, status, FROM_STORE);
}

// Falls back on a stale mapping.
static void mapping_answer_without_store(struct mapping *m, enum engine_status status) {
    bool known = mapping_known_within(m, PLACEMENT_STALE_MS, loop_now_ms(m->placement->loop));
    mapping_answer_from(m,
                        status == ENGINE_FULL ? PLACEMENT_FULL
                        : known               ? PLACEMENT_OK
                                              : PLACEMENT_UNAVAILABLE,
                        WITHOUT_STORE);
}

// Queries

bool placement_is_gone(const struct placement *p, const char *reader_url) {
    return readers_has_gone(&p->listing.readers, reader_url, loop_now_ms(p->loop));
}

uint64_t placement_set_moves(struct placement *p, const struct reader_set *set, const char *video,
                             const char *reader_url, uint64_t viewers, struct hot_crowd *crowd) {
    return set_moves((struct reader_set *)set, &p->listing.readers, video, reader_url, viewers, crowd,
                     loop_now_ms(p->loop));
}

bool placement_sends_on(struct placement *p, const struct placement_answer *a, const char *video,
                        const char *reader_url, uint64_t viewers) {
    return a->set && set_sends_on((struct reader_set *)a->set, &p->listing.readers, video, reader_url,
                                  viewers, a->reader_url);
}

static void placement_ask(struct placement *p, const char *video, bool may_assign, bool confirm,
                          placement_cb *cb, void *arg) {
    struct mapping *m = mappings_get(&p->mappings, p, video);
    size_t size = strlen(video) + 1;
    struct placement_query *q = mem_zalloc(sizeof *q + size);
    *q = (struct placement_query){.cb = cb, .arg = arg, .may_assign = may_assign};
    memcpy(q->video, video, size);
    if (!m) {
        placement_query_answer(p, q, PLACEMENT_UNAVAILABLE, NULL);
        return;
    }
    if (!confirm && m->state == MAPPING_AT_REST &&
        mapping_known_within(m, PLACEMENT_FRESH_MS, loop_now_ms(p->loop)) &&
        !placement_is_gone(p, m->url->text)) {
        placement_query_answer(p, q, PLACEMENT_OK, m);
        return;
    }
    q->later = confirm && m->state >= MAPPING_LOOKING_UP;
    DL_APPEND(m->queries, q);
    if (m->state != MAPPING_AT_REST) return;
    if (p->listing.complete) {
        mapping_look_up(m);
    } else {
        m->state = MAPPING_UNLISTED;
        LL_PREPEND2(p->unlisted, m, next_unlisted);
    }
}

void placement_register(struct placement *p, const char *video, placement_cb *cb, void *arg) {
    placement_ask(p, video, true, false, cb, arg);
}

void placement_resolve(struct placement *p, const char *video, placement_cb *cb, void *arg) {
    placement_ask(p, video, false, false, cb, arg);
}

void placement_confirm(struct placement *p, const char *video, bool may_assign, placement_cb *cb, void *arg) {
    placement_ask(p, video, may_assign, true, cb, arg);
}

// UNLISTED. Ends with the first attempt to list the readers, even a failed one.
static void on_list_attempt(struct listing *l, enum engine_status status) {
    struct placement *p = container_of(l, struct placement, listing);
    struct mapping *unlisted = p->unlisted;
    p->unlisted = NULL;
    while (unlisted) {
        struct mapping *m = unlisted;
        unlisted = m->next_unlisted;
        if (status == ENGINE_OK)
            mapping_look_up(m);
        else
            mapping_answer_without_store(m, status);
    }
}

static void on_listed(struct listing *l) {
    struct placement *p = container_of(l, struct placement, listing);
    if (p->presence) presence_check(p->presence);
}

// LOOKING_UP

static void mapping_take_turn(struct mapping *);

static bool wants_assignment(const struct mapping *m) {
    const struct placement_query *q;
    DL_FOREACH(m->queries, q) {
        if (q->may_assign && !q->later) return true;
    }
    return false;
}

static void mapping_looked_up(struct mapping *m) {
    if (m->looked_up == ENGINE_NOT_FOUND) {
        mapping_unset(m);
        if (wants_assignment(m))
            mapping_take_turn(m);
        else
            mapping_answer_from_store(m, PLACEMENT_NONE);
    } else if (m->looked_up != ENGINE_OK) {
        mapping_answer_without_store(m, m->looked_up);
    } else if (placement_is_gone(m->placement, m->url->text)) {
        mapping_take_turn(m);
    } else {
        mapping_answer_from_store(m, PLACEMENT_OK);
    }
}

// A lookup is two operations where there are sets. One that fails counts.
static void mapping_take_part(struct mapping *m, enum engine_status status) {
    if (m->looked_up == ENGINE_OK || m->looked_up == ENGINE_NOT_FOUND)
        m->looked_up = status == ENGINE_OK ? m->looked_up : status;
    if (!--m->awaited) mapping_looked_up(m);
}

static void on_mapping_found(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct mapping *m = arg;
    (void)changed;
    if (status == ENGINE_OK) mapping_set(m, reader_url, loop_now_ms(m->placement->loop));
    mapping_take_part(m, status);
}

static void on_set_found(void *arg, enum engine_status status, const struct engine_set *set) {
    struct mapping *m = arg;
    if (status == ENGINE_OK) reader_set_take(&m->set, set);
    mapping_take_part(m, status);
}

static void mapping_look_up(struct mapping *m) {
    const struct placement *p = m->placement;
    struct engine *e = p->engine;
    struct placement_query *q;
    DL_FOREACH(m->queries, q) q->later = false;
    m->state = MAPPING_LOOKING_UP;
    m->looked_up = ENGINE_OK;
    m->awaited = p->sets ? 2 : 1;
    if (p->sets) e->ops->set_read(e, m->video, on_set_found, m);
    e->ops->lookup(e, m->video, on_mapping_found, m);
}

// TAKING_TURN

static void mapping_assign(struct mapping *, const char *reader_url);

static void on_assignment_turn(void *arg, enum engine_status status, uint64_t turn) {
    struct mapping *m = arg;
    const struct placement *p = m->placement;
    const struct readers *r = &p->listing.readers;
    if (status != ENGINE_OK)
        mapping_answer_without_store(m, status);
    else if (!r->live_count)
        mapping_answer_from_store(m, PLACEMENT_NO_READER);
    else
        mapping_assign(m, r->live[policy_pick(p->policy, r->live, r->live_count, m->video, turn)].reader_url);
}

// A video with a set needs none: its first member that is alive is next.
static void mapping_take_turn(struct mapping *m) {
    struct placement *p = m->placement;
    const char *member = mapping_first_member(m);
    if (member) {
        mapping_assign(m, member);
        return;
    }
    if (!p->listing.readers.live_count) {
        mapping_answer_from_store(m, PLACEMENT_NO_READER);
        return;
    }
    m->state = MAPPING_TAKING_TURN;
    p->engine->ops->counter_next(p->engine, "readers:next", on_assignment_turn, m);
}

// ASSIGNING, REASSIGNING

static void tell_assigned(const struct mapping *m, const char *event, const char *from) {
    struct placement *p = m->placement;
    if (event_feed_has_room(&p->events, loop_now_ms(p->loop)))
        event_feed_send(&p->events, p->engine,
                        json_pack("{s:s, s:s, s:s, s:s*}", "kind", event, "video", m->video, "readerUrl",
                                  m->url->text, "from", from));
    if (!log_sample(&p->sampler, "placement", ASSIGNED_LINES, loop_now_ms(p->loop))) return;
    if (from)
        log_info("placement", event, "video=%s reader=%s from=%s", m->video, m->url->text, from);
    else
        log_info("placement", event, "video=%s reader=%s", m->video, m->url->text);
}

static void on_mapping_assigned(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct mapping *m = arg;
    if (status != ENGINE_OK) {
        mapping_answer_without_store(m, status);
        return;
    }
    mapping_set(m, reader_url, loop_now_ms(m->placement->loop));
    if (changed) tell_assigned(m, "assigned", NULL);
    mapping_answer_from(m, PLACEMENT_OK, changed ? FROM_STORE_REGISTERED : FROM_STORE);
}

static void on_mapping_reassigned(void *arg, enum engine_status status, const char *reader_url,
                                  bool changed) {
    struct mapping *m = arg;
    if (status == ENGINE_NOT_FOUND) { // dropped in between
        mapping_look_up(m);
        return;
    }
    if (status != ENGINE_OK) {
        mapping_answer_without_store(m, status);
        return;
    }
    struct shared_url *from = m->url;
    from->references++;
    mapping_set(m, reader_url, loop_now_ms(m->placement->loop));
    if (changed) tell_assigned(m, "reassigned", from->text);
    shared_url_unref(from);
    mapping_answer_from_store(m, PLACEMENT_OK);
}

static void mapping_assign(struct mapping *m, const char *reader_url) {
    struct engine *e = m->placement->engine;
    if (m->url) {
        m->state = MAPPING_REASSIGNING;
        e->ops->reassign(e, m->video, m->url->text, reader_url, on_mapping_reassigned, m);
    } else {
        m->state = MAPPING_ASSIGNING;
        e->ops->assign(e, m->video, reader_url, on_mapping_assigned, m);
    }
}

// Life cycle

static void log_reader(const char *reader_url, bool live) {
    log_info("placement", live ? "reader_came" : "reader_gone", "reader=%s", reader_url);
}

static void on_refresh_due(struct loop_timer *t) {
    struct placement *p = container_of(t, struct placement, refresh);
    listing_refresh(&p->listing);
    mappings_age(&p->mappings, loop_now_ms(p->loop));
    loop_timer_start(p->loop, t, REFRESH_MS);
}

static void on_placement_reap(struct loop_job *job) {
    free(container_of(job, struct placement, reap));
}

struct placement *placement_new(struct loop *loop, struct engine *engine,
                                const struct placement_config *config) {
    struct placement *p = mem_zalloc(sizeof *p);
    p->loop = loop;
    p->engine = engine;
    p->policy = config->policy;
    p->sets = config->sets;
    p->refresh.on_due = on_refresh_due;
    p->call_back.run = on_call_back;
    p->reap.run = on_placement_reap;
    p->listing = (struct listing){
        .loop = loop, .engine = engine, .on_attempt = on_list_attempt, .on_listed = on_listed};
    readers_init(&p->listing.readers, config->static_readers, config->grace_ms);
    p->listing.readers.on_change = log_reader;
    if (config->distant_readers) p->presence = presence_new(loop, &p->listing.readers);
    return p;
}

void placement_start(struct placement *p) {
    on_refresh_due(&p->refresh);
}

// Mappings that wait for the list are answered first. The callback job may still be queued in the loop, so
// the memory is freed by a job behind it.
void placement_free(struct placement *p) {
    if (!p) return;
    loop_timer_stop(p->loop, &p->refresh);
    while (p->unlisted || p->answered) {
        on_list_attempt(&p->listing, ENGINE_CLOSED);
        on_call_back(&p->call_back);
    }
    mappings_release(&p->mappings);
    presence_free(p->presence);
    readers_release(&p->listing.readers);
    loop_defer(p->loop, &p->reap);
}

// Lookups

bool placement_is_reader_host(struct placement *p, const char *host) {
    const struct readers *r = &p->listing.readers;
    for (size_t i = 0; i < r->count; i++) {
        const char *at = strstr(r->rows[i].reader_url, "://");
        if (!at) continue;
        size_t len = strcspn(at + 3, "/");
        if (strlen(host) == len && !strncasecmp(at + 3, host, len)) return true;
    }
    return false;
}

bool placement_is_leased(struct placement *p, const char *reader_url) {
    const struct reader_row *row = readers_find(&p->listing.readers, reader_url);
    return row && row->leased;
}

bool placement_lease_has_ended(struct placement *p, const char *reader_url, uint64_t generation) {
    const struct reader_row *row = readers_find(&p->listing.readers, reader_url);
    return readers_state(&p->listing.readers, reader_url) == READER_GONE ||
           (row && row->leased && row->generation > generation);
}

bool placement_ready(struct placement *p) {
    return p->listing.complete;
}

const struct readers *placement_readers(const struct placement *p) {
    return &p->listing.readers;
}

size_t placement_reader_count(struct placement *p) {
    return p->listing.readers.live_count;
}

size_t placement_cached_count(const struct placement *p) {
    return HASH_COUNT(p->mappings.by_video);
}
