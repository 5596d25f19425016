// The states are named in enum redis_conn_state. redis_conn_go_down() is the one place where a connection
// ends, whatever the state; it leads back to WAITING. One timer serves all states.
#include "redis_conn.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "redis_error.h"
#include "redis_replies.h"
#include "redis_reply.h"
#include "engine/redis_config.h"
#include "net/resolver.h"
#include "net/loop.h"
#include "net/stream.h"

enum {
    FIRST_DELAY_MS = 20,
    LAST_DELAY_MS = 500,
    STEADY_MS = 1000,
    READ_BYTES = 1 << 16,
    READS_A_TURN = 16,
    OLDEST_MAJOR = 7
};

enum redis_conn_state {
    CONN_WAITING, // for the next attempt
    CONN_RESOLVING,
    CONN_CONNECTING,
    CONN_GREETING,
    CONN_UP,
    CONN_CUT // by its owner; goes down at the turn's end
};

struct redis_conn {
    struct loop *loop;
    struct resolver *resolver;
    const struct redis_url *url;
    struct redis_conn_config config;
    struct redis_place place;
    bool asked_for_password; // of a shy one
    enum redis_conn_state state;
    struct stream stream;
    struct loop_timer timer;
    struct loop_job turn_end; // sends what the turn has gathered, or goes down
    struct loop_job reap;     // behind it
    bool turn_end_queued;
    struct buf out;
    struct redis_replies replies;
    int64_t received_ms; // or began to wait for an answer
    int64_t up_ms;       // since when it is up
    int delay_ms;        // before the latest attempt; 0: it begins from the shortest
    unsigned attempt;    // which of the name's addresses
    struct redis_server server;
    char why[REDIS_CONN_WHY_SIZE];
    char logged_why[REDIS_CONN_WHY_SIZE]; // why the greeting was refused, as logged last
};

static void redis_conn_go_down(struct redis_conn *, const char *why);
static void redis_conn_end(struct redis_conn *, enum redis_conn_state);

static void redis_conn_set_why(struct redis_conn *c, const char *what) {
    const char *peer = c->config.peer ? c->config.peer : "Redis";
    if (c->place.port)
        snprintf(c->why, sizeof c->why, "%s at %.100s:%d %.120s.", peer, c->place.host, c->place.port, what);
    else
        snprintf(c->why, sizeof c->why, "%s %.120s.", peer, what);
}

// Sending

static void redis_conn_flush(struct redis_conn *c) {
    if (c->state != CONN_GREETING && c->state != CONN_UP) return;
    while (c->out.len && c->stream.writable) {
        ssize_t n = stream_write(&c->stream, c->out.data, c->out.len);
        if (n < 0 && n != -EAGAIN) {
            redis_conn_go_down(c, "has closed the connection");
            return;
        }
        if (n > 0) buf_consume(&c->out, (size_t)n);
    }
}

static void redis_conn_at_turn_end(struct redis_conn *c) {
    if (c->turn_end_queued) return;
    c->turn_end_queued = true;
    loop_defer(c->loop, &c->turn_end);
}

static void on_redis_conn_turn_end(struct loop_job *job) {
    struct redis_conn *c = container_of(job, struct redis_conn, turn_end);
    c->turn_end_queued = false;
    if (c->state == CONN_CUT)
        redis_conn_end(c, CONN_UP);
    else
        redis_conn_flush(c);
}

static void redis_conn_expect(struct redis_conn *c, redis_reply_cb *cb, void *arg) {
    if (!c->replies.count) c->received_ms = loop_now_ms(c->loop);
    redis_replies_expect(&c->replies, cb, arg);
}

char *redis_conn_frame(int argc, const char *const *argv, const size_t *lens, size_t *len) {
    char *frame;
    long long size = redisFormatCommandArgv(&frame, argc, (const char **)argv, lens);
    if (size < 0) mem_abort("a Redis command");
    *len = (size_t)size;
    return frame;
}

void redis_conn_frame_free(char *frame) {
    redisFreeCommand(frame);
}

static void redis_conn_send_command(struct redis_conn *c, int argc, const char *const *argv,
                                    const size_t *lens) {
    size_t len;
    char *frame = redis_conn_frame(argc, argv, lens, &len);
    buf_add(&c->out, frame, len);
    redis_conn_frame_free(frame);
    redis_conn_at_turn_end(c);
}

void redis_conn_send(struct redis_conn *c, int argc, const char *const *argv, const size_t *lens,
                     redis_reply_cb *cb, void *arg) {
    assert(c->state == CONN_UP);
    redis_conn_send_command(c, argc, argv, lens);
    if (!c->config.on_message) redis_conn_expect(c, cb, arg);
}

