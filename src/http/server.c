#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/map.h"
#include "net/address.h"
#include "net/sock.h"
#include "conn.h"

enum { ACCEPTS_PER_TURN = 256, COMPLAIN_EVERY_MS = 10000, SLOW_MS = 1000 };

static struct http_server *servers; // all of the process; used by one thread

static void watch_listeners(struct http_server *s, uint32_t events) {
    for (int i = 0; i < s->listener_count; i++) loop_fd_change(s->loop, &s->listeners[i].watch, events);
}

// Logged by the next sweep, which has figures.
static void note_crowded(struct http_server *s, const char *event) {
    s->crowded = event;
}

static void tell_crowded(struct http_server *s, int64_t now) {
    struct rlimit limit = {0};
    if (!s->crowded || now < s->tell_ms) return;
    getrlimit(RLIMIT_NOFILE, &limit);
    log_warn(s->config.role, s->crowded,
             "connections=%u idle_closed=%llu ulimit=%llu action=\"%s; raise %s\"", s->count,
             (unsigned long long)(s->closed_for_room - s->closed_told), (unsigned long long)limit.rlim_cur,
             s->paused ? "accepting again when one closes" : "closing idle and slow connections for new ones",
             strcmp(s->crowded, "out_of_descriptors") == 0 ? "ulimit -n" : "--max-connections");
    s->closed_told = s->closed_for_room;
    s->crowded = NULL;
    s->tell_ms = now + COMPLAIN_EVERY_MS;
}

static void pause_accepting(struct http_server *s) {
    s->paused = true;
    watch_listeners(s, 0);
}

static void resume_accepting(struct http_server *s) {
    if (!s->paused) return;
    s->paused = false;
    watch_listeners(s, EPOLLIN);
}

// A kept-alive connection without a request, and without any of an answer left to send, is the cheapest thing
// to lose.
static bool is_idle(const struct http_conn *c) {
    if (c->state != CONN_IDLE || c->out.len || c->in.len) return false;
    return sock_unread(c->watch.fd) == 0;
}

static bool close_an_idle_one(struct http_server *s, int64_t before_ms) {
    struct http_conn *c;
    DL_FOREACH(s->conns, c) {
        if (c->idle_ms <= before_ms && is_idle(c)) {
            s->closed_for_room++;
            http_conn_close(c);
            return true;
        }
    }
    return false;
}

// Next come connections that have been sending a request, or reading an answer, for longer than an honest
// client needs.
static bool drop_a_slow_one(struct http_server *s, int64_t before_ms) {
    for (struct http_hold *h = http_memory_oldest(); h && h->since_ms <= before_ms; h = h->next) {
        struct http_conn *c = container_of(h, struct http_conn, hold);
        if (c->server != s) continue;
        s->closed_for_room++;
        http_conn_drop(c);
        if (c->state != CONN_CLOSED) http_conn_close(c);
        return true;
    }
    return false;
}

static bool close_a_lasting_one(struct http_server *s) {
    int64_t before_ms = loop_now_ms(s->loop) - SLOW_MS;
    return close_an_idle_one(s, before_ms) || drop_a_slow_one(s, before_ms);
}

// A connection that has just come has not had the time to send its request, and one that is used again and
// again is idle for moments only: these go last.
static bool make_room(struct http_server *s) {
    return close_a_lasting_one(s) || close_an_idle_one(s, loop_now_ms(s->loop));
}

// Descriptors are the process's: a port that holds more connections than this one gives one up that it does
// not use, so that a crowd at one port does not silence the others.
static bool make_room_elsewhere(const struct http_server *s) {
    struct http_server *other;
    DL_FOREACH(servers, other) {
        if (other->loop == s->loop && other->count > s->count && close_a_lasting_one(other)) return true;
    }
    return false;
}

void http_server_tell_dropped(struct http_server *s) {
    int64_t now = loop_now_ms(s->loop);
    if (s->told_dropped_ms && now - s->told_dropped_ms < COMPLAIN_EVERY_MS) return;
    s->told_dropped_ms = now;
    log_warn(s->config.role, "slow_requests_dropped",
             "dropped_so_far=%llu why=\"their memory or place was needed\"", (unsigned long long)s->dropped);
}

