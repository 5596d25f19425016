// The life of a viewer: client_viewer_connect(), client_register() and client_on_registered(),
// client_resolve(), client_try_next_address(); then client_on_ready(): client_on_connected(),
// client_send_request(), client_read() with the parser's callbacks, client_on_event(); at the end
// client_cut() or client_fail(), and after a delay all over again.
#include "client_viewer.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/prng.h"
#include "stamps.h"
#include "clients/tally.h"
#include "http/client.h"
#include "net/resolver.h"

enum {
    WHY_SIZE = 160,
    ATTEMPT_MS = 10000,  // until the response head has arrived
    HEAD_MAX = 16384,    // bytes of the response head
    REDIRECTS = 3,       // followed in one attempt
    RETRY_MIN_MS = 500,  // before the next attempt,
    RETRY_MAX_MS = 2500, // unless the stream has set a retry time
    PROBE_AFTER_S = 30,  // of silence: the peer's machine may be down
    READS_PER_TURN = 4,  // of CLIENT_VIEWER_READ_SIZE bytes
    CLIENT_NAME_SIZE = 160,
    LINES = 2,          // log lines per second about failures,
    RESOLVED_LINES = 10 // and about readers found
};

struct connect_attempt {
    struct resolver_addresses addresses;
    unsigned next_address, redirects;
    struct buf out; // the request,
    size_t sent;    // of which these bytes have been sent
    size_t head_bytes;
    struct buf field, location;
    bool in_location;
    char *path;    // NULL: /connect
    bool is_asked; // the manager has been, in this attempt
};

static void client_on_ready(struct stream *);
static void client_on_timer(struct loop_timer *);

void client_viewer_init(struct client_viewer *v, struct client_viewer_env *env, unsigned number,
                        unsigned video) {
    *v =
        (struct client_viewer){.timer.on_due = client_on_timer, .env = env, .number = number, .video = video};
    stream_init(&v->stream, &stream_tcp, env->loop, client_on_ready);
}

static void client_drop_attempt(struct client_viewer *v) {
    struct connect_attempt *a = v->attempt;
    if (!a) return;
    v->attempt = NULL;
    buf_release(&a->out);
    buf_release(&a->field);
    buf_release(&a->location);
    free(a->path);
    free(a);
}

void client_viewer_release(struct client_viewer *v) {
    loop_timer_stop(v->env->loop, &v->timer);
    stream_close(&v->stream);
    client_drop_attempt(v);
    event_parser_reset(&v->events);
}

// Waits, so that viewers that were disconnected together do not reconnect together.
static void client_retry_after(struct client_viewer *v, int64_t wait_ms) {
    v->state = CLIENT_VIEWER_IDLE;
    loop_timer_start(v->env->loop, &v->timer, wait_ms);
}

static int64_t client_random_wait(struct client_viewer *v, int64_t least, int64_t most) {
    return least + (int64_t)prng_below(v->env->prng, (uint64_t)(most - least + 1));
}

static bool client_may_log(struct client_viewer *v) {
    return log_sample(&v->env->sampler, "clients", LINES, loop_now_ms(v->env->loop));
}

// Ends the attempt. The next one asks the manager again, because the reader may have changed.
static void client_fail(struct client_viewer *v, const char *why) {
    struct client_viewer_env *env = v->env;
    if (client_may_log(v))
        log_line(env->expects_outages ? LOG_INFO : LOG_WARN, "clients", "connect_failed",
                 v->reader ? "client=%u reader=%s why=\"%s\"" : "client=%u manager=%s why=\"%s\"", v->number,
                 v->reader ? v->reader->text : env->register_url, why);
    if (env->on_failed) env->on_failed(env, why);
    stream_close(&v->stream);
    client_drop_attempt(v);
    v->reader = NULL;
    env->tally->refused++;
    client_retry_after(v, client_random_wait(v, RETRY_MIN_MS, RETRY_MAX_MS));
    env->on_attempt_over(env, v);
}

static void client_fail_errno(struct client_viewer *v, int error) {
    client_fail(v, strerror(error < 0 ? -error : error));
}

