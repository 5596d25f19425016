#include "network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RETRANSMIT_LEAST_US = 1000, RETRANSMIT_MOST_US = 3000000, KEEPALIVE_PROBES = 9, SEGMENTS_KEPT = 8 };

struct connection *connections;
static struct listener *listeners;
static uint64_t numbers;

// Paths: of one pair of hosts, or of all.

struct path {
    uint32_t from, to; // hosts; 0: all
    struct sim_path is;
};

static struct path *paths;
static size_t path_count;
static struct sim_path *table; // of all pairs of the hosts that there were when it was made
static uint32_t table_hosts;

static const struct sim_path usual = {.least_us = 50, .most_us = 600};

static void table_fill(void) {
    uint32_t n = world.host_count + 8;
    kernel_free(table);
    table = kernel_alloc((size_t)n * n * sizeof *table);
    table_hosts = n;
    for (uint32_t from = 1; from <= n; from++)
        for (uint32_t to = 1; to <= n; to++) {
            struct sim_path *at = &table[(size_t)(from - 1) * n + to - 1];
            *at = usual;
            for (size_t i = 0; i < path_count; i++)
                if ((!paths[i].from || paths[i].from == from) && (!paths[i].to || paths[i].to == to))
                    *at = paths[i].is;
        }
}

const struct sim_path *path_between(const struct host *from, const struct host *to) {
    static const struct sim_path local = {.least_us = 10, .most_us = 60};
    if (from == to) return &local;
    if (from->number > table_hosts || to->number > table_hosts) table_fill();
    return &table[(size_t)(from->number - 1) * table_hosts + to->number - 1];
}

// Mostly near the least: the smallest of three.
int64_t path_delay_us(const struct sim_path *p) {
    uint64_t spread = p->most_us > p->least_us ? (uint64_t)(p->most_us - p->least_us) : 0;
    if (!spread) return p->least_us;
    uint64_t least = sim_random(spread + 1);
    for (int i = 0; i < 2; i++) {
        uint64_t other = sim_random(spread + 1);
        if (other < least) least = other;
    }
    return p->least_us + (int64_t)least;
}

static bool covers(const char *from, const char *to, const struct host *a, const struct host *b) {
    return (!from || !strcmp(from, a->name)) && (!to || !strcmp(to, b->name));
}

static void path_add(uint32_t from, uint32_t to, const struct sim_path *p) {
    size_t kept = 0; // those that it does not cover
    for (size_t i = 0; i < path_count; i++)
        if (!((!from || paths[i].from == from) && (!to || paths[i].to == to))) paths[kept++] = paths[i];
    paths = kernel_grow(paths, (kept + 1) * sizeof *paths);
    paths[kept] = (struct path){.from = from, .to = to, .is = *p};
    path_count = kept + 1;
}

void sim_set_path(const char *from, const char *to, const struct sim_path *path) {
    uint32_t a = from ? host_named(from)->number : 0, b = to ? host_named(to)->number : 0;
    // What has arrived until now is acknowledged while the way back is still open.
    for (struct connection *c = connections; c; c = c->next)
        for (int i = 0; i < 2; i++) pipe_acknowledged(&c->pipes[i]);
    path_add(a, b, path);
    table_fill();
    sim_trace("path %s to %s: %lld-%lld us, %llu bytes/s%s", from ? from : "*", to ? to : "*",
              (long long)path->least_us, (long long)path->most_us, (unsigned long long)path->bytes_per_s,
              path->cut ? ", cut" : "");
    for (struct connection *c = connections; c; c = c->next)
        for (int i = 0; i < 2; i++) {
            struct end *reader = pipe_reader(&c->pipes[i]), *writer = pipe_writer(&c->pipes[i]);
            if (!covers(from, to, writer->host, reader->host)) continue;
            if (path->cut) {
                end_watch_silence(reader);
                end_watch_silence(writer);
            } else {
                pipe_resume(&c->pipes[i]);
                if (!i && c->waits_for_path) connection_send_syn(c);
            }
        }
}

struct sim_path sim_get_path(const char *from, const char *to) {
    return *path_between(host_named(from), host_named(to));
}

static void set_cut(const char *from, const char *to, bool cut) {
    struct sim_path p = from && to ? sim_get_path(from, to) : usual;
    p.cut = cut;
    sim_set_path(from, to, &p);
}

