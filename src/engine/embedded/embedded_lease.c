#include "embedded_lease.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "embedded_engine.h"
#include "embedded_transaction.h"

struct lease {
    char *reader_url, *public_url, *instance_id;
    uint64_t generation, viewers;
    uint64_t stamp;
    bool given_up;
    int64_t ends_ms;    // monotonic
    int64_t written_ms; // monotonic; when the row was
    bool unwritten;     // the row is not as it should be
    struct lease *prev, *next;
};

static struct lease *find(struct store *s, const char *reader_url) {
    struct lease *l;
    DL_FOREACH(s->leases, l) {
        if (strcmp(l->reader_url, reader_url) == 0) return l;
    }
    return NULL;
}

static int by_url(const struct lease *a, const struct lease *b) {
    return strcmp(a->reader_url, b->reader_url);
}

static struct lease *add(struct store *s, const char *reader_url) {
    struct lease *l = mem_zalloc(sizeof *l);
    l->reader_url = mem_strdup(reader_url);
    DL_INSERT_INORDER(s->leases, l, by_url);
    return l;
}

static void remove_lease(struct store *s, struct lease *l) {
    DL_DELETE(s->leases, l);
    free(l->reader_url);
    free(l->public_url);
    free(l->instance_id);
    free(l);
}

// Returns whether it was another.
static bool set_text(char **field, const char *text) {
    if (!*field && !text) return false;
    if (*field && text && strcmp(*field, text) == 0) return false;
    free(*field);
    *field = text ? mem_strdup(text) : NULL;
    return true;
}

// Has its row written by lease_write_rows().
static void changed_now(struct store *s, struct lease *l) {
    l->unwritten = s->leases_unwritten = true;
}

static void set(struct store *s, struct lease *l, const struct engine_lease *what) {
    bool changed = set_text(&l->public_url, what->public_url);
    changed |= set_text(&l->instance_id, what->instance_id ? what->instance_id : "");
    changed |= l->generation != what->generation;
    l->generation = what->generation;
    l->viewers = what->viewers;
    if (changed) changed_now(s, l);
}

static void write_row(struct store *s, struct lease *l, int64_t now_ms) {
    sqlite3_stmt *q = store_use(s, SQL_LEASE_WRITE);
    store_bind_text(q, 1, l->reader_url);
    store_bind_text(q, 2, l->public_url);
    store_bind_text(q, 3, l->instance_id);
    sqlite3_bind_int64(q, 4, (int64_t)l->generation);
    sqlite3_bind_int64(q, 5, (int64_t)l->viewers);
    sqlite3_bind_int64(q, 6, s->now_ms + (l->ends_ms - now_ms));
    store_run(s, q);
}

static void note_written(struct store *s, int64_t now_ms) {
    struct lease *l;
    DL_FOREACH(s->leases, l) {
        if (l->unwritten) l->written_ms = now_ms;
        l->unwritten = false;
    }
    s->leases_unwritten = false;
}

bool lease_write_rows(struct store *s) {
    int64_t now_ms = clock_monotonic_ms();
    struct lease *l;
    transaction_begin(s);
    DL_FOREACH(s->leases, l) {
        if (l->unwritten) write_row(s, l, now_ms);
    }
    if (!transaction_commit(s)) {
        transaction_abandon(s);
        return false;
    }
    note_written(s, now_ms);
    return true;
}

static const char *hold(struct request *r, const char *text) {
    return text ? request_hold_text(r, text, strlen(text)) : NULL;
}

// Renewing

struct renewal {
    struct request request; // first
    struct engine_lease what;
    int ttl_ms;
    engine_lease_cb *cb;
    struct engine_lease_answer answer;
};

static bool is_callers(const struct lease *l, const struct engine_lease *what) {
    const char *instance_id = what->instance_id ? what->instance_id : "";
    return what->claim != LEASE_FIRST && l->generation == what->generation &&
           !strcmp(l->instance_id, instance_id);
}

static bool may_take(const struct lease *l, const struct engine_lease *what) {
    switch (what->claim) {
    case LEASE_FIRST: return true;
    case LEASE_HELD: return l->generation > what->generation;
    case LEASE_UNCHANGED: return l->stamp == what->stamp;
    }
    return false;
}

static void answer(struct renewal *r, const struct lease *l, enum lease_outcome outcome) {
    r->answer.outcome = outcome;
    r->answer.generation = l->generation;
    r->answer.stamp = l->stamp;
    r->answer.instance_id = hold(&r->request, l->instance_id);
}

static void carry_out_renew(struct store *s, struct request *request) {
    struct renewal *r = (struct renewal *)request;
    struct engine_lease *what = &r->what;
    int64_t now_ms = clock_monotonic_ms();
    struct lease *l = find(s, what->reader_url);
    bool kept = l && !l->given_up && is_callers(l, what);
    if (l && !l->given_up && !kept && !may_take(l, what)) {
        answer(r, l, LEASE_TAKEN);
        return;
    }
    if (l && !kept && what->claim != LEASE_HELD && what->generation <= l->generation)
        what->generation = l->generation + 1;
    if (!l) {
        l = add(s, what->reader_url);
        changed_now(s, l);
    }
    set(s, l, what);
    l->given_up = false;
    l->stamp++;
    l->ends_ms = now_ms + r->ttl_ms;
    if (!l->written_ms || now_ms - l->written_ms > s->config.keep_ms / 30) changed_now(s, l);
    answer(r, l, kept ? LEASE_KEPT : LEASE_GAINED);
}