void redis_conn_send_framed(struct redis_conn *c, const char *frame, size_t len, redis_reply_cb *cb,
                            void *arg) {
    assert(c->state == CONN_UP);
    buf_add(&c->out, frame, len);
    redis_conn_at_turn_end(c);
    redis_conn_expect(c, cb, arg);
}

redisReply *redis_conn_keep_reply(struct redis_conn *c) {
    return redis_replies_keep(&c->replies);
}

// Greeting

static void redis_conn_greet_with(struct redis_conn *c, redis_reply_cb *cb, int argc,
                                  const char *const *argv) {
    redis_conn_send_command(c, argc, argv, NULL);
    redis_conn_expect(c, cb, c);
}

// For a reason that does not go away by itself: it is logged, once.
static void redis_conn_refuse(struct redis_conn *c, const char *what) {
    redis_conn_go_down(c, what);
    if (!strcmp(c->logged_why, c->why)) return;
    memcpy(c->logged_why, c->why, sizeof c->logged_why);
    log_warn("engine", "redis_unusable", "connection=%s why=\"%s\"", c->config.name, c->why);
}

static void redis_conn_refuse_greeting(struct redis_conn *c, const char *error) {
    char what[120];
    redis_error_clause(error, what, sizeof what);
    redis_conn_refuse(c, what);
}

static const char *redis_conn_unreached(const struct redis_conn *c) {
    return c->url->tls ? "cannot be reached, or does not speak TLS" : "cannot be reached";
}

static void redis_conn_refuse_stream(struct redis_conn *c) {
    const char *why = stream_why(&c->stream);
    if (why)
        redis_conn_refuse(c, why);
    else
        redis_conn_go_down(c, redis_conn_unreached(c));
}

static void on_greeted(void *arg, const redisReply *reply) {
    const char *error = redis_reply_error(reply);
    if (error) redis_conn_refuse_greeting(arg, error);
}

static void on_role(void *arg, const redisReply *reply) {
    const char *info = redis_reply_text(reply, NULL);
    if (info && !strstr(info, "role:master")) redis_conn_go_down(arg, "is a replica, not the primary");
}

// Finds a line `name:value` of INFO.
static bool info_field(const char *info, const char *name, char *value, size_t size) {
    size_t name_len = strlen(name);
    for (const char *at = info; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
        if (strncmp(at, name, name_len) != 0 || at[name_len] != ':') continue;
        at += name_len + 1;
        size_t len = strcspn(at, "\r\n");
        snprintf(value, size, "%.*s", (int)len, at);
        return true;
    }
    return false;
}

static void on_info(void *arg, const redisReply *reply) {
    struct redis_conn *c = arg;
    char text[64] = "";
    const char *info = redis_reply_text(reply, NULL), *error = redis_reply_error(reply);
    if (!reply) return;
    if (error && c->config.shy && !c->asked_for_password && !strncmp(error, "NOAUTH", 6)) {
        c->asked_for_password = true;
        redis_conn_go_down(c, "asks for a password");
        return;
    }
    if (error) {
        redis_conn_refuse_greeting(c, error);
        return;
    }
    if (!info || !info_field(info, "run_id", c->server.run_id, sizeof c->server.run_id)) {
        redis_conn_go_down(c, "gives no run id");
        return;
    }
    info_field(info, "redis_version", text, sizeof text);
    if (strtol(text, NULL, 10) < OLDEST_MAJOR) {
        redis_conn_go_down(c, "is older than 7.0");
        return;
    }
    c->server.clock_ms = info_field(info, "server_time_usec", text, sizeof text)
                             ? strtoll(text, NULL, 10) / 1000
                             : clock_wall_ms();
    c->state = CONN_UP;
    c->logged_why[0] = 0;
    c->up_ms = loop_now_ms(c->loop);
    loop_timer_start(c->loop, &c->timer, REDIS_CONN_CUT_MS);
    c->config.on_up(c->config.arg, &c->server);
}

static void redis_conn_greet(struct redis_conn *c) {
    char db[16];
    const struct redis_url *u = c->url;
    c->state = CONN_GREETING;
    bool says_password = *u->password && (!c->config.shy || c->asked_for_password);
    loop_timer_start(c->loop, &c->timer, REDIS_CONN_GREETING_MS);
    if (says_password && *u->user)
        redis_conn_greet_with(c, on_greeted, 3, (const char *const[]){"AUTH", u->user, u->password});
    else if (says_password)
        redis_conn_greet_with(c, on_greeted, 2, (const char *const[]){"AUTH", u->password});
    if (u->db && !c->config.shy) {
        snprintf(db, sizeof db, "%d", u->db);
        redis_conn_greet_with(c, on_greeted, 2, (const char *const[]){"SELECT", db});
    }
    redis_conn_greet_with(c, NULL, 3, (const char *const[]){"CLIENT", "SETNAME", c->config.name});
    if (c->config.primary_only)
        redis_conn_greet_with(c, on_role, 2, (const char *const[]){"INFO", "replication"});
    redis_conn_greet_with(c, on_info, 2, (const char *const[]){"INFO", "server"});
}

