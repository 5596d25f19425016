#include "embedded_lease.h"

#include <string.h>

#include "base/clock.h"
#include "base/uthash.h"
#include "embedded_transaction.h"
#include "engine/lease.h"

static const char *lease_hold(struct request *r, const char *text) {
    return text ? request_hold_text(r, text, strlen(text)) : NULL;
}

void lease_carry_out_renew(struct store *s, struct request *request) {
    struct lease_request *r = (struct lease_request *)request;
    int64_t now_ms = clock_monotonic_ms();
    struct lease *l = lease_renew(&s->leases, &r->asked, r->ttl_ms, now_ms, &r->answer);
    r->answer.instance_id = lease_hold(request, r->answer.instance_id);
    bool old = !l->written_ms || now_ms - l->written_ms > s->config.keep_ms / 30;
    if (old && r->answer.outcome != LEASE_TAKEN) l->changed = true;
    s->leases_unwritten |= l->changed;
}

void lease_carry_out_drop(struct store *s, struct request *request) {
    const struct lease_drop_request *d = (const struct lease_drop_request *)request;
    lease_drop(s->leases, d->reader_url, d->generation, clock_monotonic_ms());
    s->leases_unwritten = true;
}

void lease_carry_out_list(struct store *s, struct request *r) {
    struct leases_request *answer = (struct leases_request *)r;
    int64_t now_ms = clock_monotonic_ms();
    struct lease *l;
    size_t count = 0;
    DL_COUNT(s->leases, l, count);
    struct engine_lease *list = request_hold(r, count * sizeof *list);
    answer->list = list;
    answer->count = count;
    DL_FOREACH(s->leases, l) {
        *list = lease_view(l, now_ms);
        list->reader_url = lease_hold(r, l->reader_url);
        list->public_url = lease_hold(r, l->public_url);
        list->instance_id = lease_hold(r, l->instance_id);
        list->load = lease_hold(r, l->load);
        list++;
    }
}

// The rows

static void lease_write_row(struct store *s, const struct lease *l, int64_t now_ms) {
    sqlite3_stmt *q = store_use(s, SQL_LEASE_WRITE);
    store_bind_text(q, 1, l->reader_url);
    store_bind_text(q, 2, l->public_url);
    store_bind_text(q, 3, l->instance_id);
    sqlite3_bind_int64(q, 4, (int64_t)l->generation);
    sqlite3_bind_int64(q, 5, (int64_t)l->viewers);
    sqlite3_bind_int64(q, 6, s->now_ms + (l->ends_ms - now_ms));
    store_run(s, q);
}

static void lease_note_written(struct store *s, int64_t now_ms) {
    struct lease *l;
    DL_FOREACH(s->leases, l) {
        if (l->changed) l->written_ms = now_ms;
        l->changed = false;
    }
    s->leases_unwritten = false;
}

bool lease_write_rows(struct store *s) {
    int64_t now_ms = clock_monotonic_ms();
    const struct lease *l;
    transaction_begin(s);
    DL_FOREACH(s->leases, l) {
        if (l->changed) lease_write_row(s, l, now_ms);
    }
    if (!transaction_commit(s)) {
        transaction_abandon(s);
        return false;
    }
    lease_note_written(s, now_ms);
    return true;
}

static void lease_load_row(struct store *s, sqlite3_stmt *q, int64_t now_ms, int64_t wall_ms) {
    const char *reader_url = store_text(s, q, 0), *instance_id = store_text(s, q, 2);
    bool has_public_url = sqlite3_column_type(q, 1) != SQLITE_NULL;
    const char *public_url = has_public_url ? store_text(s, q, 1) : NULL;
    if (s->failure.code) return;
    struct engine_lease row = {.reader_url = reader_url,
                               .public_url = public_url,
                               .instance_id = instance_id,
                               .generation = (uint64_t)sqlite3_column_int64(q, 3),
                               .viewers = (uint64_t)sqlite3_column_int64(q, 4)};
    struct engine_lease_answer ignored;
    struct lease *l = lease_renew(&s->leases, &row, 0, now_ms, &ignored);
    int64_t ago_ms = wall_ms - sqlite3_column_int64(q, 5);
    l->given_up = true;
    l->changed = false;
    l->ends_ms = now_ms - (ago_ms > 0 ? ago_ms : 0);
    l->written_ms = 0; // its next renewal writes it
}

bool lease_load(struct store *s) {
    int64_t now_ms = clock_monotonic_ms(), wall_ms = clock_wall_ms();
    sqlite3_stmt *q = store_use(s, SQL_LEASE_ALL);
    while (!s->failure.code && store_row(s, q)) lease_load_row(s, q, now_ms, wall_ms);
    store_end(q);
    return !s->failure.code;
}

void lease_free_all(struct store *s) {
    while (s->leases) lease_remove(&s->leases, s->leases);
}

bool lease_sweep(struct store *s) {
    int64_t long_ago_ms = clock_monotonic_ms() - s->config.keep_ms;
    struct lease *l;
    DL_FOREACH(s->leases, l) {
        if (l->ends_ms >= long_ago_ms) continue;
        sqlite3_stmt *q = store_use(s, SQL_LEASE_DROP);
        store_bind_text(q, 1, l->reader_url);
        if (store_run(s, q)) lease_remove(&s->leases, l);
        return !s->failure.code;
    }
    return false;
}