// Handles the end of a stream.
static void client_cut(struct client_viewer *v) {
    struct client_viewer_env *env = v->env;
    stream_close(&v->stream);
    event_parser_reset(&v->events);
    env->tally->cuts++;
    env->tally->connected--;
    int64_t said = v->events.retry_ms; // exactly so long, as an EventSource
    client_retry_after(v, said ? said : client_random_wait(v, RETRY_MIN_MS, RETRY_MAX_MS));
}

// On loopback many come from several addresses, of which each process has its own. Returns NULL, or `from`.
static const union address *client_source(const struct client_viewer *v, const union address *to,
                                          union address *from) {
    enum { VIEWERS_PER_ADDRESS = 2000, FIRST_NET = 2, NETS = 250 };
    unsigned n = v->number / VIEWERS_PER_ADDRESS;
    uint32_t net = FIRST_NET + (uint32_t)getpid() % NETS;
    return n && address_loopback_source(to, net << 16 | n, from) ? from : NULL;
}

static void client_register(struct client_viewer *);

static void client_try_next_address(struct client_viewer *v, int error) {
    struct connect_attempt *a = v->attempt;
    stream_close(&v->stream);
    v->state = CLIENT_VIEWER_CONNECTING;
    while (a->next_address < a->addresses.count) {
        union address from, *address = &a->addresses.at[a->next_address++];
        address_set_port(address, v->reader->url.port);
        error = stream_connect_from(&v->stream, address, client_source(v, address, &from));
        if (error) continue;
        stream_set_keepalive(&v->stream, PROBE_AFTER_S, 0);
        return;
    }
    resolver_forget(v->env->resolver, v->reader->url.host);
    if (error == -ECONNREFUSED && !a->is_asked) // its reader has ended; it has waited, as it was told
        client_register(v);
    else
        client_fail_errno(v, error);
}

static void client_resolve(struct client_viewer *v) {
    struct connect_attempt *a = v->attempt;
    a->next_address = 0;
    int error = resolver_get(v->env->resolver, v->reader->url.host, &a->addresses);
    v->state = CLIENT_VIEWER_RESOLVING;
    if (!error)
        client_try_next_address(v, -EHOSTUNREACH);
    else if (error != -EINPROGRESS)
        client_fail_errno(v, error);
}

void client_viewer_resolved(struct client_viewer *v) {
    if (v->state == CLIENT_VIEWER_RESOLVING) client_resolve(v);
}

// Returns the path of /connect below that of a reader, which may end with a slash.
static char *path_of_streams(const char *path) {
    static const char connect[] = "/connect";
    size_t len = strcspn(path, "?#");
    while (len && path[len - 1] == '/') len--;
    char *whole = mem_alloc(len + sizeof connect);
    memcpy(whole, path, len);
    memcpy(whole + len, connect, sizeof connect);
    return whole;
}

// Returns the reader in the manager's answer, or NULL.
static struct origin *client_read_registration(struct client_viewer *v,
                                               const struct http_client_response *answer) {
    if (answer->error || answer->status != 200) return NULL;
    json_t *body = json_loadb(answer->body, answer->body_len, 0, NULL);
    const char *url = json_string_value(json_object_get(body, "readerUrl")), *path;
    const char *public_url = json_string_value(json_object_get(body, "publicUrl"));
    if (v->env->video_name && public_url && !strncmp(public_url, "http:", 5)) url = public_url;
    struct origin *o = url ? origins_get(&v->env->origins, url, &path) : NULL;
    if (o && *path) v->attempt->path = path_of_streams(path);
    json_decref(body);
    return o;
}

static void client_use_reader(struct client_viewer *v) {
    struct client_viewer_env *env = v->env;
    if (log_sample(&env->resolutions, "clients", RESOLVED_LINES, loop_now_ms(env->loop)))
        log_info("clients", "resolved", "client=%u video=video%u reader=%s", v->number, v->video,
                 v->reader->text);
    client_resolve(v);
}

static void client_fail_registration(struct client_viewer *v, const struct http_client_response *answer) {
    char why[WHY_SIZE] = "the manager does not say which reader";
    if (answer->error) {
        client_fail_errno(v, answer->error);
        return;
    }
    if (answer->status != 200) {
        json_t *body = json_loadb(answer->body, answer->body_len, 0, NULL);
        const char *code = json_string_value(json_object_get(body, "code"));
        snprintf(why, sizeof why, "the answer is %d%s%s", answer->status, code ? " " : "", code ? code : "");
        json_decref(body);
    }
    client_fail(v, why);
}

