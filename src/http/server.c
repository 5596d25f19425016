#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/uthash.h"
#include "base/mem.h"
#include "base/process_wide.h"
#include "net/address.h"
#include "net/address_limits.h"
#include "net/networks.h"
#include "net/sock.h"
#include "net/stream.h"
#include "conn.h"
#include "eviction.h"
#include "h1_conn.h"
#include "limit.h"
#include "listen.h"
#include "proxied.h"

struct http_listener {
    struct loop_fd watch;
    struct http_server *server;
    bool is_proxied; // its peers send the header of a proxy first
    char *path;      // of a unix socket, or NULL
};

struct http_server {
    struct http_host host;
    struct http_server *prev, *next; // in the list of all
    struct loop *loop;
    struct http_server_config config;
    struct http_listener listeners[HTTP_LISTENERS + HTTP_LISTENERS_MORE];
    int listener_count;
    int port;
    bool paused;             // not accepting: too many connections, or out of descriptors
    const char *crowded;     // the event to be logged; NULL: none
    int64_t crowded_ms;      // since when
    uint64_t warned_closed;  // of the connections closed for room
    uint64_t warned_dropped; // of those dropped
    int64_t warn_crowded_ms; // not before
    int64_t warn_dropped_ms; // not before
    struct http_conn *conns;
    uint64_t middle; // of a crowd (eviction.h); 0: there was none
    struct loop_timer sweep, retry;
    int descriptors;           // the numbers from this one on are not for clients,
    int crowd_descriptors;     // and from this one on not for those of a port with FEW_CONNECTIONS and more
    int reserve[HTTP_RESERVE]; // descriptors held back for its own connections
    int reserved;
    int64_t refusing_second; // in which
    unsigned refusing;       // so many connections beyond a rate were admitted
};

enum {
    ACCEPTS_PER_TURN = 8,
    WARN_EVERY_MS = 10000,
    RETRY_MS = 20, // until a connection may have to make room that had not had its HTTP_GRACE_MS
    OWN_DESCRIPTORS = 16,
    FEW_DESCRIPTORS = 16,
    FEW_CONNECTIONS = 8,
    REFUSED_MS = 1000, // for the request of a connection beyond the rate
    REFUSED_PER_SECOND = 20
};

PROCESS_WIDE static struct http_server *servers; // all of the process; used by one thread
PROCESS_WIDE static int last_fd;                 // that one of them has accepted

static void server_watch(struct http_server *s, uint32_t events) {
    for (int i = 0; i < s->listener_count; i++) loop_fd_change(s->loop, &s->listeners[i].watch, events);
}

static void server_note_crowded(struct http_server *s, const char *event) {
    if (!s->crowded) s->crowded_ms = loop_now_ms(s->loop);
    s->crowded = event;
}

// In the sweep, once there are figures: what is closed has had its time before.
static void server_warn_crowded(struct http_server *s, int64_t now) {
    struct rlimit limit = {0};
    uint64_t closed = s->host.counters.connections_closed_for_room;
    if (!s->crowded || now < s->warn_crowded_ms || now - s->crowded_ms < 2 * HTTP_GRACE_MS) return;
    getrlimit(RLIMIT_NOFILE, &limit);
    log_warn(s->config.role, s->crowded,
             "connections=%llu idle_closed=%llu ulimit=%llu action=\"%s; raise %s\"",
             (unsigned long long)s->host.counters.connections_open,
             (unsigned long long)(closed - s->warned_closed), (unsigned long long)limit.rlim_cur,
             s->paused ? "accepting again when one closes" : "closing idle and slow connections for new ones",
             strcmp(s->crowded, "out_of_descriptors") == 0 ? "ulimit -n" : "--max-connections");
    s->warned_closed = closed;
    s->crowded = NULL;
    s->warn_crowded_ms = now + WARN_EVERY_MS;
}

static void server_pause(struct http_server *s) {
    s->paused = true;
    s->host.closes_from = s->middle;
    server_watch(s, 0);
    loop_timer_start(s->loop, &s->retry, RETRY_MS);
}

static void server_resume(struct http_server *s) {
    if (!s->paused) return;
    s->paused = false;
    s->host.closes_from = 0;
    loop_timer_stop(s->loop, &s->retry);
    server_watch(s, EPOLLIN);
}

static void server_on_retry(struct loop_timer *t) {
    server_resume(container_of(t, struct http_server, retry));
}

static void server_warn_dropped(struct http_server *s, int64_t now) {
    uint64_t dropped = s->host.counters.connections_dropped;
    if (dropped == s->warned_dropped || now < s->warn_dropped_ms) return;
    s->warned_dropped = dropped;
    s->warn_dropped_ms = now + WARN_EVERY_MS;
    log_warn(s->config.role, "slow_requests_dropped",
             "dropped_so_far=%llu why=\"their memory or place was needed\"", (unsigned long long)dropped);
}

