#include "embedded_counter.h"

#include "embedded_engine.h"
#include "embedded_store.h"

struct counter_request {
    struct request request; // first
    const char *name;
    engine_counter_cb *cb;
    uint64_t value; // the answer
};

static void carry_out(struct store *s, struct request *r) {
    struct counter_request *c = (struct counter_request *)r;
    sqlite3_stmt *q = store_use(s, SQL_COUNTER_NEXT);
    store_bind_text(q, 1, c->name);
    if (!store_row(s, q)) return;
    c->value = (uint64_t)sqlite3_column_int64(q, 0);
    store_end(q);
}

static void call_back(struct embedded *e, struct request *r) {
    const struct counter_request *c = (const struct counter_request *)r;
    (void)e;
    c->cb(r->arg, r->status, r->status == ENGINE_OK ? c->value : 0);
}

void embedded_counter_next(struct engine *engine, const char *name, engine_counter_cb *cb, void *arg) {
    struct counter_request *c = request_new(sizeof *c, request_copy_size(name), carry_out, call_back, arg);
    c->name = request_copy(&c->request, name);
    c->cb = cb;
    embedded_push(engine, &c->request);
}
