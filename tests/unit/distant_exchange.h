// An exchange whose connection lives on a loop and a thread of its own: guard and handler run on the control
// loop, and every step between the two is a loop_post().
#pragma once

#include <pthread.h>

#include "fake_exchange.h"
#include "net/loop.h"

struct distant_exchange {
    struct fake_exchange fake; // first
    struct loop *control, *own;
    pthread_t handlers_thread, own_thread;
    const struct http_site *site;
    const char *line, *fields, *body;
    void (*after_handler)(void); // or NULL
    struct loop_job hop;         // one at a time
    bool body_was_read, delivered, strayed;
};

static inline struct distant_exchange *distant_of_job(struct loop_job *job) {
    return (struct distant_exchange *)(void *)((char *)job - offsetof(struct distant_exchange, hop));
}

static inline void distant_post(struct distant_exchange *d, struct loop *to, void (*run)(struct loop_job *)) {
    d->hop.run = run;
    loop_post(to, &d->hop);
}

static inline void distant_must_be_on(struct distant_exchange *d, pthread_t thread) {
    if (!pthread_equal(pthread_self(), thread)) d->strayed = true;
}

static inline void distant_on_finished(struct loop_job *job) {
    loop_stop(distant_of_job(job)->control);
}

static inline void distant_on_outcome(struct loop_job *job) {
    struct distant_exchange *d = distant_of_job(job);
    distant_must_be_on(d, d->own_thread);
    d->delivered = true;
    distant_post(d, d->control, distant_on_finished);
}

static inline void distant_deliver(struct http_exchange *x) {
    struct distant_exchange *d = (struct distant_exchange *)(void *)x;
    distant_must_be_on(d, d->handlers_thread);
    distant_post(d, d->own, distant_on_outcome);
}

static inline void distant_reply(struct http_exchange *x, const struct http_reply *reply) {
    fake_reply(x, reply); // a copy
    distant_deliver(x);
}

static inline bool distant_begin_stream(struct http_exchange *x, struct sink *sink, struct buf *head) {
    bool begun = fake_begin_stream(x, sink, head);
    distant_deliver(x);
    return begun;
}

static inline void distant_abort(struct http_exchange *x) {
    fake_abort(x);
    distant_deliver(x);
}

static const struct http_exchange_ops distant_exchange_ops = {
    .reply = distant_reply, .begin_stream = distant_begin_stream, .abort = distant_abort};

static inline void distant_on_request(struct loop_job *job) {
    struct distant_exchange *d = distant_of_job(job);
    distant_must_be_on(d, d->handlers_thread);
    http_site_handle(&d->fake.exchange);
    if (d->after_handler) d->after_handler();
}

static inline void distant_on_verdict(struct loop_job *job) {
    struct distant_exchange *d = distant_of_job(job);
    distant_must_be_on(d, d->own_thread);
    d->body_was_read = d->body && !d->fake.exchange.refusal.status;
    if (d->body_was_read) buf_add_string(&d->fake.request.body, d->body);
    distant_post(d, d->control, distant_on_request);
}

static inline void distant_on_head(struct loop_job *job) {
    struct distant_exchange *d = distant_of_job(job);
    distant_must_be_on(d, d->handlers_thread);
    http_site_admit(d->site, &d->fake.exchange);
    distant_post(d, d->own, distant_on_verdict);
}

static inline void distant_on_arrival(struct loop_job *job) {
    struct distant_exchange *d = distant_of_job(job);
    d->own_thread = pthread_self();
    if (fake_request(&d->fake, d->line, d->fields, NULL)) d->strayed = true;
    d->fake.exchange.ops = &distant_exchange_ops;
    distant_post(d, d->control, distant_on_head);
}

static inline void *distant_run(void *loop) {
    loop_run(loop);
    return NULL;
}

static inline void distant_on_end(struct loop_job *job) {
    loop_stop(distant_of_job(job)->own);
}

// Begins the thread and the request. The control loop is stopped once the outcome has reached the connection;
// then call distant_end(), which leaves the fake to be looked at.
static inline pthread_t distant_begin(struct distant_exchange *d, struct loop *control) {
    pthread_t thread;
    d->control = control;
    d->handlers_thread = pthread_self();
    assert_non_null(d->own = loop_new());
    distant_post(d, d->own, distant_on_arrival);
    assert_int_equal(pthread_create(&thread, NULL, distant_run, d->own), 0);
    return thread;
}

static inline void distant_end(struct distant_exchange *d, pthread_t thread) {
    distant_post(d, d->own, distant_on_end);
    pthread_join(thread, NULL);
    loop_free(d->own);
    assert_true(d->delivered);
    assert_false(d->strayed);
    assert_false(pthread_equal(d->own_thread, d->handlers_thread));
}
