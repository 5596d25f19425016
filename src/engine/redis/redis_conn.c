// States: WAITING for the next attempt, RESOLVING the name, CONNECTING, GREETING, UP. go_down() is the one
// place where a connection ends, whatever the state; it leads back to WAITING. One timer serves all states.
#include "redis_conn.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "redis_refusal.h"
#include "redis_reply.h"
#include "redis_url.h"
#include "net/resolver.h"
#include "net/loop.h"
#include "net/sock.h"

enum {
    FIRST_DELAY_MS = 20,
    LAST_DELAY_MS = 500,
    STEADY_MS = 1000,
    READ_BYTES = 1 << 16,
    READS_A_TURN = 16,
    OLDEST_MAJOR = 7
};

struct owed {
    redis_reply_cb *cb; // NULL: nobody cares
    void *arg;
};

struct redis_conn {
    struct loop *loop;
    struct resolver *resolver;
    const struct redis_url *url;
    struct redis_conn_config config;
    enum { CONN_WAITING, CONN_RESOLVING, CONN_CONNECTING, CONN_GREETING, CONN_UP } state;
    struct loop_fd socket;
    struct loop_timer timer;
    struct loop_job flush; // at the turn's end
    struct loop_job reap;  // behind it
    bool flush_queued, want_write;
    struct buf out;
    redisReader *reader;
    struct owed *owed; // a ring, oldest at `owed_first`
    size_t owed_first, owed_count, owed_size;
    int64_t heard_ms; // or began to wait for an answer
    int64_t up_ms;    // since when it is up
    int delay_ms;
    bool useless;     // cut soon after it was up
    unsigned attempt; // which of the name's addresses
    uint64_t life;    // grows with each cut: whoever walks through replies sees that they are over
    struct redis_server server;
    char why[REDIS_CONN_WHY_SIZE];
    char told[REDIS_CONN_WHY_SIZE]; // why the greeting was refused, in the log
};

static void go_down(struct redis_conn *c, const char *why);

static void set_why(struct redis_conn *c, const char *what) {
    snprintf(c->why, sizeof c->why, "Redis at %.100s:%d %.120s.", c->url->host, c->url->port, what);
}

// Replies that are owed

static void owe(struct redis_conn *c, redis_reply_cb *cb, void *arg) {
    if (c->owed_count == c->owed_size) {
        size_t size = c->owed_size ? 2 * c->owed_size : 64;
        struct owed *ring = mem_alloc(size * sizeof *ring);
        for (size_t i = 0; i < c->owed_count; i++) ring[i] = c->owed[(c->owed_first + i) % c->owed_size];
        free(c->owed);
        c->owed = ring;
        c->owed_first = 0;
        c->owed_size = size;
    }
    if (!c->owed_count) c->heard_ms = loop_now_ms(c->loop);
    c->owed[(c->owed_first + c->owed_count++) % c->owed_size] = (struct owed){cb, arg};
}

static void pay(struct redis_conn *c, const redisReply *reply) {
    struct owed o = c->owed[c->owed_first];
    c->owed_first = (c->owed_first + 1) % c->owed_size;
    c->owed_count--;
    if (o.cb) o.cb(o.arg, reply);
}

// Sending

static void watch_writable(struct redis_conn *c, bool want) {
    if (c->want_write == want) return;
    c->want_write = want;
    loop_fd_change(c->loop, &c->socket, EPOLLIN | (want ? (uint32_t)EPOLLOUT : 0));
}

static void flush(struct redis_conn *c) {
    if (c->socket.fd < 0 || c->state < CONN_GREETING) return;
    size_t done = 0;
    while (done < c->out.len) {
        ssize_t n = sock_write(c->socket.fd, c->out.data + done, c->out.len - done);
        if (n < 0 && n != -EAGAIN) {
            go_down(c, "has closed the connection");
            return;
        }
        if (n < 0) break;
        done += (size_t)n;
    }
    buf_consume(&c->out, done);
    watch_writable(c, c->out.len > 0);
}

