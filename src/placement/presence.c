#include "presence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "http/client.h"
#include "placement/readers.h"

enum {
    PRESENCE_TIMEOUT_MS = 2000,
    PRESENCE_AT_ONCE = 8,     // requests under way: hundreds of processes see hundreds of readers
    PRESENCE_TRIES_MAX = 5,   // to get a first answer
    PRESENCE_SILENT_MS = 1500 // a lease that has not been renewed for so long is about to end
};

struct presence {
    struct readers *readers;
    struct http_client *client;
    unsigned running; // requests
    size_t next;      // row: all have their turn, even if some never answer
};

struct presence_query {
    struct presence *presence;
    struct engine_lease lease; // as it was; all but its URL, generation and stamp is 0
    char reader_url[];
};

static void on_presence_answer(void *arg, const struct http_client_response *a) {
    struct presence_query *q = arg;
    if (a->error != -ECANCELED) {
        q->presence->running--;
        readers_note_presence(q->presence->readers, &q->lease,
                              !a->error                   ? PRESENCE_ANSWERS
                              : a->error == -ECONNREFUSED ? PRESENCE_REFUSES
                                                          : PRESENCE_UNKNOWN);
    }
    free(q);
}

static void presence_ask(struct presence *p, struct reader_row *row) {
    char url[ENGINE_URL_MAX + sizeof "/health"];
    snprintf(url, sizeof url, "%s/health", row->reader_url);
    size_t size = strlen(row->reader_url) + 1;
    struct presence_query *q = mem_zalloc(sizeof *q + size);
    memcpy(q->reader_url, row->reader_url, size);
    q->presence = p;
    q->lease = (struct engine_lease){
        .reader_url = q->reader_url, .generation = row->generation, .stamp = row->stamp};
    row->asked = true;
    if (!row->answers) row->tries++;
    p->running++;
    http_client_request(
        p->client,
        &(struct http_client_request){.method = "GET", .url = url, .timeout_ms = PRESENCE_TIMEOUT_MS},
        on_presence_answer, q);
}

// Of a reader whose lease has only been unchanged while the store answered, the lease alone decides.
static bool is_silent(const struct reader_row *row) {
    return row->answers && row->silent_ms > row->unchanged_ms && row->silent_ms >= PRESENCE_SILENT_MS;
}

static bool is_unknown(const struct reader_row *row) {
    return !row->answers && row->tries < PRESENCE_TRIES_MAX;
}

static void presence_ask_those(struct presence *p, bool (*matter)(const struct reader_row *)) {
    size_t first = p->next, count = p->readers->count;
    for (size_t i = 0; i < count && p->running < PRESENCE_AT_ONCE; i++) {
        size_t at = (first + i) % count;
        struct reader_row *row = &p->readers->rows[at];
        if (!row->listed || row->state != READER_LIVE || row->asked || !matter(row)) continue;
        presence_ask(p, row);
        p->next = at + 1;
    }
}

void presence_check(struct presence *p) {
    presence_ask_those(p, is_silent);
    presence_ask_those(p, is_unknown);
}

struct presence *presence_new(struct loop *loop, struct readers *readers) {
    struct presence *p = mem_zalloc(sizeof *p);
    p->readers = readers;
    p->client = http_client_new(loop);
    return p;
}

void presence_free(struct presence *p) {
    if (!p) return;
    http_client_free(p->client);
    free(p);
}
