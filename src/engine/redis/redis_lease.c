#include "redis_lease.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redis_core.h"
#include "redis_reply.h"

enum {
    RENEWAL_ITEMS = 4, // of lease_renew.lua
    LEASE_ITEMS = 8,   // of leases.lua
    FORGET_MS = 60000  // a row must look old for this long, in case Redis's clock jumps
};

static const char LOADS[] = "chorus:{readers}:load"; // in the slot of `readers`

// Reads `count` strings of an array, starting with `first`. Returns false if an item is not a string.
static bool read_texts(const redisReply *reply, size_t first, const char *text[], size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!(text[i] = redis_reply_text(redis_reply_item(reply, first + i), NULL))) return false;
    return true;
}

// Renewing

static void on_renewed(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct engine_lease_answer answer;
    const char *item[RENEWAL_ITEMS];
    if (status == ENGINE_OK && !read_texts(reply, 0, item, RENEWAL_ITEMS))
        status = redis_call_unexpected(c, reply);
    if (status == ENGINE_OK) {
        answer.outcome = !strcmp(item[0], "kept")     ? LEASE_KEPT
                         : !strcmp(item[0], "gained") ? LEASE_GAINED
                                                      : LEASE_TAKEN;
        answer.generation = strtoull(item[1], NULL, 10);
        answer.stamp = strtoull(item[2], NULL, 10);
        answer.instance_id = item[3];
    }
    c->on.lease(c->arg, status, status == ENGINE_OK ? &answer : NULL);
    redis_call_free(c);
}

void redis_lease_renew(struct engine *engine, const struct engine_lease *lease, int ttl_ms,
                       engine_lease_cb *cb, void *arg) {
    static const char *const claims[] = {
        [LEASE_HELD] = "held", [LEASE_FIRST] = "first", [LEASE_UNCHANGED] = "unchanged"};
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_renewed, NULL, 0);
    struct redis_args a = {0};
    redis_args_script(&a, &redis_script_lease_renew, 2);
    redis_args_text(&a, "readers");
    redis_args_text(&a, LOADS);
    redis_args_text(&a, lease->reader_url);
    redis_args_number(&a, ttl_ms);
    redis_args_number(&a, (int64_t)lease->generation);
    redis_args_number(&a, (int64_t)lease->viewers);
    redis_args_text(&a, lease->public_url ? lease->public_url : "-");
    redis_args_text(&a, lease->instance_id ? lease->instance_id : "");
    redis_args_text(&a, claims[lease->claim]);
    redis_args_number(&a, (int64_t)lease->stamp);
    redis_args_text(&a, lease->load ? lease->load : "");
    c->on.lease = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

// Releasing

static void on_lease_dropped(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    int64_t dropped;
    if (status == ENGINE_OK && !redis_reply_integer(reply, &dropped))
        status = redis_call_unexpected(c, reply);
    c->on.done(c->arg, status);
    redis_call_free(c);
}

void redis_lease_drop(struct engine *engine, const char *reader_url, uint64_t generation, engine_done_cb *cb,
                      void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_lease_dropped, NULL, 0);
    struct redis_args a = {0};
    redis_args_script(&a, &redis_script_lease_drop, 1);
    redis_args_text(&a, "readers");
    redis_args_text(&a, reader_url);
    redis_args_number(&a, (int64_t)generation);
    c->on.done = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

// Listing

static int redis_lease_by_url(const void *a, const void *b) {
    return strcmp(((const struct engine_lease *)a)->reader_url, ((const struct engine_lease *)b)->reader_url);
}

static bool read_lease(struct engine_lease *l, const redisReply *reply, size_t first) {
    const char *item[LEASE_ITEMS];
    if (!read_texts(reply, first, item, LEASE_ITEMS)) return false;
    *l = (struct engine_lease){.reader_url = item[0],
                               .stamp = strtoull(item[1], NULL, 10),
                               .given_up = item[1][0] == '0',
                               .left_ms = strtoll(item[2], NULL, 10),
                               .generation = strtoull(item[3], NULL, 10),
                               .viewers = strtoull(item[4], NULL, 10),
                               .public_url = strcmp(item[5], "-") != 0 ? item[5] : NULL,
                               .instance_id = item[6],
                               .load = item[7][0] ? item[7] : NULL};
    l->live = !l->given_up && l->left_ms > 0;
    return true;
}

void redis_lease_release(struct redis *r) {
    free(r->old_lease.reader_url);
    free(r->old_lease.stamp);
    r->old_lease.reader_url = r->old_lease.stamp = NULL;
}

static void send_forget(struct redis *r) {
    struct redis_args a = {0};
    redis_args_script(&a, &redis_script_lease_forget, 2);
    redis_args_text(&a, "readers");
    redis_args_text(&a, LOADS);
    redis_args_text(&a, r->old_lease.reader_url);
    redis_args_text(&a, r->old_lease.stamp);
    redis_send(r, &a);
}

// Considers one row at a time for deletion: the first that ended more than 30 days ago by Redis's clock. The
// row of a live reader changes within a second, whatever that clock shows.
static void forget_old_lease(struct redis *r, const redisReply *reply) {
    const char *item[LEASE_ITEMS];
    for (size_t i = 0; read_texts(reply, i, item, LEASE_ITEMS); i += LEASE_ITEMS) {
        const char *reader_url = item[0], *stamp = item[1];
        if (strtoll(item[2], NULL, 10) > -REDIS_KEEP_MS) continue;
        bool same = r->old_lease.reader_url && !strcmp(r->old_lease.reader_url, reader_url) &&
                    !strcmp(r->old_lease.stamp, stamp);
        if (!same) {
            redis_lease_release(r);
            r->old_lease.reader_url = mem_strdup(reader_url);
            r->old_lease.stamp = mem_strdup(stamp);
            r->old_lease.since_ms = loop_now_ms(r->loop);
        } else if (loop_now_ms(r->loop) - r->old_lease.since_ms >= FORGET_MS) {
            send_forget(r);
        }
        return;
    }
}

static void on_leases(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    size_t items, count = 0;
    bool well = redis_reply_array(reply, &items) && items % LEASE_ITEMS == 0;
    struct engine_lease *list = mem_zalloc((items / LEASE_ITEMS + 1) * sizeof *list);
    for (; well && count < items / LEASE_ITEMS; count++)
        well = read_lease(&list[count], reply, count * LEASE_ITEMS);
    if (!well) count = 0;
    if (status == ENGINE_OK && !well) status = redis_call_unexpected(c, reply);
    qsort(list, count, sizeof *list, redis_lease_by_url);
    if (status == ENGINE_OK) forget_old_lease(c->redis, reply);
    c->on.leases(c->arg, status, list, count);
    free(list);
    redis_call_free(c);
}

void redis_leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_leases, NULL, 0);
    struct redis_args a = {0};
    redis_args_script(&a, &redis_script_leases, 2);
    redis_args_text(&a, "readers");
    redis_args_text(&a, LOADS);
    c->on.leases = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}
