// Servers and the addresses that lead to them.
#include "redis_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/hash.h"
#include "base/mem.h"
#include "net/sock.h"
#include "redis_model_server.h"

struct redis_port {
    struct loop *loop;
    struct redis_model *server;
    union address address;
    struct loop_fd watch;
    struct redis_port *next; // of the server
};

struct redis_model *model_servers;

void model_new_id(char id[MODEL_RUN_ID + 1]) {
    snprintf(id, MODEL_RUN_ID + 1, "%016" PRIx64 "%016" PRIx64 "%08" PRIx32, hash_random(), hash_random(),
             (uint32_t)hash_random());
}

bool model_is_loading(const struct redis_model *m) {
    return clock_monotonic_ms() < m->loading_until_ms;
}

// Ports

static void on_model_port(struct loop_fd *watch, uint32_t events) {
    struct redis_port *p = container_of(watch, struct redis_port, watch);
    union address peer;
    (void)events;
    for (int fd; watch->fd >= 0 && (fd = sock_accept(watch->fd, &peer)) >= 0;)
        model_client_accept(p->server, p, fd);
}

static bool redis_port_listen(struct redis_port *p) {
    if (p->watch.fd >= 0) return true;
    int fd = sock_listen(&p->address, false);
    if (fd < 0) return false;
    if (!address_port(&p->address)) sock_local_address(fd, &p->address);
    if (!loop_fd_add(p->loop, &p->watch, fd, EPOLLIN)) return true;
    sock_close(fd);
    return false;
}

static void redis_port_close(struct redis_port *p) {
    int fd = p->watch.fd;
    if (fd < 0) return;
    loop_fd_remove(p->loop, &p->watch);
    sock_close(fd);
}

static void redis_port_attach(struct redis_port *p, struct redis_model *server) {
    p->server = server;
    p->next = server->ports;
    server->ports = p;
}

static void redis_port_detach(struct redis_port *p) {
    struct redis_port **at = &p->server->ports;
    while (*at != p) at = &(*at)->next;
    *at = p->next;
    for (struct model_client *c = p->server->clients, *next; c; c = next) {
        next = c->next;
        if (c->port == p) model_client_close(c);
    }
}

struct redis_port *redis_port_new(struct loop *loop, const union address *address,
                                  struct redis_model *server) {
    struct redis_port *p = mem_zalloc(sizeof *p);
    p->loop = loop;
    p->address = *address;
    p->watch = (struct loop_fd){.fd = -1, .on_event = on_model_port};
    if (server->alive && !redis_port_listen(p)) {
        free(p);
        return NULL;
    }
    redis_port_attach(p, server);
    return p;
}

void redis_port_free(struct redis_port *p) {
    redis_port_detach(p);
    redis_port_close(p);
    free(p);
}

int redis_port_number(const struct redis_port *p) {
    return address_port(&p->address);
}

void redis_port_turn_to(struct redis_port *p, struct redis_model *server) {
    redis_port_detach(p);
    redis_port_attach(p, server);
    if (!server->alive)
        redis_port_close(p);
    else if (redis_port_listen(p)) // the one before may have been frozen
        loop_fd_change(p->loop, &p->watch, server->frozen ? 0 : EPOLLIN);
}

struct redis_model *model_server_at(int port) {
    for (struct redis_model *m = model_servers; m; m = m->next)
        for (const struct redis_port *p = m->ports; p; p = p->next)
            if (redis_port_number(p) == port) return m;
    return NULL;
}

// Servers

static void model_go_on(struct redis_model *m) {
    for (struct model_client *c = m->clients, *next; c; c = next) {
        next = c->next;
        model_client_go_on(c);
    }
}

static void on_model_pause_end(struct loop_timer *t) {
    struct redis_model *m = container_of(t, struct redis_model, pause);
    int64_t left_ms = m->pause_until_ms - clock_monotonic_ms();
    if (left_ms > 0) loop_timer_start(m->loop, t, left_ms);
    if (!m->frozen && left_ms <= 0) model_go_on(m);
}

static void model_reset_settings(struct redis_model *m) {
    model_users_release(m);
    model_users_init(m);
    model_scripts_forget(m);
    m->maxmemory = 0;
    m->min_replicas = 0;
    m->limits = (struct model_limits){32 << 20, 8 << 20, 60000};
    m->pause_until_ms = 0;
    m->connections = 0;
    loop_timer_stop(m->loop, &m->pause);
}

struct redis_model *redis_model_new(struct loop *loop, const char *name) {
    struct redis_model *m = mem_zalloc(sizeof *m);
    size_t commands = 0;
    for (const struct model_command *c = NULL; (c = model_command_next(c));) commands++;
    m->loop = loop;
    m->name = mem_strdup(name);
    m->calls = mem_zalloc(commands * sizeof *m->calls);
    m->pause.on_due = on_model_pause_end;
    m->next = model_servers;
    model_servers = m;
    model_scripts_init(m);
    model_link_init(m);
    redis_model_start(m, REDIS_MODEL_NONE, 0, 0);
    return m;
}

void redis_model_free(struct redis_model *m) {
    struct redis_model **at = &model_servers;
    redis_model_kill(m);
    while (*at != m) at = &(*at)->next;
    *at = m->next;
    for (struct redis_model *other = model_servers; other; other = other->next)
        if (other->link.primary == m) redis_model_follow(other, NULL);
    for (int db = 0; db < MODEL_DATABASES; db++) model_keys_clear(&m->keys[db]);
    model_history_release(&m->history);
    model_users_release(m);
    model_scripts_release(m);
    free(m->calls);
    free(m->name);
    free(m);
}

