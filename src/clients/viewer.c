// A viewer's way: viewer_connect(), ask_manager / on_registered, resolve, try_next (one address after the
// other), on_stream: on_connected, send_some, read_some with the parser's callbacks, on_event; then cut() or
// fail(), and after a wait from the beginning.
#include "viewer.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/prng.h"
#include "stamps.h"
#include "clients/tally.h"
#include "http/client.h"
#include "net/resolver.h"

enum {
    ATTEMPT_MS = 10000,  // for everything up to the answer's head
    HEAD_MAX = 16384,    // bytes of it
    REDIRECTS = 3,       // followed in one attempt
    RETRY_MIN_MS = 500,  // the wait before the next attempt,
    RETRY_MAX_MS = 2500, // unless the stream said how long
    JITTER_PERCENT = 20,
    PROBE_AFTER_S = 30, // a silent connection is probed: its peer's machine may be gone
    READS_A_TURN = 4,   // of VIEWER_READ_SIZE bytes
    LINES = 2           // of the log, in a second
};

struct viewer_attempt {
    struct resolver_addresses addresses;
    unsigned next_address, redirects;
    struct buf out; // the request
    size_t sent;
    size_t head_bytes;
    struct buf field, location;
    bool in_location;
    char *path; // NULL: /connect
};

static void on_stream(struct stream *);
static void on_timer(struct loop_timer *);

void viewer_init(struct viewer *v, struct viewer_env *env, unsigned number, unsigned video) {
    *v = (struct viewer){.timer.on_due = on_timer, .env = env, .number = number, .video = video};
    stream_init(&v->stream, &stream_tcp, env->loop, on_stream);
}

static void drop_attempt(struct viewer *v) {
    struct viewer_attempt *a = v->attempt;
    if (!a) return;
    v->attempt = NULL;
    buf_release(&a->out);
    buf_release(&a->field);
    buf_release(&a->location);
    free(a->path);
    free(a);
}

void viewer_release(struct viewer *v) {
    loop_timer_stop(v->env->loop, &v->timer);
    stream_close(&v->stream);
    drop_attempt(v);
    event_parser_reset(&v->events);
}

// Waits, so that those who were cut together do not come back together.
static void wait_and_return(struct viewer *v, int64_t wait_ms) {
    v->state = VIEWER_IDLE;
    loop_timer_start(v->env->loop, &v->timer, wait_ms);
}

static int64_t random_wait(struct viewer *v, int64_t least, int64_t most) {
    return least + (int64_t)prng_below(v->env->prng, (uint64_t)(most - least + 1));
}

static bool may_log(struct viewer *v) {
    return log_sample(&v->env->sampler, "clients", LINES, loop_now_ms(v->env->loop));
}

// The attempt has failed: the manager may know better where to go.
static void fail(struct viewer *v, const char *why) {
    struct viewer_env *env = v->env;
    if (may_log(v))
        log_warn("clients", "connect_failed", "client=%u %s=%s why=\"%s\"", v->number,
                 v->reader ? "reader" : "manager", v->reader ? v->reader->text : env->register_url, why);
    stream_close(&v->stream);
    drop_attempt(v);
    v->reader = NULL;
    env->tally->refused++;
    wait_and_return(v, random_wait(v, RETRY_MIN_MS, RETRY_MAX_MS));
    env->on_attempted(env, v);
}

static void fail_with(struct viewer *v, int error) {
    fail(v, strerror(error < 0 ? -error : error));
}

// The stream has ended.
static void cut(struct viewer *v) {
    struct viewer_env *env = v->env;
    stream_close(&v->stream);
    event_parser_reset(&v->events);
    env->tally->cuts++;
    env->tally->connected--;
    int64_t said = v->events.retry_ms, spread = said * JITTER_PERCENT / 100;
    wait_and_return(v, said ? random_wait(v, said - spread, said + spread)
                            : random_wait(v, RETRY_MIN_MS, RETRY_MAX_MS));
}

static int connect_to(struct viewer *v, union address *address) {
    address_set_port(address, v->reader->url.port);
    int error = stream_connect(&v->stream, address);
    if (!error) stream_set_keepalive(&v->stream, PROBE_AFTER_S, 0);
    return error;
}