static void on_flush(struct loop_job *job) {
    struct redis_conn *c = container_of(job, struct redis_conn, flush);
    c->flush_queued = false;
    if (!c->want_write) flush(c);
}

static void send_command(struct redis_conn *c, int argc, const char *const *argv, const size_t *lens) {
    char *framed;
    long long len = redisFormatCommandArgv(&framed, argc, (const char **)argv, lens);
    if (len < 0) mem_abort("a Redis command");
    buf_add(&c->out, framed, (size_t)len);
    redisFreeCommand(framed);
    if (c->flush_queued) return;
    c->flush_queued = true;
    loop_defer(c->loop, &c->flush);
}

void redis_conn_send(struct redis_conn *c, int argc, const char *const *argv, const size_t *lens,
                     redis_reply_cb *cb, void *arg) {
    assert(c->state == CONN_UP);
    send_command(c, argc, argv, lens);
    if (!c->config.on_message) owe(c, cb, arg);
}

// Greeting

static void greet_with(struct redis_conn *c, redis_reply_cb *cb, int argc, const char *const *argv) {
    send_command(c, argc, argv, NULL);
    owe(c, cb, c);
}

static void refuse_greeting(struct redis_conn *c, const char *error) {
    char what[120];
    redis_refusal_clause(error, what, sizeof what);
    go_down(c, what);
    if (!strcmp(c->told, c->why)) return;
    memcpy(c->told, c->why, sizeof c->told);
    log_warn("engine", "redis_refuses", "connection=%s why=\"%s\"", c->config.name, c->why);
}

static void on_greeted(void *arg, const redisReply *reply) {
    const char *error = redis_reply_error(reply);
    if (error) refuse_greeting(arg, error);
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
    if (error) {
        refuse_greeting(c, error);
        return;
    }
    if (!info || !info_field(info, "run_id", c->server.run_id, sizeof c->server.run_id)) {
        go_down(c, "gives no run id");
        return;
    }
    info_field(info, "redis_version", text, sizeof text);
    if (strtol(text, NULL, 10) < OLDEST_MAJOR) {
        go_down(c, "is older than 7.0");
        return;
    }
    c->server.clock_ms = info_field(info, "server_time_usec", text, sizeof text)
                             ? strtoll(text, NULL, 10) / 1000
                             : clock_wall_ms();
    c->state = CONN_UP;
    c->told[0] = 0;
    c->up_ms = loop_now_ms(c->loop);
    loop_timer_start(c->loop, &c->timer, REDIS_CONN_CUT_MS);
    c->config.on_up(c->config.arg, &c->server);
}

static void greet(struct redis_conn *c) {
    char db[16];
    const struct redis_url *u = c->url;
    c->state = CONN_GREETING;
    loop_timer_start(c->loop, &c->timer, REDIS_CONN_GREETING_MS);
    if (*u->password && *u->user)
        greet_with(c, on_greeted, 3, (const char *const[]){"AUTH", u->user, u->password});
    else if (*u->password)
        greet_with(c, on_greeted, 2, (const char *const[]){"AUTH", u->password});
    if (u->db) {
        snprintf(db, sizeof db, "%d", u->db);
        greet_with(c, on_greeted, 2, (const char *const[]){"SELECT", db});
    }
    greet_with(c, NULL, 3, (const char *const[]){"CLIENT", "SETNAME", c->config.name});
    greet_with(c, on_info, 2, (const char *const[]){"INFO", "server"});
}

// Receiving

static void take_reply(struct redis_conn *c, const redisReply *reply) {
    if (c->owed_count)
        pay(c, reply);
    else if (c->config.on_message)
        c->config.on_message(c->config.arg, reply);
    else
        go_down(c, "sends what nobody asked for");
}