const char *redis_model_string(const struct redis_model *m, const char *key) {
    const struct model_key *k = model_key_find(m->keys[0], model_bytes_of_string(key));
    return k && k->type == MODEL_STRING ? k->string->at : NULL;
}

bool redis_model_is_alive(const struct redis_model *m) {
    return m->alive;
}

void redis_model_kill(struct redis_model *m) {
    m->alive = m->frozen = false;
    while (m->clients) model_client_close(m->clients);
    for (struct redis_port *p = m->ports; p; p = p->next) redis_port_close(p);
    loop_timer_stop(m->loop, &m->link.timer);
    loop_timer_stop(m->loop, &m->pause);
    m->link.primary = NULL;
    m->link.is_up = false;
}

static size_t model_kept(const struct redis_model *m, enum redis_model_data data, int64_t lost_ms) {
    size_t count = m->history.count;
    if (data == REDIS_MODEL_NONE) return 0;
    if (data == REDIS_MODEL_ALL) return count;
    while (count && clock_monotonic_ms() - m->history.effects[count - 1].at_ms < lost_ms) count--;
    return count;
}

void redis_model_start(struct redis_model *m, enum redis_model_data data, int64_t lost_ms,
                       int64_t loading_ms) {
    if (m->alive) return;
    model_history_keep(m, model_kept(m, data, lost_ms));
    model_history_replay(m);
    model_reset_settings(m);
    m->alive = true;
    m->has_backlog = false;
    m->started_ms = clock_monotonic_ms();
    m->loading_until_ms = m->started_ms + loading_ms;
    m->replid2_count = 0;
    memset(m->replid2, '0', MODEL_RUN_ID);
    model_new_id(m->run_id);
    model_new_id(m->replid);
    for (struct redis_port *p = m->ports; p; p = p->next) redis_port_listen(p);
}

static bool model_has_entry(const struct model_key *k, struct model_id id) {
    if (!k || k->type != MODEL_STREAM) return false;
    size_t at = model_stream_find(&k->stream, id);
    return at < k->stream.end && !model_id_compare(k->stream.at[at].id, id);
}

void redis_model_missing(const struct redis_model *m, const struct redis_model *other,
                         redis_model_entry_cb *cb, void *arg) {
    for (const struct model_key *k = m->keys[0]; k; k = k->hh.next) {
        const struct model_key *same = model_key_find(other->keys[0], (struct model_bytes){k->name, k->len});
        for (size_t i = k->stream.first; i < k->stream.end; i++) {
            struct model_id id = k->stream.at[i].id;
            if (!model_has_entry(same, id)) cb(arg, k->name, id.ms, id.seq);
        }
    }
}

void redis_model_would_lose(const struct redis_model *m, enum redis_model_data data, int64_t lost_ms,
                            redis_model_entry_cb *cb, void *arg) {
    size_t count = model_kept(m, data, lost_ms);
    struct redis_model *kept = redis_model_new(m->loop, "kept");
    if (count) redis_model_load(kept, m->history.bytes.data, m->history.effects[count - 1].end);
    redis_model_missing(m, kept, cb, arg);
    redis_model_free(kept);
}

void redis_model_freeze(struct redis_model *m) {
    m->frozen = m->alive;
    for (struct redis_port *p = m->ports; p && m->frozen; p = p->next) loop_fd_change(p->loop, &p->watch, 0);
}

void redis_model_continue(struct redis_model *m) {
    if (!m->frozen) return;
    m->frozen = false;
    for (struct redis_port *p = m->ports; p; p = p->next) loop_fd_change(p->loop, &p->watch, EPOLLIN);
    model_go_on(m);
    if (m->link.primary) loop_timer_start(m->loop, &m->link.timer, 0);
}

void redis_model_set_file(struct redis_model *m, void (*write)(void *arg, const void *bytes, size_t len),
                          void *arg) {
    m->write_file = write;
    m->write_file_arg = arg;
}

enum { MODEL_WORDS = 16 };

// Words are separated by spaces; one in double quotes may contain some.
static int model_split(struct model_text *text, struct model_bytes words[MODEL_WORDS]) {
    int count = 0;
    for (char *at = text->at; count < MODEL_WORDS;) {
        at += strspn(at, " ");
        if (!*at) break;
        bool quoted = *at == '"';
        at += quoted;
        words[count].at = at;
        words[count].len = strcspn(at, quoted ? "\"" : " ");
        at += words[count++].len;
        at += quoted && *at;
    }
    return count;
}

bool redis_model_do(struct redis_model *m, const char *command) {
    struct model_bytes words[MODEL_WORDS];
    if (!m->alive) return false;
    struct model_text *text = model_text_new(command, strlen(command));
    struct buf reply = {0};
    struct model_call c = {.server = m, .argv = words, .reply = &reply};
    model_call_begin(&c);
    c.argc = model_split(text, words);
    c.command = c.argc ? model_command_find(c.argc, words) : NULL;
    bool good = c.command != NULL;
    if (good) {
        model_call_run(&c);
        model_history_commit(m);
        good = reply.len && reply.data[0] != '-';
    }
    buf_release(&reply);
    free(text);
    return good;
}