static void try_next(struct viewer *v, int error) {
    struct viewer_attempt *a = v->attempt;
    stream_close(&v->stream);
    v->state = VIEWER_CONNECTING;
    while (a->next_address < a->addresses.count) {
        error = connect_to(v, &a->addresses.at[a->next_address++]);
        if (!error) return;
    }
    resolver_forget(v->env->resolver, v->reader->url.host);
    fail_with(v, error);
}

static void resolve(struct viewer *v) {
    struct viewer_attempt *a = v->attempt;
    a->next_address = 0;
    int error = resolver_get(v->env->resolver, v->reader->url.host, &a->addresses);
    v->state = VIEWER_RESOLVING;
    if (!error)
        try_next(v, -EHOSTUNREACH);
    else if (error != -EINPROGRESS)
        fail_with(v, error);
}

void viewer_resolved(struct viewer *v) {
    if (v->state == VIEWER_RESOLVING) resolve(v);
}

// Returns the reader in the manager's answer, or NULL.
static struct origin *read_answer(struct viewer *v, const struct http_client_response *answer) {
    if (answer->error || answer->status != 200) return NULL;
    json_t *body = json_loadb(answer->body, answer->body_len, 0, NULL);
    const char *url = json_string_value(json_object_get(body, "readerUrl")), *path;
    struct origin *o = url ? origins_get(&v->env->origins, url, &path) : NULL;
    json_decref(body);
    return o;
}

static void on_registered(void *arg, const struct http_client_response *answer) {
    struct viewer *v = arg;
    struct viewer_env *env = v->env;
    if (!env->closing) {
        v->reader = read_answer(v, answer);
        if (v->reader)
            resolve(v);
        else
            fail(v, answer->error ? strerror(-answer->error) : "the manager does not say which reader");
    }
    env->on_calls(env, -1);
}

static void ask_manager(struct viewer *v) {
    char body[64];
    int len = snprintf(body, sizeof body, "{\"videoid\":\"video%u\"}", v->video);
    v->state = VIEWER_REGISTERING;
    v->env->on_calls(v->env, 1);
    http_client_request(v->env->client,
                        &(struct http_client_request){.method = "POST",
                                                      .url = v->env->register_url,
                                                      .body = body,
                                                      .body_len = (size_t)len,
                                                      .timeout_ms = ATTEMPT_MS - 1000},
                        on_registered, v);
}

// An attempt may fail with the first system call, but not inside this one.
void viewer_connect(struct viewer *v) {
    v->attempt = mem_zalloc(sizeof *v->attempt);
    v->state = VIEWER_STARTING;
    loop_timer_start(v->env->loop, &v->timer, 0);
}

static void start_attempt(struct viewer *v) {
    loop_timer_start(v->env->loop, &v->timer, ATTEMPT_MS);
    if (v->reader)
        resolve(v);
    else
        ask_manager(v);
}

static void on_timer(struct loop_timer *t) {
    struct viewer *v = container_of(t, struct viewer, timer);
    switch (v->state) {
    case VIEWER_IDLE: v->env->on_wanting(v->env, v); break;
    case VIEWER_STARTING: start_attempt(v); break;
    case VIEWER_RESOLVING:
    case VIEWER_ASKING: fail_with(v, ETIMEDOUT); break;
    case VIEWER_CONNECTING:
        loop_timer_start(v->env->loop, &v->timer, ATTEMPT_MS);
        try_next(v, -ETIMEDOUT);
        break;
    case VIEWER_REGISTERING: // the call has its own, shorter time
    case VIEWER_STREAMING: break;
    }
}

