// A server's history: the effects of what it has executed, as commands. What Redis sends to its replicas and
// writes to its append-only file. A replica fetches the effects one after the other; one whose history is not
// the beginning of its primary's starts with an empty one, and gets all.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "redis_model_server.h"

#define B(text) ((struct model_bytes){text, sizeof text - 1})

enum { RECONNECT_MS = 1000, PIECE_BYTES = 4096 };

// Writing

static void model_put_command(struct buf *b, int argc, const struct model_bytes *argv) {
    model_put_array(b, (size_t)argc);
    for (int i = 0; i < argc; i++) model_put_bytes(b, argv[i]);
}

void model_history_add(struct redis_model *m, int db, int argc, const struct model_bytes *argv,
                       bool is_message) {
    struct model_history *h = &m->history;
    char number[8];
    if (db != h->db) {
        snprintf(number, sizeof number, "%d", db);
        model_put_command(&h->bytes, 2, (struct model_bytes[]){B("SELECT"), model_bytes_of_string(number)});
        h->db = db;
        h->has_write = true;
    }
    model_put_command(&h->bytes, argc, argv);
    if (!is_message) h->has_write = true;
}

static void model_effect_add(struct model_history *h, struct model_effect e) {
    if (h->count == h->room) {
        h->room = h->room ? 2 * h->room : 64;
        h->effects = mem_realloc(h->effects, h->room * sizeof *h->effects);
    }
    h->effects[h->count++] = e;
    h->begun = e.end;
    h->has_write = false;
}

static void model_wake_replicas(struct redis_model *primary) {
    for (struct redis_model *m = model_servers; m; m = m->next)
        if (m->link.primary == primary && m->link.is_up && !m->link.timer.slot)
            loop_timer_start(m->loop, &m->link.timer, m->link.lag_ms);
}

void model_history_commit(struct redis_model *m) {
    struct model_history *h = &m->history;
    size_t begun = h->begun;
    if (h->bytes.len == begun) return;
    bool is_message = !h->has_write;
    model_effect_add(h, (struct model_effect){h->bytes.len, clock_monotonic_ms(), is_message});
    if (m->write_file && !is_message)
        m->write_file(m->write_file_arg, h->bytes.data + begun, h->bytes.len - begun);
    model_wake_replicas(m);
}

void model_history_keep(struct redis_model *m, size_t count) {
    struct model_history *h = &m->history;
    if (count >= h->count) return;
    h->count = count;
    h->begun = count ? h->effects[count - 1].end : 0;
    h->bytes.len = h->begun;
}

void model_history_release(struct model_history *h) {
    buf_release(&h->bytes);
    free(h->effects);
    *h = (struct model_history){0};
}

// Executing

// A reply is not needed; what is published goes to subscribers unless the server is only loading.
static void model_obey(struct redis_model *m, const redisReply *words, bool loading) {
    struct buf reply = {0};
    struct model_bytes *argv = mem_alloc(words->elements * sizeof *argv);
    for (size_t i = 0; i < words->elements; i++)
        argv[i] = (struct model_bytes){words->element[i]->str, (size_t)words->element[i]->len};
    struct model_call c = {.server = m,
                           .argc = (int)words->elements,
                           .argv = argv,
                           .reply = &reply,
                           .db = m->history.db,
                           .obeys = true};
    int64_t db;
    model_call_begin(&c);
    c.command = model_command_find(c.argc, argv);
    if (model_bytes_are(argv[0], "SELECT") && model_bytes_integer(argv[1], &db))
        m->history.db = (int)db;
    else if (model_bytes_are(argv[0], "PUBLISH") && !loading)
        model_publish(m, argv[1], argv[2]);
    else if (!model_bytes_are(argv[0], "PUBLISH"))
        model_call_run(&c);
    buf_release(&reply);
    free(argv);
}

// In pieces, because the reader moves what is left of them behind every kilobyte or so.
static bool model_obey_bytes(struct redis_model *m, const char *bytes, size_t len, bool loading) {
    redisReader *reader = redisReaderCreate();
    void *words = NULL;
    bool good = true;
    for (size_t at = 0, piece; good && at < len; at += piece) {
        piece = len - at < PIECE_BYTES ? len - at : PIECE_BYTES;
        good = redisReaderFeed(reader, bytes + at, piece) == REDIS_OK;
        while (good && (good = redisReaderGetReply(reader, &words) == REDIS_OK) && words) {
            model_obey(m, words, loading);
            freeReplyObject(words);
        }
    }
    redisReaderFree(reader);
    return good;
}

void model_history_replay(struct redis_model *m) {
    for (int db = 0; db < MODEL_DATABASES; db++) model_keys_clear(&m->keys[db]);
    m->history.db = 0;
    bool good = model_obey_bytes(m, m->history.bytes.data, m->history.bytes.len, true);
    assert(good);
}

bool redis_model_load(struct redis_model *m, const void *bytes, size_t len) {
    if (!len) return true;
    buf_add(&m->history.bytes, bytes, len);
    model_effect_add(&m->history, (struct model_effect){m->history.bytes.len, clock_monotonic_ms(), false});
    m->history.db = 0;
    return model_obey_bytes(m, bytes, len, true);
}