// Receiving

static void redis_conn_receive(struct redis_conn *c, const char *bytes, size_t len) {
    c->received_ms = loop_now_ms(c->loop);
    switch (redis_replies_feed(&c->replies, bytes, len)) {
    case REDIS_REPLIES_OK: break;
    case REDIS_REPLIES_MALFORMED: redis_conn_go_down(c, "does not speak its protocol"); break;
    case REDIS_REPLIES_UNASKED: redis_conn_go_down(c, "sent an unexpected reply"); break;
    }
}

static void redis_conn_read_some(struct redis_conn *c) {
    char bytes[READ_BYTES];
    ssize_t n = stream_read(&c->stream, bytes, sizeof bytes);
    if (n > 0)
        redis_conn_receive(c, bytes, (size_t)n);
    else if (n != -EAGAIN)
        redis_conn_go_down(c, "has closed the connection");
}

// A callback may end the connection, which is then neither readable nor in one of the two states.
static void redis_conn_read(struct redis_conn *c) {
    for (int i = 0; i < READS_A_TURN && c->stream.readable; i++) {
        if (c->state != CONN_GREETING && c->state != CONN_UP) return;
        redis_conn_read_some(c);
    }
    if (c->stream.readable) stream_ready_again(&c->stream);
}

static void on_redis_conn_stream(struct stream *s) {
    struct redis_conn *c = container_of(s, struct redis_conn, stream);
    if (s->error == -EINPROGRESS) return;
    if (s->error) {
        redis_conn_refuse_stream(c);
        return;
    }
    if (c->state == CONN_CONNECTING) redis_conn_greet(c);
    redis_conn_flush(c);
    redis_conn_read(c);
}

// Connecting

static const char *why_not(int error, const char *otherwise) {
    return error == -EMFILE || error == -ENFILE ? "cannot be reached: no file descriptor is left" : otherwise;
}

// Returns false if it is not known yet where to connect to.
static bool redis_conn_find(struct redis_conn *c) {
    const char *why;
    if (!c->config.find || c->config.find(c->config.find_arg, &c->place, &why)) return true;
    c->place.port = 0;
    snprintf(c->why, sizeof c->why, "%s", why);
    return false;
}

static void redis_conn_begin(struct redis_conn *c) {
    struct resolver_addresses found;
    loop_timer_start(c->loop, &c->timer, REDIS_CONN_GREETING_MS);
    c->state = CONN_RESOLVING;
    if (!redis_conn_find(c)) return;
    int error = resolver_get(c->resolver, c->place.host, &found);
    if (error == -EINPROGRESS) return;
    if (error) {
        redis_conn_go_down(c, why_not(error, "has no address"));
        return;
    }
    union address *to = &found.at[c->attempt++ % found.count];
    address_set_port(to, c->place.port);
    c->state = CONN_CONNECTING;
    const struct redis_config *transports = c->config.transports;
    if (transports && transports->transport)
        c->stream.ops = transports->transport(transports->tls, c->place.host);
    error = stream_connect(&c->stream, to);
    if (error)
        redis_conn_go_down(c, why_not(error, "cannot be reached"));
    else
        stream_set_keepalive(&c->stream, 0, 0);
}

void redis_conn_resolved(struct redis_conn *c) {
    if (c->state == CONN_RESOLVING) redis_conn_begin(c);
}

void redis_conn_look(struct redis_conn *c) {
    struct redis_place place;
    const char *why;
    bool is_moved = c->config.find(c->config.find_arg, &place, &why) && !redis_place_is(&place, &c->place);
    if (is_moved && c->state == CONN_UP) redis_conn_cut(c, "is not the primary any more");
    if (is_moved && c->state > CONN_RESOLVING && c->state < CONN_UP)
        redis_conn_go_down(c, "is not the primary any more");
    c->delay_ms = 0;
    if (c->state <= CONN_RESOLVING) loop_timer_start(c->loop, &c->timer, 0);
}

const struct redis_place *redis_conn_place(const struct redis_conn *c) {
    return &c->place;
}

static void redis_conn_check_silence(struct redis_conn *c) {
    int64_t left = REDIS_CONN_CUT_MS;
    if (c->replies.count) left = c->received_ms + REDIS_CONN_CUT_MS - loop_now_ms(c->loop);
    if (left <= 0)
        redis_conn_go_down(c, "does not answer");
    else
        loop_timer_start(c->loop, &c->timer, left);
}