static void write_request(struct viewer *v) {
    struct viewer_attempt *a = v->attempt;
    const struct http_url *u = &v->reader->url;
    char body[96];
    int len =
        snprintf(body, sizeof body, "{\"userid\":\"user%u\",\"videoid\":\"video%u\"}", v->number, v->video);
    buf_clear(&a->out);
    a->sent = 0;
    const char *path = a->path ? a->path : "/connect", *slash = *path == '/' ? "" : "/";
    buf_printf(&a->out, "POST %s%.*s HTTP/1.1\r\n", slash, (int)strcspn(path, "#"), path);
    buf_printf(&a->out, u->ipv6 ? "Host: [%s]:%d\r\n" : "Host: %s:%d\r\n", u->host, u->port);
    buf_printf(&a->out,
               "Accept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", len);
    if (*v->events.last_id) buf_printf(&a->out, "Last-Event-ID: %s\r\n", v->events.last_id);
    buf_printf(&a->out, "\r\n%s", body);
}

static void send_some(struct viewer *v) {
    struct viewer_attempt *a = v->attempt;
    while (a->sent < a->out.len && v->stream.writable) {
        ssize_t n = stream_write(&v->stream, a->out.data + a->sent, a->out.len - a->sent);
        if (n < 0 && n != -EAGAIN) {
            fail_with(v, (int)n);
            return;
        }
        if (n > 0) a->sent += (size_t)n;
    }
}

// Parser's callbacks. Returning non-zero stops it.

static int on_field(llhttp_t *p, const char *at, size_t len) {
    struct viewer *v = p->data;
    if (v->attempt) buf_add(&v->attempt->field, at, len);
    return 0;
}

static int on_field_complete(llhttp_t *p) {
    struct viewer *v = p->data;
    if (!v->attempt) return 0;
    v->attempt->in_location = !strcasecmp(buf_string(&v->attempt->field), "location");
    buf_clear(&v->attempt->field);
    return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t len) {
    struct viewer *v = p->data;
    if (v->attempt && v->attempt->in_location) buf_add(&v->attempt->location, at, len);
    return 0;
}

static void begin_stream(struct viewer *v) {
    struct viewer_env *env = v->env;
    v->state = VIEWER_STREAMING;
    loop_timer_stop(env->loop, &v->timer);
    drop_attempt(v);
    env->tally->connected++;
    env->on_attempted(env, v);
}

// Any answer but a stream is none to read on in.
static int on_head(llhttp_t *p) {
    struct viewer *v = p->data;
    if (p->status_code != 200) return -1;
    begin_stream(v);
    return 0;
}

static void on_event(void *arg, const struct event_parsed *);

static int on_body(llhttp_t *p, const char *at, size_t len) {
    struct viewer *v = p->data;
    return event_parser_feed(&v->events, at, len, on_event, v) ? 0 : -1;
}

// A stream with an end of its own is over, whether its connection is or not.
static int on_end(llhttp_t *p) {
    (void)p;
    return -1;
}

static void start_parser(struct viewer *v) {
    static llhttp_settings_t settings; // control loop only
    if (!settings.on_body) {
        llhttp_settings_init(&settings);
        settings.on_header_field = on_field;
        settings.on_header_field_complete = on_field_complete;
        settings.on_header_value = on_value;
        settings.on_headers_complete = on_head;
        settings.on_body = on_body;
        settings.on_message_complete = on_end;
    }
    llhttp_init(&v->http, HTTP_RESPONSE, &settings);
    v->http.data = v;
}

static void on_connected(struct viewer *v) {
    if (v->stream.error == -EINPROGRESS) return;
    if (v->stream.error) {
        try_next(v, v->stream.error);
        return;
    }
    v->state = VIEWER_ASKING;
    start_parser(v);
    write_request(v);
}

// What an event's number says. The first event of a stream is no comment: it says where the stream starts.
static void check_number(struct viewer *v, struct position p, bool is_start) {
    struct tally *t = v->env->tally;
    uint64_t skipped;
    bool known = position_is_set(v->sequence.last);
    if (is_start && (!known || position_compare(p, v->sequence.last) <= 0)) {
        if (!known) sequence_jump(&v->sequence, p);
        return;
    }
    enum sequence_verdict verdict = sequence_take(&v->sequence, p, &skipped);
    t->lost += skipped + (is_start && p.seq ? 1 : 0);
    if (verdict == SEQUENCE_DUPLICATE) t->duplicated++;
    if (verdict == SEQUENCE_LATE) {
        t->late++;
        if (t->lost) t->lost--; // it was counted as missing
    }
}