// Closes one of a server's connections, if one may go, for a client of its own port or of another one.
static bool server_close_one(struct http_server *s, bool for_other_port) {
    struct http_conn *c = http_eviction_find(&s->conns, s->host.counters.connections_open, &s->host.scheduler,
                                             loop_now_ms(s->loop), for_other_port, &s->middle);
    if (!c) return false;
    s->host.counters.connections_closed_for_room++;
    if (!c->ops->is_idle(c)) c->ops->drop(c); // it is answered, if that is possible
    if (c->host) c->ops->close(c);
    return true;
}

// Descriptors belong to the process: a port with more connections than this one closes one that it does not
// need, so that a crowd at one port does not block the others.
static bool server_make_room_elsewhere(const struct http_server *s) {
    struct http_server *other;
    DL_FOREACH(servers, other) {
        bool has_more = other->host.counters.connections_open > s->host.counters.connections_open;
        if (other->loop == s->loop && has_more && server_close_one(other, true)) return true;
    }
    return false;
}

// A few descriptors are left for the process itself, which may have to reconnect to its store, and a few for
// ports without a crowd: their idle connections need not be closed for new ones.
static void server_read_limit(struct http_server *s) {
    struct rlimit limit;
    bool known = !getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < INT32_MAX;
    int most = known && !s->config.has_reserve ? (int)limit.rlim_cur : INT32_MAX, part = most / 16;
    s->descriptors = most - (part < OWN_DESCRIPTORS ? part : OWN_DESCRIPTORS);
    s->crowd_descriptors = s->descriptors - (part < FEW_DESCRIPTORS ? part : FEW_DESCRIPTORS);
}

static bool server_may_have(const struct http_server *s, int fd) {
    bool has_few = s->host.counters.connections_open < FEW_CONNECTIONS;
    return fd < (has_few ? s->descriptors : s->crowd_descriptors);
}

// Whether the next number would be one of those, so that the client has to wait.
static bool server_lacks_descriptor(struct http_server *s, int listener) {
    if (server_may_have(s, last_fd + 1)) return false;
    int fd = sock_duplicate(listener);
    if (fd < 0) return true;
    sock_close(fd);
    last_fd = fd - 1;
    return !server_may_have(s, fd);
}

static bool server_find_descriptor(struct http_server *s) {
    server_note_crowded(s, "out_of_descriptors");
    if (s->config.on_crowded) s->config.on_crowded(s->config.arg);
    if (server_make_room_elsewhere(s) || server_close_one(s, false)) return true;
    server_pause(s);
    return false;
}

// What a crowd elsewhere must not have. A place that was given away is taken back when it becomes free,
// before anything else can have it: nothing else runs on this thread then.
static void server_fill_reserve(struct http_server *s) {
    while (s->config.has_reserve && s->listener_count && s->reserved < HTTP_RESERVE) {
        int fd = sock_duplicate(s->listeners[0].watch.fd);
        if (fd < 0) return;
        s->reserve[s->reserved++] = fd;
    }
}

static void server_empty_reserve(struct http_server *s) {
    while (s->reserved) sock_close(s->reserve[--s->reserved]);
}

static void server_on_closed(struct http_host *host, struct http_conn *c) {
    struct http_server *s = container_of(host, struct http_server, host);
    DL_DELETE(s->conns, c);
    host->counters.connections_open--;
    address_limits_leave(c->counted);
    server_fill_reserve(s);
    server_resume(s);
}

// A connection beyond the rate of its address is reset, unless it is one of a few a second that are admitted
// to be told so.
static bool server_has_room_to_refuse(struct http_server *s) {
    int64_t second = loop_now_ms(s->loop) / 1000;
    if (second != s->refusing_second) s->refusing = 0;
    s->refusing_second = second;
    http_limit_count(HTTP_LIMITED_CONNECTS);
    return s->refusing < REFUSED_PER_SECOND;
}

static void server_note_crowding(struct http_server *s, struct http_conn *c) {
    s->refusing++;
    c->is_crowding = true;
    int64_t soon_ms = loop_now_ms(s->loop) + REFUSED_MS;
    if (c->deadline_ms > soon_ms) c->deadline_ms = soon_ms;
}

static void server_count(struct http_conn *c, address_key key) {
    c->counted = key;
    address_limits_enter(key);
}