static void take_replies(struct redis_conn *c) {
    uint64_t life = c->life;
    void *reply;
    while (life == c->life) {
        if (redisReaderGetReply(c->reader, &reply) != REDIS_OK) {
            go_down(c, "does not speak its protocol");
            return;
        }
        if (!reply) return;
        take_reply(c, reply);
        freeReplyObject(reply);
    }
}

// Returns whether there may be more.
static bool read_some(struct redis_conn *c) {
    char bytes[READ_BYTES];
    ssize_t n = sock_read(c->socket.fd, bytes, sizeof bytes);
    if (n == -EAGAIN) return false;
    if (n <= 0) {
        go_down(c, "has closed the connection");
        return false;
    }
    c->heard_ms = loop_now_ms(c->loop);
    if (redisReaderFeed(c->reader, bytes, (size_t)n) != REDIS_OK) {
        go_down(c, "does not speak its protocol");
        return false;
    }
    take_replies(c);
    return n == sizeof bytes;
}

static void on_connected(struct redis_conn *c) {
    if (sock_error(c->socket.fd)) {
        go_down(c, "cannot be reached");
        return;
    }
    watch_writable(c, false);
    greet(c);
}

static void on_socket(struct loop_fd *f, uint32_t events) {
    struct redis_conn *c = container_of(f, struct redis_conn, socket);
    uint64_t life = c->life;
    if (c->state == CONN_CONNECTING) {
        on_connected(c);
        return;
    }
    if (events & EPOLLOUT) flush(c);
    for (int i = 0; i < READS_A_TURN && life == c->life; i++)
        if (!read_some(c)) break;
}

// Connecting

static int open_socket(struct redis_conn *c, union address *to) {
    address_set_port(to, c->url->port);
    int fd = sock_connect(to, NULL);
    if (fd >= 0) sock_set_keepalive(fd, 0, 0);
    return fd;
}

static const char *why_not(int error, const char *otherwise) {
    return error == -EMFILE || error == -ENFILE ? "cannot be reached: no file descriptor is left" : otherwise;
}

static void begin(struct redis_conn *c) {
    struct resolver_addresses found;
    loop_timer_start(c->loop, &c->timer, REDIS_CONN_GREETING_MS);
    c->state = CONN_RESOLVING;
    int error = resolver_get(c->resolver, c->url->host, &found);
    if (error == -EINPROGRESS) return;
    if (error) {
        go_down(c, why_not(error, "has no address"));
        return;
    }
    int fd = open_socket(c, &found.at[c->attempt++ % found.count]);
    if (fd < 0) {
        go_down(c, why_not(fd, "cannot be reached"));
        return;
    }
    c->state = CONN_CONNECTING;
    c->want_write = true;
    if (loop_fd_add(c->loop, &c->socket, fd, EPOLLIN | EPOLLOUT) == 0) return;
    sock_close(fd);
    go_down(c, "cannot be reached");
}

void redis_conn_resolved(struct redis_conn *c) {
    if (c->state == CONN_RESOLVING) begin(c);
}

static void check_silence(struct redis_conn *c) {
    int64_t left = REDIS_CONN_CUT_MS;
    if (c->owed_count) left = c->heard_ms + REDIS_CONN_CUT_MS - loop_now_ms(c->loop);
    if (left <= 0)
        go_down(c, "does not answer");
    else
        loop_timer_start(c->loop, &c->timer, left);
}

static void on_timer(struct loop_timer *t) {
    struct redis_conn *c = container_of(t, struct redis_conn, timer);
    switch (c->state) {
    case CONN_WAITING: begin(c); break;
    case CONN_RESOLVING: go_down(c, "has no address yet"); break;
    case CONN_CONNECTING: go_down(c, "cannot be reached"); break;
    case CONN_GREETING: go_down(c, "does not answer"); break;
    case CONN_UP: check_silence(c); break;
    }
}

// Ending

static void close_socket(struct redis_conn *c) {
    int fd = c->socket.fd;
    if (fd >= 0) {
        loop_fd_remove(c->loop, &c->socket);
        sock_close(fd);
    }
    c->socket.fd = -1;
    c->want_write = false;
    buf_clear(&c->out);
}

