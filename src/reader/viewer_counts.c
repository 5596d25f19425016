#include "viewer_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "fanout/frame.h"
#include "placement/placement.h"
#include "reader_core.h"
#include "tally.h"
#include "watched.h"

static void counts_topic(char topic[ENGINE_TOPIC_MAX + 1], const char *reader_url) {
    snprintf(topic, ENGINE_TOPIC_MAX + 1, "viewers:%s", reader_url);
}

static int64_t counts_now_ms(const struct reader *r) {
    return loop_now_ms(r->service.loop);
}

// What the tally asks for

static void counts_publish(void *arg, const char *video, uint64_t viewers) {
    struct reader *r = arg;
    struct watched *w = watched_find(r, video);
    char json[64];
    if (!w) return;
    int len = snprintf(json, sizeof json, "{\"type\":\"viewers\",\"viewers\":%" PRIu64 "}", viewers);
    broadcast_moment(&w->broadcast, MOMENT_VIEWERS,
                     frame_of_event((struct position){0}, "viewers", json, (size_t)len));
}

static void counts_send(void *arg, const char *reader_url, const char *text, size_t len) {
    struct reader *r = arg;
    char topic[ENGINE_TOPIC_MAX + 1];
    counts_topic(topic, reader_url);
    r->service.engine->ops->notify(r->service.engine, topic, text, len);
}

static bool counts_lease_ended(void *arg, const char *reader_url, uint64_t generation) {
    return placement_lease_has_ended(((struct reader *)arg)->placement, reader_url, generation);
}

struct owner_query {
    struct reader *reader;
    char video[];
};

static void on_owner_found(void *arg, const struct placement_answer *p) {
    struct owner_query *q = arg;
    struct reader *r = q->reader;
    r->outstanding--;
    bool found = !r->stopping && p->status == PLACEMENT_OK;
    if (found)
        viewer_counts_place(
            r, q->video, reader_owns_url(r, watched_find(r, q->video), p->owner_url) ? NULL : p->owner_url);
    free(q);
}

static void counts_find_owner(void *arg, const char *video) {
    struct reader *r = arg;
    size_t size = strlen(video) + 1;
    struct owner_query *q = mem_alloc(sizeof *q + size);
    q->reader = r;
    r->outstanding++;
    memcpy(q->video, video, size);
    placement_register(r->placement, video, on_owner_found, q);
}

static const struct tally_ops counts_ops = {.publish = counts_publish,
                                            .send = counts_send,
                                            .find_owner = counts_find_owner,
                                            .lease_ended = counts_lease_ended};

// What it is given

static void on_counts(void *arg, const char *body, size_t len) {
    struct reader *r = arg;
    tally_take(r->tally, body, len, counts_now_ms(r));
}

void viewer_counts_start(struct reader *r) {
    char topic[ENGINE_TOPIC_MAX + 1];
    r->tally = tally_new(r->config.reader_url, &counts_ops, r);
    counts_topic(topic, r->config.reader_url);
    r->counts = r->service.engine->ops->listen(r->service.engine, topic, on_counts, r);
}

void viewer_counts_stop(struct reader *r) {
    if (!r->tally) return;
    r->service.engine->ops->unlisten(r->service.engine, r->counts);
    tally_free(r->tally);
    r->tally = NULL;
}

void viewer_counts_join(struct reader *r, struct broadcast *b, uint8_t asks, bool elsewhere) {
    const struct watched *w = container_of(b, struct watched, broadcast);
    if (!r->tally) return;
    tally_join(r->tally, w->video, broadcast_viewers(b) + 1, asks & 1u << MOMENT_VIEWERS, elsewhere,
               counts_now_ms(r));
}

void viewer_counts_place(struct reader *r, const char *video, const char *owner_url) {
    if (r->tally) tally_place(r->tally, video, owner_url, counts_now_ms(r));
}

void viewer_counts_changed(struct broadcast *b) {
    struct reader *r = container_of(b->env, struct reader, env);
    const struct watched *w = container_of(b, struct watched, broadcast);
    if (r->tally) tally_count(r->tally, w->video, broadcast_viewers(b), counts_now_ms(r));
}

void viewer_counts_close(struct reader *r, const char *video) {
    if (r->tally) tally_count(r->tally, video, 0, counts_now_ms(r));
}

// While another process holds the lease, our URL does not mean us.
void viewer_counts_sweep(struct reader *r) {
    if (r->tally)
        tally_sweep(r->tally, r->lease_state == READER_LEASE_OURS ? r->generation : 0, counts_now_ms(r));
}
