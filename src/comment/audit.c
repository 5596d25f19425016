#include "audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "http/exchange.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/rights.h"
#include "service/service.h"

_Static_assert(AUDIT_NOTE_SIZE == ENGINE_NOTE_MAX + 1, "");

struct audit_query {
    struct http_exchange *exchange;
    char video[ID_MAX + 1];
};

// Ids need no escaping.
static const char *audit_write(char note[AUDIT_NOTE_SIZE], const char *user, const char *what,
                               const char *more) {
    char at[CLOCK_ISO8601_SIZE];
    clock_iso8601(clock_wall_ms(), at);
    const char *quote = user ? "\"" : "";
    snprintf(note, AUDIT_NOTE_SIZE, "{\"timestamp\":\"%s\",\"by\":%s%s%s,\"what\":\"%s\"%s}", at, quote,
             user ? user : "null", quote, what, more);
    return note;
}

const char *audit_note(char note[AUDIT_NOTE_SIZE], const struct service *s, struct http_exchange *x,
                       const char *what, const char *more) {
    struct identity who;
    bool is_user = rights_read(s, x, &who) == RIGHTS_READ && who.kind == IDENTITY_USER;
    return audit_write(note, is_user ? who.user : NULL, what, more);
}

const char *audit_note_of_nobody(char note[AUDIT_NOTE_SIZE], const char *what, const char *more) {
    return audit_write(note, NULL, what, more);
}

static void on_audit_read(void *arg, enum engine_status status, const char *const *notes, size_t count) {
    struct audit_query *q = arg;
    struct buf b = {0};
    buf_printf(&b, "{\"videoid\":\"%s\",\"audit\":[", q->video);
    for (size_t i = 0; i < count; i++) buf_printf(&b, "%s%s", i ? "," : "", notes[i]);
    buf_add_string(&b, "]}");
    if (status == ENGINE_OK)
        http_reply(q->exchange, &(struct http_reply){.status = 200, .body = b.data, .body_len = b.len});
    else
        reply_store_failed(q->exchange, status);
    buf_release(&b);
    free(q);
}

void audit_list(struct http_exchange *x, void *arg) {
    const struct service *s = arg;
    const char *video;
    if (!path_id(x, &video) || !rights_administer(s, x, video)) return;
    struct audit_query *q = mem_zalloc(sizeof *q);
    q->exchange = x;
    snprintf(q->video, sizeof q->video, "%s", video);
    s->engine->ops->audit_read(s->engine, video, on_audit_read, q);
}