static void on_redis_conn_timer(struct loop_timer *t) {
    struct redis_conn *c = container_of(t, struct redis_conn, timer);
    switch (c->state) {
    case CONN_WAITING: redis_conn_begin(c); break;
    case CONN_RESOLVING:
        if (c->place.port)
            redis_conn_go_down(c, "has no address yet");
        else
            redis_conn_begin(c);
        break;
    case CONN_CONNECTING: redis_conn_go_down(c, redis_conn_unreached(c)); break;
    case CONN_GREETING: redis_conn_go_down(c, "does not answer"); break;
    case CONN_UP: redis_conn_check_silence(c); break;
    case CONN_CUT: break;
    }
}

// Ending

// Ends the connection, which was in `state`; `why` is set.
static void redis_conn_end(struct redis_conn *c, enum redis_conn_state state) {
    if (state >= CONN_CONNECTING) resolver_forget(c->resolver, c->place.host); // it may have moved
    c->state = CONN_WAITING;
    stream_close(&c->stream);
    buf_clear(&c->out);
    redis_replies_forget(&c->replies);
    c->delay_ms = c->delay_ms ? 2 * c->delay_ms : FIRST_DELAY_MS;
    if (c->delay_ms > LAST_DELAY_MS) c->delay_ms = LAST_DELAY_MS;
    loop_timer_start(c->loop, &c->timer, c->delay_ms / 2 + (int)(hash_random() % (uint64_t)c->delay_ms));
    redis_replies_fail(&c->replies);
    if (state == CONN_UP) c->config.on_down(c->config.arg, c->why);
}

static void redis_conn_go_down(struct redis_conn *c, const char *why) {
    if (c->state == CONN_UP) c->delay_ms = 0;
    redis_conn_set_why(c, why);
    redis_conn_end(c, c->state);
}

void redis_conn_cut(struct redis_conn *c, const char *why) {
    if (c->state != CONN_UP) return;
    // A server that greets well and is of no use (a replica, one that still loads) is not tried all the time.
    if (loop_now_ms(c->loop) - c->up_ms >= STEADY_MS) c->delay_ms = 0;
    redis_conn_set_why(c, why);
    c->state = CONN_CUT;
    redis_replies_forget(&c->replies);
    redis_conn_at_turn_end(c);
}

struct redis_conn *redis_conn_new(struct loop *loop, struct resolver *resolver, const struct redis_url *url,
                                  const struct redis_conn_config *config) {
    struct redis_conn *c = mem_zalloc(sizeof *c);
    c->loop = loop;
    c->resolver = resolver;
    c->url = url;
    c->config = *config;
    c->place = config->place;
    stream_init(&c->stream, &stream_tcp, loop, on_redis_conn_stream);
    c->timer.on_due = on_redis_conn_timer;
    c->turn_end.run = on_redis_conn_turn_end;
    redis_replies_init(&c->replies, config->on_message, config->arg);
    redis_conn_set_why(c, "has not been reached yet");
    loop_timer_start(loop, &c->timer, 0);
    return c;
}

static void on_redis_conn_reap(struct loop_job *job) {
    struct redis_conn *c = container_of(job, struct redis_conn, reap);
    redis_replies_release(&c->replies);
    buf_release(&c->out);
    free(c);
}

void redis_conn_free(struct redis_conn *c) {
    if (!c) return;
    c->state = CONN_WAITING; // on_down() is for those that go on
    redis_conn_go_down(c, "is not needed any more");
    loop_timer_stop(c->loop, &c->timer);
    c->reap.run = on_redis_conn_reap;
    loop_defer(c->loop, &c->reap);
}

bool redis_conn_is_up(const struct redis_conn *c) {
    return c->state == CONN_UP;
}

bool redis_conn_is_silent(const struct redis_conn *c) {
    return c->state == CONN_UP && c->replies.count &&
           loop_now_ms(c->loop) - c->received_ms >= REDIS_CONN_SILENCE_MS;
}

bool redis_conn_accepts(const struct redis_conn *c) {
    return c->state == CONN_UP && !redis_conn_is_silent(c);
}

const char *redis_conn_why(const struct redis_conn *c) {
    return c->why;
}

int64_t redis_conn_received_ms(const struct redis_conn *c) {
    return c->received_ms;
}

void redis_conn_drain(struct redis_conn *c, int timeout_ms) {
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    redis_conn_flush(c);
    while (c->state == CONN_UP && (c->replies.count || c->out.len)) {
        int64_t left = end_ms - clock_monotonic_ms();
        if (left <= 0) return;
        if (c->stream.readable)
            redis_conn_read(c);
        else if (!stream_wait(&c->stream, (int)left))
            return;
    }
}