void sim_cut(const char *a, const char *b) {
    set_cut(a, b, true);
    set_cut(b, a, true);
}

void sim_heal(const char *a, const char *b) {
    set_cut(a, b, false);
    set_cut(b, a, false);
}

unsigned sim_reset_connections(const char *a, const char *b) {
    unsigned count = 0;
    for (struct connection *c = connections, *next; c; c = next) {
        next = c->next;
        const struct host *from = c->ends[0].host, *to = c->ends[1].host;
        if (!covers(a, b, from, to) && !covers(a, b, to, from)) continue;
        count++;
        end_break(&c->ends[0], -ECONNRESET);
        end_break(&c->ends[1], -ECONNRESET);
        connection_free_if_done(c);
    }
    sim_trace("reset %u connections between %s and %s", count, a ? a : "*", b ? b : "*");
    return count;
}

// Listeners

struct listener *listener_of(const struct host *h, int port) {
    for (struct listener *l = listeners; l; l = l->next)
        if (l->host == h && l->port == port) return l;
    return NULL;
}

void listener_add(struct listener *l) {
    l->next = listeners;
    listeners = l;
}

void listener_remove(struct listener *l) {
    struct listener **at = &listeners;
    while (*at != l) at = &(*at)->next;
    *at = l->next;
}

// Connecting

static void on_syn_arrives(struct event *);
static void on_pipe_arrival(struct event *);
static void on_end_later(struct event *);
static void on_end_probe(struct event *);
static void on_end_trouble(struct event *);

static void end_init(struct end *e, struct connection *c, struct host *h, int port) {
    e->sock.kind = SOCK_STREAM_END;
    e->sock.fd = -1;
    e->connection = c;
    e->host = h;
    e->port = port;
    e->state = END_CONNECTING;
    e->later.run = on_end_later;
    e->probe.run = on_end_probe;
    e->trouble.run = on_end_trouble;
    e->send_buffer = world.kernel.send_buffer;
    e->number = ++numbers;
}

struct connection *connection_new(struct host *from, struct host *to, int port) {
    struct connection *c = kernel_alloc(sizeof *c);
    if (++from->next_port > 60999) from->next_port = 32768;
    end_init(&c->ends[0], c, from, from->next_port);
    end_init(&c->ends[1], c, to, port);
    for (int i = 0; i < 2; i++) {
        c->pipes[i].connection = c;
        c->pipes[i].arrival.run = on_pipe_arrival;
    }
    c->ends[1].state = END_GONE; // until it is accepted
    c->connect.run = on_syn_arrives;
    c->next = connections;
    if (connections) connections->prev = c;
    connections = c;
    world.counts.connections++;
    return c;
}

void connection_send_syn(struct connection *c) {
    const struct sim_path *p = path_between(c->ends[0].host, c->ends[1].host);
    c->waits_for_path = false;
    event_start(&c->connect, world.now_us + path_delay_us(p));
}

static void end_answer_connect(struct end *e, int error) {
    e->trouble_error = error;
    event_start(&e->trouble, world.now_us + path_delay_us(path_between(end_peer(e)->host, e->host)));
}

static void listener_take(struct listener *l, struct connection *c) {
    struct end *e = &c->ends[1];
    e->state = END_OPEN;
    e->queued_accept = true;
    c->accepted_once = true;
    *l->tail = e;
    l->tail = &e->next_accept;
    sock_notify(&l->sock);
    end_answer_connect(&c->ends[0], 0);
}

// A path that is cut in either direction delays the handshake.
static void on_syn_arrives(struct event *event) {
    struct connection *c = (struct connection *)((char *)event - offsetof(struct connection, connect));
    struct host *from = c->ends[0].host, *to = c->ends[1].host;
    if (c->ends[0].state != END_CONNECTING) {
        connection_free_if_done(c);
        return;
    }
    if (path_between(from, to)->cut || path_between(to, from)->cut || !to->is_up) {
        c->waits_for_path = true;
        return;
    }
    struct listener *l = listener_of(to, c->ends[1].port);
    if (!l || sim_chance(world.kernel.refuse_per_million))
        end_answer_connect(&c->ends[0], -ECONNREFUSED);
    else
        listener_take(l, c);
}

// Bytes