static void client_on_registered(void *arg, const struct http_client_response *answer) {
    struct client_viewer *v = arg;
    struct client_viewer_env *env = v->env;
    if (!env->closing) {
        v->reader = client_read_registration(v, answer);
        if (v->reader)
            client_use_reader(v);
        else
            client_fail_registration(v, answer);
    }
    env->on_calls(env, -1);
}

static const char *client_video(const struct client_viewer *v, char name[CLIENT_NAME_SIZE]) {
    if (v->env->video_name) return v->env->video_name;
    snprintf(name, CLIENT_NAME_SIZE, "video%u", v->video);
    return name;
}

static void client_register(struct client_viewer *v) {
    char body[CLIENT_NAME_SIZE + 32], video[CLIENT_NAME_SIZE];
    int len = snprintf(body, sizeof body, "{\"videoid\":\"%s\"}", client_video(v, video));
    v->state = CLIENT_VIEWER_REGISTERING;
    v->attempt->is_asked = true;
    v->env->on_calls(v->env, 1);
    http_client_request(v->env->client,
                        &(struct http_client_request){.method = "POST",
                                                      .url = v->env->register_url,
                                                      .body = body,
                                                      .body_len = (size_t)len,
                                                      .authorization = v->env->authorization,
                                                      .timeout_ms = ATTEMPT_MS - 1000},
                        client_on_registered, v);
}

// The timer delays the attempt, which may fail immediately, so that no callback runs inside this call.
void client_viewer_connect(struct client_viewer *v) {
    v->attempt = mem_zalloc(sizeof *v->attempt);
    v->state = CLIENT_VIEWER_STARTING;
    loop_timer_start(v->env->loop, &v->timer, 0);
}

static void client_on_timer(struct loop_timer *t) {
    struct client_viewer *v = container_of(t, struct client_viewer, timer);
    switch (v->state) {
    case CLIENT_VIEWER_IDLE: v->env->on_wants_connection(v->env, v); break;
    case CLIENT_VIEWER_STARTING:
        loop_timer_start(v->env->loop, &v->timer, ATTEMPT_MS);
        if (v->reader)
            client_resolve(v);
        else
            client_register(v);
        break;
    case CLIENT_VIEWER_RESOLVING:
    case CLIENT_VIEWER_AWAITING_HEAD: client_fail_errno(v, ETIMEDOUT); break;
    case CLIENT_VIEWER_CONNECTING:
        loop_timer_start(v->env->loop, &v->timer, ATTEMPT_MS);
        client_try_next_address(v, -ETIMEDOUT);
        break;
    case CLIENT_VIEWER_REGISTERING: // the request has its own, shorter timeout
    case CLIENT_VIEWER_OVER:
    case CLIENT_VIEWER_STREAMING: break;
    }
}

static void client_write_connect(struct client_viewer *v) {
    struct connect_attempt *a = v->attempt;
    const struct http_url *u = &v->reader->url;
    char body[2 * CLIENT_NAME_SIZE + 32], video[CLIENT_NAME_SIZE], user[32];
    snprintf(user, sizeof user, "user%u", v->number);
    int len = snprintf(body, sizeof body, "{\"userid\":\"%s\",\"videoid\":\"%s\"}",
                       v->env->user_name ? v->env->user_name : user, client_video(v, video));
    buf_clear(&a->out);
    a->sent = 0;
    const char *path = a->path ? a->path : "/connect", *slash = *path == '/' ? "" : "/";
    buf_printf(&a->out, "POST %s%.*s HTTP/1.1\r\n", slash, (int)strcspn(path, "#"), path);
    buf_printf(&a->out, u->ipv6 ? "Host: [%s]:%d\r\n" : "Host: %s:%d\r\n", u->host, u->port);
    buf_printf(&a->out,
               "Accept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", len);
    if (v->env->authorization) buf_printf(&a->out, "Authorization: %s\r\n", v->env->authorization);
    if (*v->events.last_id) buf_printf(&a->out, "Last-Event-ID: %s\r\n", v->events.last_id);
    buf_printf(&a->out, "\r\n%s", body);
}