static void call_back_renew(struct embedded *e, struct request *request) {
    const struct renewal *r = (const struct renewal *)request;
    (void)e;
    r->cb(request->arg, request->status, request->status == ENGINE_OK ? &r->answer : NULL);
}

void embedded_lease_renew(struct engine *engine, const struct engine_lease *lease, int ttl_ms,
                          engine_lease_cb *cb, void *arg) {
    size_t room = request_copy_size(lease->reader_url) + request_copy_size(lease->public_url) +
                  request_copy_size(lease->instance_id);
    struct renewal *r = request_new(sizeof *r, room, carry_out_renew, call_back_renew, arg);
    r->what = *lease;
    r->what.reader_url = request_copy(&r->request, lease->reader_url);
    r->what.public_url = request_copy(&r->request, lease->public_url);
    r->what.instance_id = request_copy(&r->request, lease->instance_id);
    r->ttl_ms = ttl_ms;
    r->cb = cb;
    embedded_push(engine, &r->request);
}

// Giving up

struct drop {
    struct request request; // first
    const char *reader_url;
    uint64_t generation;
    engine_done_cb *cb;
};

static void carry_out_drop(struct store *s, struct request *request) {
    const struct drop *d = (const struct drop *)request;
    struct lease *l = find(s, d->reader_url);
    if (!l || l->generation != d->generation) return;
    int64_t now_ms = clock_monotonic_ms();
    l->given_up = true;
    if (l->ends_ms > now_ms) l->ends_ms = now_ms;
    changed_now(s, l);
}

static void call_back_drop(struct embedded *e, struct request *request) {
    (void)e;
    ((const struct drop *)request)->cb(request->arg, request->status);
}

void embedded_lease_drop(struct engine *engine, const char *reader_url, uint64_t generation,
                         engine_done_cb *cb, void *arg) {
    struct drop *d =
        request_new(sizeof *d, request_copy_size(reader_url), carry_out_drop, call_back_drop, arg);
    d->reader_url = request_copy(&d->request, reader_url);
    d->generation = generation;
    d->cb = cb;
    embedded_push(engine, &d->request);
}

// Listing

struct listing {
    struct request request; // first
    engine_leases_cb *cb;
    const struct engine_lease *list; // the answer, held
    size_t count;
};

static void carry_out_list(struct store *s, struct request *r) {
    struct listing *answer = (struct listing *)r;
    int64_t now_ms = clock_monotonic_ms();
    struct lease *l;
    size_t count = 0;
    DL_COUNT(s->leases, l, count);
    struct engine_lease *list = request_hold(r, count * sizeof *list);
    answer->list = list;
    answer->count = count;
    DL_FOREACH(s->leases, l) {
        *list++ = (struct engine_lease){.reader_url = hold(r, l->reader_url),
                                        .public_url = hold(r, l->public_url),
                                        .instance_id = hold(r, l->instance_id),
                                        .generation = l->generation,
                                        .viewers = l->viewers,
                                        .stamp = l->stamp,
                                        .left_ms = l->ends_ms - now_ms,
                                        .given_up = l->given_up,
                                        .live = !l->given_up && l->ends_ms > now_ms};
    }
}

static void call_back_list(struct embedded *e, struct request *r) {
    const struct listing *l = (const struct listing *)r;
    bool ok = r->status == ENGINE_OK;
    (void)e;
    l->cb(r->arg, r->status, ok ? l->list : NULL, ok ? l->count : 0);
}

void embedded_leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    struct listing *l = request_new(sizeof *l, 0, carry_out_list, call_back_list, arg);
    l->cb = cb;
    embedded_push(engine, &l->request);
}

// The rows

bool lease_load(struct store *s) {
    int64_t now_ms = clock_monotonic_ms();
    int64_t wall_ms = clock_wall_ms();
    sqlite3_stmt *q = store_use(s, SQL_LEASE_ALL);
    while (store_row(s, q)) {
        const char *reader_url = store_text(s, q, 0), *instance_id = store_text(s, q, 2);
        bool has_public_url = sqlite3_column_type(q, 1) != SQLITE_NULL;
        const char *public_url = has_public_url ? store_text(s, q, 1) : NULL;
        if (s->failure.code) break;
        struct lease *l = add(s, reader_url);
        set_text(&l->public_url, public_url);
        set_text(&l->instance_id, instance_id);
        l->generation = (uint64_t)sqlite3_column_int64(q, 3);
        l->viewers = (uint64_t)sqlite3_column_int64(q, 4);
        int64_t ago_ms = wall_ms - sqlite3_column_int64(q, 5);
        l->given_up = true;
        l->ends_ms = now_ms - (ago_ms > 0 ? ago_ms : 0);
    }
    store_end(q);
    return !s->failure.code;
}

void lease_free_all(struct store *s) {
    while (s->leases) remove_lease(s, s->leases);
}

bool lease_sweep(struct store *s) {
    int64_t long_ago_ms = clock_monotonic_ms() - s->config.keep_ms;
    struct lease *l;
    DL_FOREACH(s->leases, l) {
        if (l->ends_ms >= long_ago_ms) continue;
        sqlite3_stmt *q = store_use(s, SQL_LEASE_DROP);
        store_bind_text(q, 1, l->reader_url);
        if (store_run(s, q)) remove_lease(s, l);
        return !s->failure.code;
    }
    return false;
}