static bool path_is_open(const struct end *from, const struct end *to) {
    return !path_between(from->host, to->host)->cut;
}

size_t pipe_unread(const struct pipe *p) {
    return (size_t)(p->arrived - p->taken);
}

// The acknowledgement of what has arrived comes back without a packet of its own, unless the way is cut.
uint64_t pipe_acknowledged(struct pipe *p) {
    const struct end *reader = pipe_reader(p);
    if (reader->state != END_GONE && path_is_open(reader, pipe_writer(p))) p->acknowledged = p->arrived;
    return p->acknowledged;
}

size_t pipe_room(struct pipe *p, size_t buffer) {
    uint64_t on_its_way = p->written - pipe_acknowledged(p);
    return on_its_way < buffer ? buffer - (size_t)on_its_way : 0;
}

static void pipe_reserve(struct pipe *p, size_t more) {
    if (p->head + p->len + more <= p->room) return;
    if (p->head) {
        memmove(p->bytes, p->bytes + p->head, p->len);
        p->head = 0;
    }
    if (p->len + more <= p->room) return;
    p->room = p->room ? p->room : 512;
    while (p->len + more > p->room) p->room *= 2;
    p->bytes = kernel_grow(p->bytes, p->room);
}

static int64_t pipe_due_us(struct pipe *p, size_t len) {
    const struct sim_path *path = path_between(pipe_writer(p)->host, pipe_reader(p)->host);
    int64_t due_us = world.now_us + path_delay_us(path);
    if (path->bytes_per_s) {
        if (p->free_us < world.now_us) p->free_us = world.now_us;
        p->free_us += (int64_t)(len * 1000000 / path->bytes_per_s);
        due_us += p->free_us - world.now_us;
    }
    if (p->segment_count) {
        int64_t last_us = p->segments[p->first_segment + p->segment_count - 1].due_us;
        if (due_us < last_us) due_us = last_us;
    }
    return due_us;
}

static void pipe_add_segment(struct pipe *p, uint64_t end, int64_t due_us) {
    size_t at = p->first_segment + p->segment_count;
    if (at == p->segment_room && p->first_segment) {
        memmove(p->segments, p->segments + p->first_segment, p->segment_count * sizeof *p->segments);
        p->first_segment = 0;
        at = p->segment_count;
    } else if (at == p->segment_room) {
        p->segment_room = p->segment_room ? p->segment_room * 2 : SEGMENTS_KEPT;
        p->segments = kernel_grow(p->segments, p->segment_room * sizeof *p->segments);
    }
    p->segments[at] = (struct segment){.end = end, .due_us = due_us};
    p->segment_count++;
    if (p->segment_count == 1 && !p->is_stuck) event_start(&p->arrival, due_us);
}

void pipe_write(struct pipe *p, const void *bytes, size_t len) {
    pipe_reserve(p, len);
    memcpy(p->bytes + p->head + p->len, bytes, len);
    p->len += len;
    p->written += len;
    world.counts.bytes += len;
    pipe_add_segment(p, p->written, pipe_due_us(p, len));
}

void pipe_end(struct pipe *p) {
    if (p->has_end || p->broken) return;
    p->has_end = true;
    pipe_add_segment(p, p->written + 1, pipe_due_us(p, 0));
}

// What had no room comes as soon as the writer's host knows that there is some, unless a path is cut.
static void pipe_announce_room(struct pipe *p) {
    const struct host *from = pipe_writer(p)->host, *to = pipe_reader(p)->host;
    const struct sim_path *back = path_between(to, from);
    if (back->cut || path_between(from, to)->cut) {
        pipe_resume(p);
    } else if (p->is_stuck) {
        p->is_stuck = false;
        event_start(&p->arrival, world.now_us + path_delay_us(back));
    }
}

void pipe_take(struct pipe *p, void *bytes, size_t len) {
    memcpy(bytes, p->bytes + p->head, len);
    p->head += len;
    p->len -= len;
    p->taken += len;
    if (!p->len) p->head = 0;
    pipe_announce_room(p);
}

static void pipe_discard(struct pipe *p) {
    event_stop(&p->arrival);
    p->segment_count = 0;
    p->is_stuck = false;
}