// What of the old life was read but not taken is forgotten. (take_replies() may be under way; it looks at
// `life` before it touches the reader again.)
static void renew_reader(struct redis_conn *c) {
    if (c->reader) redisReaderFree(c->reader);
    c->reader = redisReaderCreate();
    if (!c->reader) mem_abort("a Redis reader");
}

static void go_down(struct redis_conn *c, const char *why) {
    bool was_up = c->state == CONN_UP;
    if (was_up && !c->useless) c->delay_ms = 0;
    if (c->state >= CONN_CONNECTING) resolver_forget(c->resolver, c->url->host); // it may have moved
    c->useless = false;
    set_why(c, why);
    c->state = CONN_WAITING;
    c->life++;
    close_socket(c);
    renew_reader(c);
    c->delay_ms = c->delay_ms ? 2 * c->delay_ms : FIRST_DELAY_MS;
    if (c->delay_ms > LAST_DELAY_MS) c->delay_ms = LAST_DELAY_MS;
    loop_timer_start(c->loop, &c->timer, c->delay_ms / 2 + (int)(hash_random() % (uint64_t)c->delay_ms));
    for (size_t n = c->owed_count; n; n--) pay(c, NULL);
    if (was_up) c->config.on_down(c->config.arg, c->why);
}

void redis_conn_cut(struct redis_conn *c, const char *why) {
    if (c->state != CONN_UP) return;
    // A server that greets well and is of no use (a replica, one that still loads) is not tried all the time.
    c->useless = loop_now_ms(c->loop) - c->up_ms < STEADY_MS;
    go_down(c, why);
}

struct redis_conn *redis_conn_new(struct loop *loop, struct resolver *resolver, const struct redis_url *url,
                                  const struct redis_conn_config *config) {
    struct redis_conn *c = mem_zalloc(sizeof *c);
    c->loop = loop;
    c->resolver = resolver;
    c->url = url;
    c->config = *config;
    c->socket = (struct loop_fd){.fd = -1, .on_event = on_socket};
    c->timer.on_due = on_timer;
    c->flush.run = on_flush;
    renew_reader(c);
    set_why(c, "has not been reached yet");
    loop_timer_start(loop, &c->timer, 0);
    return c;
}

static void on_reap(struct loop_job *job) {
    struct redis_conn *c = container_of(job, struct redis_conn, reap);
    redisReaderFree(c->reader);
    buf_release(&c->out);
    free(c->owed);
    free(c);
}

void redis_conn_free(struct redis_conn *c) {
    if (!c) return;
    c->state = CONN_WAITING; // on_down() is for those who go on
    go_down(c, "is not needed any more");
    loop_timer_stop(c->loop, &c->timer);
    c->reap.run = on_reap;
    loop_defer(c->loop, &c->reap);
}

bool redis_conn_is_up(const struct redis_conn *c) {
    return c->state == CONN_UP;
}

bool redis_conn_is_silent(const struct redis_conn *c) {
    return c->state == CONN_UP && c->owed_count &&
           loop_now_ms(c->loop) - c->heard_ms >= REDIS_CONN_SILENCE_MS;
}

const char *redis_conn_why(const struct redis_conn *c) {
    return c->why;
}

int64_t redis_conn_heard_ms(const struct redis_conn *c) {
    return c->heard_ms;
}

void redis_conn_drain(struct redis_conn *c, int timeout_ms) {
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    uint64_t life = c->life;
    flush(c);
    while (life == c->life && c->state == CONN_UP && (c->owed_count || c->out.len)) {
        int64_t left = end_ms - clock_monotonic_ms();
        if (left <= 0) return;
        int ready = sock_wait(c->socket.fd, POLLIN | (c->out.len ? POLLOUT : 0), (int)left);
        if (!ready) return;
        if (ready & POLLOUT) flush(c);
        if (ready & ~POLLOUT && life == c->life) read_some(c);
    }
}