static void client_send_request(struct client_viewer *v) {
    struct connect_attempt *a = v->attempt;
    while (a->sent < a->out.len && v->stream.writable) {
        ssize_t n = stream_write(&v->stream, a->out.data + a->sent, a->out.len - a->sent);
        if (n < 0 && n != -EAGAIN) {
            client_fail_errno(v, (int)n);
            return;
        }
        if (n > 0) a->sent += (size_t)n;
    }
}

// llhttp's callbacks. Returning non-zero stops parsing.

static int client_on_field(llhttp_t *p, const char *at, size_t len) {
    struct client_viewer *v = p->data;
    if (v->attempt) buf_add(&v->attempt->field, at, len);
    return 0;
}

static int client_on_field_complete(llhttp_t *p) {
    struct client_viewer *v = p->data;
    if (!v->attempt) return 0;
    v->attempt->in_location = !strcasecmp(buf_string(&v->attempt->field), "location");
    buf_clear(&v->attempt->field);
    return 0;
}

static int client_on_value(llhttp_t *p, const char *at, size_t len) {
    struct client_viewer *v = p->data;
    if (v->attempt && v->attempt->in_location) buf_add(&v->attempt->location, at, len);
    return 0;
}

// Stops parsing if the response is not a stream.
static int client_on_head(llhttp_t *p) {
    struct client_viewer *v = p->data;
    struct client_viewer_env *env = v->env;
    if (p->status_code != 200) return -1;
    v->state = CLIENT_VIEWER_STREAMING;
    loop_timer_stop(env->loop, &v->timer);
    client_drop_attempt(v);
    env->tally->connected++;
    env->on_attempt_over(env, v);
    return 0;
}

static void client_on_event(void *arg, const struct event_parsed *);

static int client_on_body(llhttp_t *p, const char *at, size_t len) {
    struct client_viewer *v = p->data;
    return event_parser_feed(&v->events, at, len, client_on_event, v) ? 0 : -1;
}

// A stream is over when its body ends, even if the connection stays open.
static int client_on_end(llhttp_t *p) {
    (void)p;
    return -1;
}

static void client_start_parser(struct client_viewer *v) {
    static const llhttp_settings_t settings = {
        .on_header_field = client_on_field,
        .on_header_field_complete = client_on_field_complete,
        .on_header_value = client_on_value,
        .on_headers_complete = client_on_head,
        .on_body = client_on_body,
        .on_message_complete = client_on_end,
    };
    llhttp_init(&v->http, HTTP_RESPONSE, &settings);
    v->http.data = v;
}

static void client_on_connected(struct client_viewer *v) {
    if (v->stream.error == -EINPROGRESS) return;
    if (v->stream.error) {
        client_try_next_address(v, v->stream.error);
        return;
    }
    v->state = CLIENT_VIEWER_AWAITING_HEAD;
    client_start_parser(v);
    client_write_connect(v);
}

// Checks an event's number. A stream's first event is not a comment: its number is where the stream starts.
static void client_check_number(struct client_viewer *v, struct position p, bool is_start, uint64_t more) {
    struct tally *t = v->env->tally;
    uint64_t skipped;
    bool known = position_is_set(v->sequence.last);
    if (is_start && (!known || position_compare(p, v->sequence.last) <= 0)) {
        if (!known) sequence_jump(&v->sequence, p);
        return;
    }
    enum sequence_verdict verdict = sequence_take(&v->sequence, p, &skipped);
    uint64_t left_out = skipped < more ? skipped : more;
    t->left_out += left_out;
    t->lost += skipped - left_out + (is_start && p.seq ? 1 : 0);
    if (verdict == SEQUENCE_DUPLICATE) t->duplicated++;
    if (verdict == SEQUENCE_LATE) {
        t->late++;
        if (t->lost) t->lost--; // it had been counted as missing
    }
}

static void client_take_gap(struct client_viewer *v, const struct event_parsed *e) {
    struct tally *t = v->env->tally;
    struct position p;
    json_t *gap = json_loadb(e->data, e->data_len, 0, NULL);
    t->gaps++;
    t->missed += (uint64_t)json_integer_value(json_object_get(gap, "missed")); // null (0) if unknown
    json_decref(gap);
    if (position_parse(e->id, strlen(e->id), &p)) sequence_jump(&v->sequence, p);
}