// Sent again, after a time that grows with how long the path was cut.
void pipe_resume(struct pipe *p) {
    if (!p->is_stuck) return;
    p->is_stuck = false;
    int64_t delay_us = 0;
    const struct segment *s = &p->segments[p->first_segment];
    if (s->due_us + RETRANSMIT_LEAST_US < world.now_us) {
        int64_t late_us = world.now_us - s->due_us;
        if (late_us > RETRANSMIT_MOST_US) late_us = RETRANSMIT_MOST_US;
        delay_us = (int64_t)sim_random((uint64_t)late_us);
    }
    event_start(&p->arrival, world.now_us + delay_us);
}

static void pipe_tell_writer(struct pipe *p) {
    struct end *w = pipe_writer(p);
    if (!p->is_blocked || pipe_room(p, w->send_buffer) < w->send_buffer / 3) return;
    p->is_blocked = false;
    sock_notify(&w->sock);
}

// Bytes arrive as far as the reader's buffer has room.
static bool pipe_arrive(struct pipe *p, const struct segment *s) {
    struct end *r = pipe_reader(p);
    uint64_t limit = p->taken + world.kernel.receive_buffer, bytes_end = s->end;
    if (s->end > p->written) bytes_end = p->written;
    uint64_t until = bytes_end < limit ? bytes_end : limit;
    bool news = until > p->arrived;
    if (news) p->arrived = until;
    if (s->end > p->written && p->arrived == p->written) {
        p->end_arrived = news = true;
    } else if (until < bytes_end) {
        p->is_stuck = true;
    }
    if (news) sock_notify(&r->sock);
    return !p->is_stuck;
}

static void on_pipe_arrival(struct event *event) {
    struct pipe *p = (struct pipe *)((char *)event - offsetof(struct pipe, arrival));
    struct end *r = pipe_reader(p), *w = pipe_writer(p);
    const struct sim_path *path = path_between(w->host, r->host);
    if (path->cut || (r->state == END_GONE && !r->host->is_up)) {
        p->is_stuck = true;
        end_watch_silence(w);
        return;
    }
    if (path->reset_per_million && sim_chance(path->reset_per_million)) {
        world.counts.resets++;
        end_break(w, -ECONNRESET);
        end_break(r, -ECONNRESET);
        connection_free_if_done(p->connection);
        return;
    }
    if (r->state == END_CLOSED || r->state == END_GONE || r->reset) { // the host knows of no such connection
        const struct segment *last = &p->segments[p->first_segment + p->segment_count - 1];
        bool is_end = p->segment_count == 1 && last->end > p->written && r->state == END_CLOSED;
        pipe_discard(p);
        if (is_end)
            p->end_arrived = true;
        else
            end_send_reset(w, false);
        connection_free_if_done(p->connection);
        return;
    }
    while (p->segment_count && p->segments[p->first_segment].due_us <= world.now_us) {
        if (!pipe_arrive(p, &p->segments[p->first_segment])) break;
        p->first_segment++;
        if (!--p->segment_count) p->first_segment = 0;
    }
    if (p->segment_count && !p->is_stuck) event_start(&p->arrival, p->segments[p->first_segment].due_us);
    pipe_tell_writer(p);
    connection_free_if_done(p->connection);
}

// Ends

static void on_end_later(struct event *event) {
    sock_notify(&((struct end *)((char *)event - offsetof(struct end, later)))->sock);
}

void end_break(struct end *e, int error) {
    event_stop(&e->trouble);
    if (e->state == END_CLOSED || e->state == END_GONE) {
        pipe_discard(end_out(e));
        e->reset = true;
        return;
    }
    if (e->reset) return;
    e->error = error;
    e->reset = true;
    pipe_discard(end_out(e));
    end_out(e)->broken = true;
    sock_notify(&e->sock);
}

void end_send_reset(struct end *to, bool after_data) {
    struct pipe *in = end_in(to);
    int64_t due_us = world.now_us + path_delay_us(path_between(end_peer(to)->host, to->host));
    if (after_data && in->segment_count && !in->is_stuck) {
        int64_t last_us = in->segments[in->first_segment + in->segment_count - 1].due_us;
        if (last_us > due_us) due_us = last_us;
    }
    to->trouble_error = -ECONNRESET;
    event_start(&to->trouble, due_us);
}

