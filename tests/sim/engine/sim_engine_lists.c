// Mappings, settings, leases, counters and secrets.
#include <assert.h>
#include <string.h>

#include "sim_engine_inner.h"

// Mappings

static void on_mapping(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    (void)e;
    CALLBACK(engine_mapping_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? a->reader : NULL, a->changed);
}

static void send_mapping(struct engine *engine, struct sim_call c, engine_mapping_cb *cb, void *arg) {
    c.on_answer = on_mapping;
    c.cb = (void (*)(void))cb;
    c.arg = arg;
    sim_engine_send(sim_engine_of(engine), &c);
}

static void op_lookup(struct engine *engine, const char *video, engine_mapping_cb *cb, void *arg) {
    send_mapping(engine, (struct sim_call){.op = SIM_LOOKUP, .name = video}, cb, arg);
}

static void op_assign(struct engine *engine, const char *video, const char *reader_url, engine_mapping_cb *cb,
                      void *arg) {
    send_mapping(engine, (struct sim_call){.op = SIM_ASSIGN, .name = video, .reader_url = reader_url}, cb,
                 arg);
}

static void op_reassign(struct engine *engine, const char *video, const char *expected,
                        const char *reader_url, engine_mapping_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_REASSIGN, .name = video, .reader_url = reader_url, .expected = expected};
    send_mapping(engine, c, cb, arg);
}

static void on_set(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    struct engine_set set = {.generation = a->number, .text = a->reader, .written = a->changed};
    (void)e;
    CALLBACK(engine_set_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &set : NULL);
}

static void op_set_read(struct engine *engine, const char *video, engine_set_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_SET_READ, .name = video, .on_answer = on_set, .cb = (void (*)(void))cb, .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void op_set_write(struct engine *engine, const char *video, uint64_t generation, const char *text,
                         engine_set_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_SET_WRITE,
                         .name = video,
                         .text = text,
                         .text_len = strlen(text),
                         .lease.generation = generation,
                         .on_answer = on_set,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void on_done(struct sim_engine *e, struct sim_call *c) {
    (void)e;
    CALLBACK(engine_done_cb, c)(c->arg, c->answer.status);
}

static void op_release(struct engine *engine, const char *video, const char *expected, engine_done_cb *cb,
                       void *arg) {
    struct sim_call c = {.op = SIM_RELEASE,
                         .name = video,
                         .expected = expected,
                         .on_answer = on_done,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

// Settings

static void on_settings(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    const char *found[ENGINE_SETTINGS_BATCH] = {NULL};
    (void)e;
    for (size_t i = 0; i < a->mapped_count; i++) found[i] = a->mapped[i].reader_url;
    CALLBACK(engine_settings_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? found : NULL);
}

static void op_settings_read(struct engine *engine, const char *const *videos, size_t count,
                             engine_settings_cb *cb, void *arg) {
    struct sim_names names = sim_names_of(videos, count);
    struct sim_call c = {.op = SIM_SETTINGS_READ,
                         .text = names.text,
                         .text_len = names.len,
                         .on_answer = on_settings,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void op_settings_write(struct engine *engine, const char *video, const char *settings,
                              engine_done_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_SETTINGS_WRITE,
                         .name = video,
                         .text = settings,
                         .text_len = settings ? strlen(settings) : 0,
                         .on_answer = on_done,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

// Leases

static void on_renewed(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    (void)e;
    CALLBACK(engine_lease_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &a->lease : NULL);
}

static void op_lease_renew(struct engine *engine, const struct engine_lease *lease, int ttl_ms,
                           engine_lease_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_LEASE_RENEW,
                         .name = lease->reader_url,
                         .public_url = lease->public_url,
                         .instance_id = lease->instance_id,
                         .load = lease->load,
                         .lease = *lease,
                         .ttl_ms = ttl_ms,
                         .on_answer = on_renewed,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void op_lease_drop(struct engine *engine, const char *reader_url, uint64_t generation,
                          engine_done_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_LEASE_DROP,
                         .name = reader_url,
                         .lease.generation = generation,
                         .on_answer = on_done,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void on_leases(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_leases_cb, c)(c->arg, a->status, ok ? a->leases : NULL, ok ? a->count : 0);
}

static void op_leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_LEASES, .on_answer = on_leases, .cb = (void (*)(void))cb, .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void on_counter(struct sim_engine *e, struct sim_call *c) {
    (void)e;
    CALLBACK(engine_counter_cb, c)(c->arg, c->answer.status, c->answer.number);
}

static void op_counter_next(struct engine *engine, const char *name, engine_counter_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_COUNTER, .name = name, .on_answer = on_counter, .cb = (void (*)(void))cb, .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void on_secret(struct sim_engine *e, struct sim_call *c) {
    bool ok = c->answer.status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_secret_cb, c)(c->arg, c->answer.status, ok ? c->answer.secret : NULL);
}

static void op_secret(struct engine *engine, const char *name, const unsigned char offered[ENGINE_SECRET],
                      int64_t keep_ms, engine_secret_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_SECRET, .name = name, .on_answer = on_secret, .cb = (void (*)(void))cb, .arg = arg};
    (void)keep_ms; // longer than a run
    memcpy(c.offered, offered, sizeof c.offered);
    sim_engine_send(sim_engine_of(engine), &c);
}

void sim_engine_add_lists(struct engine_ops *ops) {
    ops->lookup = op_lookup;
    ops->assign = op_assign;
    ops->reassign = op_reassign;
    ops->release = op_release;
    ops->set_read = op_set_read;
    ops->set_write = op_set_write;
    ops->settings_read = op_settings_read;
    ops->settings_write = op_settings_write;
    ops->lease_renew = op_lease_renew;
    ops->lease_drop = op_lease_drop;
    ops->leases = op_leases;
    ops->counter_next = op_counter_next;
    ops->secret = op_secret;
}