// Somebody waits to be accepted for certain only at the first of a turn; so only then room is made.
static void on_listener(struct loop_fd *f, uint32_t events) {
    (void)events;
    struct http_server *s = container_of(f, struct http_listener, watch)->server;
    for (int i = 0; i < ACCEPTS_PER_TURN && !s->paused; i++) {
        bool full = s->count >= s->config.max_connections;
        if (full && i) return;
        if (full) {
            note_crowded(s, "too_many_connections");
            if (!make_room(s)) pause_accepting(s);
            if (s->paused) return;
        }
        union address peer;
        int fd = sock_accept(f->fd, &peer);
        if (fd >= 0) {
            http_conn_new(s, fd, &peer);
        } else if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
            if (i) return; // said also if nobody waits
            note_crowded(s, "out_of_descriptors");
            if (!make_room(s) && !make_room_elsewhere(s)) pause_accepting(s);
        } else if (fd != -ECONNABORTED) {
            return; // EAGAIN: taken all
        }
    }
}

static int sweep_every_ms(const struct http_server *s) {
    int shortest = s->config.header_timeout_ms;
    if (s->config.body_timeout_ms < shortest) shortest = s->config.body_timeout_ms;
    return shortest < 1000 ? shortest / 4 + 1 : 250;
}

static void on_sweep(struct loop_timer *t) {
    struct http_server *s = container_of(t, struct http_server, sweep);
    int64_t now = loop_now_ms(s->loop);
    struct http_conn *c, *next;
    DL_FOREACH_SAFE(s->conns, c, next) {
        if (c->deadline_ms && c->deadline_ms <= now) http_conn_expire(c);
    }
    tell_crowded(s, now);
    resume_accepting(s); // a descriptor may have come free elsewhere
    loop_timer_start(s->loop, t, sweep_every_ms(s));
}

static void close_listeners(struct http_server *s) {
    for (int i = 0; i < s->listener_count; i++) {
        int fd = s->listeners[i].watch.fd;
        loop_fd_remove(s->loop, &s->listeners[i].watch);
        if (fd >= 0) sock_close(fd);
    }
}

// Takes the descriptors over. Returns 0 or a negative errno, and then they are closed.
static int add_listeners(struct http_server *s, const int *fds, int count) {
    int error = 0;
    for (int i = 0; i < count; i++) {
        struct http_listener *l = &s->listeners[s->listener_count++];
        *l = (struct http_listener){.watch = {.fd = -1, .on_event = on_listener}, .server = s};
        if (!error) error = loop_fd_add(s->loop, &l->watch, fds[i], s->config.held ? 0 : EPOLLIN);
        if (error) sock_close(fds[i]);
    }
    if (error) close_listeners(s);
    return error;
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_config *config, int *error) {
    int fds[HTTP_LISTENERS], count = http_listen(config->bind, config->port, fds);
    *error = count < 0 ? count : 0;
    if (*error) return NULL;
    struct http_server *s = mem_zalloc(sizeof *s);
    s->loop = loop;
    s->config = *config;
    s->port = http_listen_port(fds[0]);
    s->sweep.on_due = on_sweep;
    http_turns_init(&s->turns, loop, http_conn_serve);
    *error = add_listeners(s, fds, count);
    if (*error) {
        free(s);
        return NULL;
    }
    loop_timer_start(loop, &s->sweep, sweep_every_ms(s));
    DL_APPEND(servers, s);
    return s;
}

void http_server_open(struct http_server *s) {
    watch_listeners(s, EPOLLIN);
}

void http_server_set_arg(struct http_server *s, void *arg) {
    s->config.arg = arg;
}

uint64_t http_server_closed_for_room(const struct http_request *r) {
    return http_conn_of((struct http_request *)r)->server->closed_for_room;
}

int http_server_port(const struct http_server *s) {
    return s->port;
}

static void on_idle_turns(struct http_turns *t) {
    free(container_of(t, struct http_server, turns));
}

void http_server_free(struct http_server *s) {
    if (!s) return;
    DL_DELETE(servers, s);
    close_listeners(s);
    loop_timer_stop(s->loop, &s->sweep);
    struct http_conn *c, *next;
    DL_FOREACH_SAFE(s->conns, c, next) http_conn_close(c);
    http_turns_stop(&s->turns, on_idle_turns);
}

// Called by a connection that has lost its socket or was taken over.
void http_server_forget(struct http_server *s, struct http_conn *c) {
    DL_DELETE(s->conns, c);
    s->count--;
    resume_accepting(s);
}

const char *http_server_common_headers(struct http_server *s) {
    int64_t now = clock_wall_ms();
    if (now / 1000 != s->common_second) {
        char date[CLOCK_HTTP_DATE_SIZE];
        clock_http_date(now, date);
        snprintf(s->common, sizeof s->common, "Date: %s\r\n%s", date, http_cors_headers);
        s->common_second = now / 1000;
    }
    return s->common;
}