// Replication

static bool model_link_works(const struct redis_model *m) {
    const struct redis_model *p = m->link.primary;
    return !m->link.is_cut && p != m && p->alive && !p->frozen && !model_is_loading(p);
}

// Whether the primary's history begins with all of ours.
static bool model_is_beginning(const struct redis_model *m, const struct redis_model *p) {
    size_t count = m->history.count;
    if (!strcmp(m->replid, p->replid)) return count <= p->history.count;
    return !strcmp(m->replid, p->replid2) && count <= p->replid2_count;
}

static void model_link_connect(struct redis_model *m) {
    struct model_link *l = &m->link;
    struct redis_model *p = l->primary;
    bool continues = p->has_backlog && model_is_beginning(m, p);
    if (!p->has_backlog) { // as Redis does when it begins to keep one
        model_new_id(p->replid);
        p->replid2_count = 0;
        memset(p->replid2, '0', MODEL_RUN_ID);
    }
    p->has_backlog = m->has_backlog = true;
    if (!continues) {
        model_history_release(&m->history);
        model_history_replay(m);
    } else if (strcmp(m->replid, p->replid) != 0) {
        memcpy(m->replid2, m->replid, sizeof m->replid2);
        m->replid2_count = m->history.count;
    }
    memcpy(m->replid, p->replid, sizeof m->replid);
    memcpy(l->primary_run, p->run_id, sizeof l->primary_run);
    l->is_up = true;
}

// Executes the next effect of the primary.
static void model_link_take(struct redis_model *m, bool is_old) {
    struct model_history *h = &m->history, *from = &m->link.primary->history;
    struct model_effect e = from->effects[h->count];
    const char *bytes = from->bytes.data + h->begun;
    size_t len = e.end - h->begun;
    buf_add(&h->bytes, bytes, len);
    model_effect_add(h, e);
    model_obey_bytes(m, bytes, len, is_old);
    if (m->write_file && !e.is_message) m->write_file(m->write_file_arg, bytes, len);
}

static void model_link_pull(struct redis_model *m) {
    struct model_link *l = &m->link;
    const struct model_history *from = &l->primary->history;
    int64_t now_ms = clock_monotonic_ms(), due_ms = now_ms;
    while (m->history.count < from->count) {
        due_ms = from->effects[m->history.count].at_ms + l->lag_ms;
        if (due_ms > now_ms) break;
        model_link_take(m, false);
    }
    model_wake_replicas(m);
    // Whether the primary is still there is looked at regularly, as by pings.
    int64_t wait_ms = m->history.count < from->count ? due_ms - now_ms : RECONNECT_MS;
    loop_timer_start(m->loop, &l->timer, wait_ms < RECONNECT_MS ? wait_ms : RECONNECT_MS);
}

static void on_model_link(struct loop_timer *t) {
    struct model_link *l = container_of(t, struct model_link, timer);
    struct redis_model *m = container_of(l, struct redis_model, link);
    if (!l->primary || !m->alive) return;
    if (m->frozen || !model_link_works(m)) {
        l->is_up = l->is_up && (m->frozen || l->primary->frozen);
        loop_timer_start(m->loop, t, RECONNECT_MS);
        return;
    }
    bool same =
        l->is_up && !strcmp(l->primary_run, l->primary->run_id) && !strcmp(m->replid, l->primary->replid);
    if (!same) {
        model_link_connect(m);
        while (m->history.count < l->primary->history.count) model_link_take(m, true);
    }
    model_link_pull(m);
}

void model_link_init(struct redis_model *m) {
    m->link.timer.on_due = on_model_link;
}

static void model_promote(struct redis_model *m) {
    if (!m->link.primary) return;
    loop_timer_stop(m->loop, &m->link.timer);
    m->link.primary = NULL;
    m->link.is_up = false;
    memcpy(m->replid2, m->replid, sizeof m->replid2);
    m->replid2_count = m->history.count;
    model_new_id(m->replid);
}

void redis_model_follow(struct redis_model *m, struct redis_model *primary) {
    if (!m->alive) return;
    if (!primary) {
        model_promote(m);
        return;
    }
    m->link.primary = primary;
    m->link.is_up = false;
    loop_timer_start(m->loop, &m->link.timer, 0);
}

void redis_model_set_lag(struct redis_model *m, int64_t lag_ms) {
    m->link.lag_ms = lag_ms;
}

void redis_model_set_link(struct redis_model *m, bool connected) {
    m->link.is_cut = !connected;
    if (!connected) m->link.is_up = false;
    if (m->link.primary && m->alive) loop_timer_start(m->loop, &m->link.timer, connected ? 0 : RECONNECT_MS);
}

size_t redis_model_behind(const struct redis_model *m) {
    const struct redis_model *p = m->link.primary;
    if (!p) return 0;
    return model_is_beginning(m, p) ? p->history.count - m->history.count : p->history.count + 1;
}

size_t model_replicas(const struct redis_model *primary) {
    size_t count = 0;
    for (const struct redis_model *m = model_servers; m; m = m->next)
        count += m->alive && m->link.primary == primary && m->link.is_up;
    return count;
}
