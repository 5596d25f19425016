#include "audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static const char *audit_write(char note[AUDIT_NOTE_SIZE], const char *begins, const char *user,
                               const char *what, const char *more) {
    char at[CLOCK_ISO8601_SIZE];
    clock_iso8601(clock_wall_ms(), at);
    const char *quote = user ? "\"" : "";
    snprintf(note, AUDIT_NOTE_SIZE, "%s\"timestamp\":\"%s\",\"by\":%s%s%s,\"what\":\"%s\"%s}", begins, at,
             quote, user ? user : "null", quote, what, more);
    return note;
}

const char *audit_note(char note[AUDIT_NOTE_SIZE], const struct service *s, struct http_exchange *x,
                       const char *what, const char *more) {
    struct identity who;
    bool is_user = rights_read(s, x, &who) == RIGHTS_READ && who.kind == IDENTITY_USER;
    return audit_write(note, "{", is_user ? who.user : NULL, what, more);
}

const char *audit_note_of_nobody(char note[AUDIT_NOTE_SIZE], const char *what, const char *more) {
    return audit_write(note, ENGINE_NOTE_AUTOMATIC, NULL, what, more);
}

// Orders notes of the two lists by their times, which stand at the same place in each of a list.
static const char *note_time(const char *note) {
    const char *at = strstr(note, "\"timestamp\":\"");
    return at ? at : "";
}

static bool note_is_automatic(const char *note) {
    return !strncmp(note, ENGINE_NOTE_AUTOMATIC, sizeof ENGINE_NOTE_AUTOMATIC - 1);
}

// Returns the newer one of the next notes of the two lists, each newest first.
static const char *notes_next(const char *const *notes, size_t *of_people, size_t people, size_t *automatic,
                              size_t count) {
    bool more_people = *of_people < people, more_automatic = *automatic < count;
    enum { TIME = CLOCK_ISO8601_SIZE + sizeof "\"timestamp\":" };
    if (more_people &&
        (!more_automatic || strncmp(note_time(notes[*of_people]), note_time(notes[*automatic]), TIME) >= 0))
        return notes[(*of_people)++];
    return notes[(*automatic)++];
}

static void on_audit_read(void *arg, enum engine_status status, const char *const *notes, size_t count) {
    struct audit_query *q = arg;
    struct buf b = {0};
    buf_printf(&b, "{\"videoid\":\"%s\",\"audit\":[", q->video);
    size_t people = 0;
    while (people < count && !note_is_automatic(notes[people])) people++;
    for (size_t i = 0, of_people = 0, automatic = people; i < count; i++)
        buf_printf(&b, "%s%s", i ? "," : "", notes_next(notes, &of_people, people, &automatic, count));
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