// The outcome of a connect, or a reset. A reset that a cut path loses is not sent again: then the end is
// half open until it sends something itself.
static void on_end_trouble(struct event *event) {
    struct end *e = (struct end *)((char *)event - offsetof(struct end, trouble));
    struct connection *c = e->connection;
    if (e->state == END_CONNECTING) {
        if (e->trouble_error) {
            e->error = e->trouble_error;
            e->reset = true;
        } else {
            e->state = END_OPEN;
        }
        sock_notify(&e->sock);
    } else if (path_is_open(end_peer(e), e)) {
        if (e->trouble_error == -ECONNRESET) world.counts.resets++;
        end_break(e, e->trouble_error);
    }
    connection_free_if_done(c);
}

// Whether packets to the peer or back are lost now.
static bool end_hears_nothing(struct end *e) {
    struct end *peer = end_peer(e);
    bool peer_is_gone = peer->state == END_GONE;
    return (peer_is_gone && e->state != END_CONNECTING) || !path_is_open(e, peer) || !path_is_open(peer, e);
}

// Starts to wait for signs of life, if the program wants to know.
void end_watch_silence(struct end *e) {
    if (e->probe.slot || e->reset || e->state != END_OPEN || !end_hears_nothing(e)) return;
    struct pipe *out = end_out(e);
    int64_t after_us = INT64_MAX;
    if (e->user_timeout_ms && out->written > pipe_acknowledged(out))
        after_us = e->user_timeout_ms * INT64_C(1000);
    if (e->keep_after_s) {
        int64_t every_s = e->keep_every_s ? e->keep_every_s : 75;
        int64_t keep_us = (e->keep_after_s + every_s * KEEPALIVE_PROBES) * INT64_C(1000000);
        // The user timeout counts for probes, too (tcp(7)).
        if (e->user_timeout_ms)
            keep_us = e->keep_after_s * INT64_C(1000000) + e->user_timeout_ms * INT64_C(1000);
        if (keep_us < after_us) after_us = keep_us;
    }
    if (after_us != INT64_MAX) event_start(&e->probe, world.now_us + after_us);
}

static void on_end_probe(struct event *event) {
    struct end *e = (struct end *)((char *)event - offsetof(struct end, probe));
    struct pipe *out = end_out(e);
    if (!end_hears_nothing(e)) return;
    if (!e->keep_after_s && out->written == pipe_acknowledged(out)) return;
    struct connection *c = e->connection;
    end_break(e, -ETIMEDOUT);
    connection_free_if_done(c);
}

// A machine that is started again knows nothing of the connections it had, and answers with resets.
void network_host_is_back(struct host *h) {
    for (struct connection *c = connections; c; c = c->next) {
        if (c->waits_for_path && c->ends[1].host == h) connection_send_syn(c);
        for (int i = 0; i < 2; i++)
            if (c->ends[i].host == h && c->ends[i].state == END_GONE) pipe_resume(end_in(&c->ends[i]));
    }
}

void end_free(struct end *e) {
    event_stop(&e->later);
    event_stop(&e->probe);
    event_stop(&e->trouble);
}

// Done: neither end is a process's, and nothing is on its way that the other end would have to know.
void connection_free_if_done(struct connection *c) {
    for (int i = 0; i < 2; i++) {
        struct end *e = &c->ends[i];
        if (e->sock.process || e->queued_accept || e->trouble.slot) return;
    }
    if (c->connect.slot) event_stop(&c->connect);
    for (int i = 0; i < 2; i++) {
        pipe_discard(&c->pipes[i]);
        end_free(&c->ends[i]);
        kernel_free(c->pipes[i].bytes);
        kernel_free(c->pipes[i].segments);
    }
    if (c->prev) c->prev->next = c->next;
    if (c->next) c->next->prev = c->prev;
    if (connections == c) connections = c->next;
    kernel_free(c);
}

void network_release(void) {
    while (connections) {
        for (int i = 0; i < 2; i++) {
            connections->ends[i].sock.process = NULL;
            connections->ends[i].queued_accept = false;
            event_stop(&connections->ends[i].trouble);
        }
        connection_free_if_done(connections);
    }
    kernel_free(paths);
    kernel_free(table);
    paths = NULL;
    table = NULL;
    path_count = 0;
    table_hosts = 0;
    listeners = NULL;
    numbers = 0;
}