static void client_take_comment(struct client_viewer *v, const struct event_parsed *e) {
    struct tally *t = v->env->tally;
    v->consumed++;
    t->deliveries++;
    int64_t posted_us = stamps_find(v->env->stamps, e->data, e->data_len);
    if (posted_us >= 0) histogram_add(&t->latency, clock_monotonic_us() - posted_us);
}

static void client_on_event(void *arg, const struct event_parsed *e) {
    static const char start[] = "{\"type\":\"connected\"";
    struct client_viewer *v = arg;
    struct position p;
    if (v->env->on_event) v->env->on_event(v->env, e);
    if (e->data && !strcmp(e->type, "gap")) {
        client_take_gap(v, e);
        return;
    }
    bool is_start = e->data && e->data_len >= sizeof start - 1 && !memcmp(e->data, start, sizeof start - 1);
    if (e->has_id && position_parse(e->id, strlen(e->id), &p))
        client_check_number(v, p, is_start, e->data ? sequence_more(e->data, e->data_len) : 0);
    if (e->data && !is_start && !*e->type) client_take_comment(v, e);
}

// Follows a redirect within the same attempt.
static void client_follow_redirect(struct client_viewer *v) {
    struct connect_attempt *a = v->attempt;
    const char *location = buf_string(&a->location), *path;
    struct origin *o = *location == '/' ? v->reader : origins_get(&v->env->origins, location, &path);
    if (!o || ++a->redirects > REDIRECTS) {
        client_fail(v, "redirected too often, or to no address");
        return;
    }
    stream_close(&v->stream);
    free(a->path);
    a->path = mem_strdup(*location == '/' ? location : path);
    buf_clear(&a->location);
    a->head_bytes = 0;
    v->reader = o;
    client_resolve(v);
}

// As a browser does.
static void client_stay_away(struct client_viewer *v) {
    loop_timer_stop(v->env->loop, &v->timer);
    stream_close(&v->stream);
    client_drop_attempt(v);
    v->state = CLIENT_VIEWER_OVER;
    v->env->on_attempt_over(v->env, v);
}

static void client_handle_refusal(struct client_viewer *v) {
    char why[48];
    unsigned status = v->http.status_code;
    if (status == 204) {
        client_stay_away(v);
        return;
    }
    if (status / 100 == 3 && v->attempt->location.len) {
        client_follow_redirect(v);
        return;
    }
    snprintf(why, sizeof why, "status %u", status);
    client_fail(v, status ? why : "no HTTP answer");
}

static void client_parse(struct client_viewer *v, const char *bytes, size_t len) {
    if (v->attempt) v->attempt->head_bytes += len;
    llhttp_errno_t error = llhttp_execute(&v->http, bytes, len);
    if (error != HPE_OK && v->state == CLIENT_VIEWER_STREAMING)
        client_cut(v);
    else if (error != HPE_OK)
        client_handle_refusal(v);
    else if (v->attempt && v->attempt->head_bytes > HEAD_MAX)
        client_fail_errno(v, EMSGSIZE);
}

static void client_read(struct client_viewer *v) {
    char *bytes = v->env->read_buffer;
    ssize_t n = stream_read(&v->stream, bytes, CLIENT_VIEWER_READ_SIZE);
    if (n > 0)
        client_parse(v, bytes, (size_t)n);
    else if (n != -EAGAIN && v->state == CLIENT_VIEWER_STREAMING)
        client_cut(v);
    else if (n != -EAGAIN)
        client_fail_errno(v, n ? (int)n : -ECONNRESET);
}

static bool client_is_reading(const struct client_viewer *v) {
    return (v->state == CLIENT_VIEWER_AWAITING_HEAD || v->state == CLIENT_VIEWER_STREAMING) &&
           v->stream.readable;
}

static void client_on_ready(struct stream *s) {
    struct client_viewer *v = container_of(s, struct client_viewer, stream);
    if (v->state == CLIENT_VIEWER_CONNECTING) client_on_connected(v);
    if (v->state == CLIENT_VIEWER_AWAITING_HEAD) client_send_request(v);
    for (int i = 0; i < READS_PER_TURN && client_is_reading(v); i++) client_read(v);
    if (client_is_reading(v)) stream_ready_again(s);
}