static bool begins_with(const struct event_parsed *e, const char *text) {
    size_t len = strlen(text);
    return e->data_len >= len && !memcmp(e->data, text, len);
}

static void take_gap(struct viewer *v, const struct event_parsed *e) {
    struct tally *t = v->env->tally;
    struct position p;
    json_t *gap = json_loadb(e->data, e->data_len, 0, NULL);
    t->gaps++;
    t->missed += (uint64_t)json_integer_value(json_object_get(gap, "missed")); // null, if nobody knows
    json_decref(gap);
    if (position_parse(e->id, strlen(e->id), &p)) sequence_jump(&v->sequence, p);
}

static void take_comment(struct viewer *v, const struct event_parsed *e) {
    struct tally *t = v->env->tally;
    v->consumed++;
    t->deliveries++;
    int64_t posted_us = stamps_find(v->env->stamps, e->data, e->data_len);
    if (posted_us >= 0) histogram_add(&t->latency, clock_monotonic_us() - posted_us);
}

static void on_event(void *arg, const struct event_parsed *e) {
    struct viewer *v = arg;
    struct position p;
    if (e->data && !strcmp(e->type, "gap")) {
        take_gap(v, e);
        return;
    }
    bool is_start = e->data && begins_with(e, "{\"type\":\"connected\"");
    if (e->has_id && position_parse(e->id, strlen(e->id), &p)) check_number(v, p, is_start);
    if (e->data && !is_start && !*e->type) take_comment(v, e);
}

// Goes where the answer sends us, within the same attempt.
static void follow(struct viewer *v) {
    struct viewer_attempt *a = v->attempt;
    const char *location = buf_string(&a->location), *path;
    struct origin *o = *location == '/' ? v->reader : origins_get(&v->env->origins, location, &path);
    if (!o || ++a->redirects > REDIRECTS) {
        fail(v, "redirected too often, or to no address");
        return;
    }
    stream_close(&v->stream);
    free(a->path);
    a->path = mem_strdup(*location == '/' ? location : path);
    buf_clear(&a->location);
    a->head_bytes = 0;
    v->reader = o;
    resolve(v);
}

static void refuse(struct viewer *v) {
    char why[48];
    unsigned status = v->http.status_code;
    if (status / 100 == 3 && v->attempt->location.len) {
        follow(v);
        return;
    }
    snprintf(why, sizeof why, "status %u", status);
    fail(v, status ? why : "no HTTP answer");
}

static void end(struct viewer *v, int error) {
    if (v->state == VIEWER_STREAMING)
        cut(v);
    else
        fail_with(v, error);
}

static void parse(struct viewer *v, const char *bytes, size_t len) {
    if (v->attempt) v->attempt->head_bytes += len;
    llhttp_errno_t error = llhttp_execute(&v->http, bytes, len);
    if (error != HPE_OK && v->state == VIEWER_STREAMING)
        cut(v);
    else if (error != HPE_OK)
        refuse(v);
    else if (v->attempt && v->attempt->head_bytes > HEAD_MAX)
        fail_with(v, EMSGSIZE);
}

static void read_some(struct viewer *v) {
    char *bytes = v->env->read_buffer;
    ssize_t n = stream_read(&v->stream, bytes, VIEWER_READ_SIZE);
    if (n > 0)
        parse(v, bytes, (size_t)n);
    else if (n != -EAGAIN)
        end(v, n ? (int)n : -ECONNRESET);
}

static bool is_reading(const struct viewer *v) {
    return (v->state == VIEWER_ASKING || v->state == VIEWER_STREAMING) && v->stream.readable;
}

static void on_stream(struct stream *s) {
    struct viewer *v = container_of(s, struct viewer, stream);
    if (v->state == VIEWER_CONNECTING) on_connected(v);
    if (v->state == VIEWER_ASKING) send_some(v);
    for (int i = 0; i < READS_A_TURN && is_reading(v); i++) read_some(v);
    if (is_reading(v)) stream_ready_again(s);
}