// The client of a connection is known only once its proxy has sent the header.
static void server_on_origin(struct http_host *host, struct http_conn *c, const union address *origin) {
    struct http_server *s = container_of(host, struct http_server, host);
    address_key key = address_limits_key(origin);
    int64_t now_ms = loop_now_ms(s->loop);
    bool is_crowding = !address_limits_may_connect(key, now_ms), may_enter = address_limits_may_enter(key);
    if (!may_enter) http_limit_refuse_connection(origin, now_ms);
    if (!may_enter || (is_crowding && !server_has_room_to_refuse(s))) {
        c->ops->reset(c);
        return;
    }
    server_count(c, key);
    if (is_crowding) server_note_crowding(s, c);
}

static bool is_out_of_descriptors(int error) {
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

static int server_accept(struct http_server *s, int listener, union address *peer) {
    int fd = sock_accept(listener, peer);
    if (!is_out_of_descriptors(fd) || !s->reserved) return fd;
    sock_close(s->reserve[--s->reserved]);
    fd = sock_accept(listener, peer);
    if (fd < 0) server_fill_reserve(s);
    return fd;
}

// Refuses a peer that may not connect, and counts it. Returns whether the peer may, and sets whose connection
// it is, and *is_crowding.
static bool server_admit(struct http_server *s, const struct http_listener *l, const union address *peer,
                         address_key *key, bool *is_crowding) {
    int64_t now_ms = loop_now_ms(s->loop);
    const struct networks *trusted = s->config.trusted_proxies;
    if (l->is_proxied) {
        *is_crowding = false;
        *key = 0;
        if (l->path || (trusted && networks_contain(trusted, peer))) return true;
        http_proxied_refuse(&s->host.counters, HTTP_PROXIED_UNTRUSTED, peer, now_ms);
        return false;
    }
    *key = s->host.is_exempt ? 0 : address_limits_key(peer);
    *is_crowding = !address_limits_may_connect(*key, now_ms);
    if (!address_limits_may_enter(*key)) {
        http_limit_refuse_connection(peer, now_ms);
        return false;
    }
    return !*is_crowding || server_has_room_to_refuse(s);
}

// No connection is closed without need: a client is certainly waiting only for the first accept of a turn.
static bool server_has_client(const struct loop_fd *listener, int accepted) {
    return !accepted || sock_wait(listener->fd, EPOLLIN, 0);
}

static void server_on_listener(struct loop_fd *f, uint32_t events) {
    (void)events;
    const struct http_listener *l = container_of(f, struct http_listener, watch);
    struct http_server *s = l->server;
    for (int i = 0; i < ACCEPTS_PER_TURN && !s->paused; i++) {
        bool full = s->host.counters.connections_open >= s->config.max_connections;
        if (full) {
            if (!server_has_client(f, i)) return;
            server_note_crowded(s, "too_many_connections");
            if (!server_close_one(s, false)) server_pause(s);
            if (s->paused) return;
        }
        if (server_lacks_descriptor(s, f->fd) && (!server_has_client(f, i) || !server_find_descriptor(s)))
            return;
        union address peer;
        int fd = server_accept(s, f->fd, &peer);
        if (fd >= 0) {
            bool is_crowding;
            address_key key;
            last_fd = fd;
            if (!server_admit(s, l, &peer, &key, &is_crowding)) {
                sock_reset(fd);
                continue;
            }
            struct http_conn *c = h1_conn_new(&s->host, fd, &peer, l->is_proxied);
            if (!c) continue;
            server_count(c, key);
            if (is_crowding) server_note_crowding(s, c);
            DL_APPEND(s->conns, c);
            c->number = s->host.counters.connections_accepted++;
            s->host.counters.connections_open++;
        } else if (is_out_of_descriptors(fd)) {
            if (!server_has_client(f, i)) return; // it is reported even so
            server_find_descriptor(s);
        } else if (fd != -ECONNABORTED) {
            return; // EAGAIN: all accepted
        }
    }
}

static int server_sweep_ms(const struct http_server *s) {
    int shortest = s->config.header_timeout_ms;
    if (s->config.body_timeout_ms < shortest) shortest = s->config.body_timeout_ms;
    return shortest < 1000 ? shortest / 4 + 1 : 250;
}

static void server_on_sweep(struct loop_timer *t) {
    struct http_server *s = container_of(t, struct http_server, sweep);
    int64_t now = loop_now_ms(s->loop);
    struct http_conn *c, *next;
    DL_FOREACH_SAFE(s->conns, c, next) {
        if (c->deadline_ms && c->deadline_ms <= now) c->ops->expire(c);
    }
    server_warn_crowded(s, now);
    server_warn_dropped(s, now);
    server_read_limit(s);
    server_fill_reserve(s);
    loop_timer_start(s->loop, t, server_sweep_ms(s));
}

static void server_close_listeners(struct http_server *s) {
    server_empty_reserve(s);
    for (int i = 0; i < s->listener_count; i++) {
        struct http_listener *l = &s->listeners[i];
        int fd = l->watch.fd;
        loop_fd_remove(s->loop, &l->watch);
        if (fd >= 0) sock_close(fd);
        if (l->path) sock_remove_unix(l->path);
        free(l->path);
    }
}

// Takes the descriptors. Returns 0, or a negative errno, and then they are closed.
static int server_add_listeners(struct http_server *s, const int *fds, int count) {
    int error = 0;
    for (int i = 0; i < count; i++) {
        struct http_listener *l = &s->listeners[s->listener_count++];
        *l = (struct http_listener){.watch = {.fd = -1, .on_event = server_on_listener}, .server = s};
        if (!error) error = loop_fd_add(s->loop, &l->watch, fds[i], s->config.start_later ? 0 : EPOLLIN);
        if (error) sock_close(fds[i]);
    }
    if (error) server_close_listeners(s);
    return error;
}

static int64_t server_serve(struct http_task *t) {
    struct http_conn *c = container_of(t, struct http_conn, task);
    return c->ops->serve(c);
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_config *config, int *error) {
    int fds[HTTP_LISTENERS], count = config->bind ? http_listen(config->bind, config->port, fds) : 0;
    *error = count < 0 ? count : 0;
    if (*error) return NULL;
    struct http_server *s = mem_zalloc(sizeof *s);
    s->loop = loop;
    s->config = *config;
    s->port = count ? http_listen_port(fds[0]) : 0;
    s->sweep.on_due = server_on_sweep;
    s->retry.on_due = server_on_retry;
    server_read_limit(s);
    s->host = (struct http_host){
        .loop = loop,
        .transport = config->transport ? config->transport : &stream_tcp,
        .site = config->site,
        .trusted_proxies = config->trusted_proxies,
        .header_timeout_ms = config->header_timeout_ms,
        .body_timeout_ms = config->body_timeout_ms,
        .idle_timeout_ms = config->idle_timeout_ms,
        .is_exempt = config->has_reserve,
        .on_origin = server_on_origin,
        .on_closed = server_on_closed,
    };
    http_scheduler_init(&s->host.scheduler, loop, server_serve);
    *error = server_add_listeners(s, fds, count);
    if (*error) {
        free(s);
        return NULL;
    }
    server_fill_reserve(s);
    loop_timer_start(loop, &s->sweep, server_sweep_ms(s));
    DL_APPEND(servers, s);
    return s;
}

int http_server_listen(struct http_server *s, const char *at, unsigned mode, bool is_proxied) {
    if (s->listener_count == HTTP_LISTENERS + HTTP_LISTENERS_MORE) return -ENOSPC;
    const char *path = http_listen_path(at);
    int fd = http_listen_at(at, mode);
    if (fd < 0) return fd;
    struct http_listener *l = &s->listeners[s->listener_count++];
    *l = (struct http_listener){.watch = {.fd = -1, .on_event = server_on_listener},
                                .server = s,
                                .is_proxied = is_proxied,
                                .path = path ? mem_strdup(path) : NULL};
    int error = loop_fd_add(s->loop, &l->watch, fd, s->config.start_later ? 0 : EPOLLIN);
    if (error) sock_close(fd);
    return error;
}

void http_server_start(struct http_server *s) {
    server_watch(s, EPOLLIN);
}

void http_server_set_limits(struct http_server *s, int header_timeout_ms, int body_timeout_ms,
                            unsigned max_connections) {
    s->config.header_timeout_ms = s->host.header_timeout_ms = header_timeout_ms;
    s->config.body_timeout_ms = s->host.body_timeout_ms = body_timeout_ms;
    s->config.max_connections = max_connections;
    server_resume(s); // which pauses again if they are still too many
}

const struct http_counters *http_server_counters(const struct http_server *s) {
    return &s->host.counters;
}

int http_server_port(const struct http_server *s) {
    return s->port;
}

static void server_on_scheduler_idle(struct http_scheduler *t) {
    free(container_of(t, struct http_server, host.scheduler));
}

static void server_end(struct http_server *s, bool reset) {
    if (!s) return;
    DL_DELETE(servers, s);
    server_close_listeners(s);
    loop_timer_stop(s->loop, &s->sweep);
    loop_timer_stop(s->loop, &s->retry);
    struct http_conn *c, *next;
    DL_FOREACH_SAFE(s->conns, c, next) {
        if (reset)
            c->ops->reset(c);
        else
            c->ops->close(c);
    }
    http_scheduler_stop(&s->host.scheduler, server_on_scheduler_idle);
}

void http_server_free(struct http_server *s) {
    server_end(s, false);
}

void http_server_reset(struct http_server *s) {
    server_end(s, true);
}
