#include "amendments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/exchange.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/known_videos.h"
#include "service/rights.h"
#include "service/room_topic.h"
#include "service/service.h"

struct amendment {
    struct http_exchange *exchange;
    enum entry_kind kind;
    char video[ID_MAX + 1];
};

// What happened is logged once: not again for a comment that was deleted before.
static void amendment_log(const struct amendment *m, const struct engine_entry *e) {
    char id[POSITION_TEXT_SIZE];
    if (!e) return;
    position_format(e->at, id);
    log_info("comment", "moderated", "video=%s what=%s id=%s", m->video, entry_kind_name(m->kind), id);
}

static void on_moderated(void *arg, enum engine_status status, const struct engine_entry *e, size_t taken) {
    struct amendment *m = arg;
    struct http_exchange *x = m->exchange;
    (void)taken;
    switch (status) {
    case ENGINE_OK:
        amendment_log(m, e);
        http_reply(x, &(struct http_reply){.status = 204});
        break;
    case ENGINE_NOT_FOUND:
        http_reply_error(x, 404, "unknown_comment", "There is no such comment, or it has expired.");
        break;
    case ENGINE_FULL:
        reply_unavailable(x, "too_many_videos", "There are as many videos as --max-videos allows.");
        break;
    default: reply_store_failed(x, status); break;
    }
    free(m);
}

struct appending {
    struct engine *engine;
    engine_amend_cb *cb;
    void *arg;
    char video[ID_MAX + 1];
};

// What is pinned, or whether the video is over, may have changed: those that show the room are told.
static void on_amended(void *arg, enum engine_status status, const struct engine_entry *e, size_t taken) {
    struct appending *a = arg;
    if (e) room_topic_publish(a->engine, a->video);
    a->cb(a->arg, status, e, taken);
    free(a);
}

// Completes the entry's body, members each followed by a comma, with its time.
static void amendment_append(const struct service *s, struct engine_amend *amend, const char *members,
                             engine_amend_cb *cb, void *arg) {
    struct appending *a = mem_zalloc(sizeof *a);
    struct buf body = {0};
    char timestamp[CLOCK_ISO8601_SIZE];
    clock_iso8601(clock_wall_ms(), timestamp);
    buf_printf(&body, "%s\"timestamp\":\"%s\"", members, timestamp);
    amend->body = body.data;
    amend->body_len = body.len;
    *a = (struct appending){.engine = s->engine, .cb = cb, .arg = arg};
    snprintf(a->video, sizeof a->video, "%s", amend->video);
    s->engine->ops->amend(s->engine, amend, on_amended, a);
    buf_release(&body);
}

static void amendment_amend(const struct service *s, struct http_exchange *x, const char *video,
                            enum entry_kind kind, struct position target) {
    struct amendment *m = mem_zalloc(sizeof *m);
    char members[POSITION_TEXT_SIZE + 16] = "", id[POSITION_TEXT_SIZE];
    char note[AUDIT_NOTE_SIZE], more[POSITION_TEXT_SIZE + 16] = "";
    m->exchange = x;
    m->kind = kind;
    snprintf(m->video, sizeof m->video, "%s", video);
    position_format(target, id);
    if (position_is_set(target))
        snprintf(members, sizeof members, "\"target\":\"%s\",", id);
    else if (kind == ENTRY_PIN)
        snprintf(members, sizeof members, "\"target\":null,");
    if (*members) snprintf(more, sizeof more, ",%.*s", (int)strlen(members) - 1, members);
    audit_note(note, s, x, entry_kind_name(kind), more);
    amendment_append(s, &(struct engine_amend){.video = video, .kind = kind, .target = target, .note = note},
                     members, on_moderated, m);
}

// Whether the request may moderate the video of its path; if not, it has been answered, or `handle` is called
// again.
static bool amendment_may(struct service *s, struct http_exchange *x, const char **video,
                          void (*handle)(struct http_exchange *, void *arg)) {
    return path_id(x, video) && rights_administer(s, x, *video) &&
           known_videos_admit(s, x, *video, NULL, handle, s);
}

void amendment_delete_comment(struct http_exchange *x, void *arg) {
    const char *video, *id = http_request_param(x->request, 1);
    struct position target;
    if (!amendment_may(arg, x, &video, amendment_delete_comment)) return;
    if (position_parse(id, strlen(id), &target))
        amendment_amend(arg, x, video, ENTRY_RETRACT, target);
    else
        http_reply_error(x, 404, "unknown_comment", "There is no such comment, or it has expired.");
}

void amendment_pin(struct http_exchange *x, void *arg) {
    const char *video;
    char id[POSITION_TEXT_SIZE] = "";
    struct position target;
    struct body_field field = BODY_FIELD("id", id);
    if (!amendment_may(arg, x, &video, amendment_pin) || !body_read(x, &field, 1)) return;
    if (field.state == BODY_TEXT && position_parse(id, field.len, &target))
        amendment_amend(arg, x, video, ENTRY_PIN, target);
    else if (field.state == BODY_ABSENT)
        http_reply_error(x, 400, "missing_field", "id is required.");
    else
        refuse_field(x, "id", "must be the id of a comment: two numbers with a dash between.");
}

void amendment_unpin(struct http_exchange *x, void *arg) {
    const char *video;
    if (amendment_may(arg, x, &video, amendment_unpin))
        amendment_amend(arg, x, video, ENTRY_PIN, (struct position){0});
}

void amendment_start(struct http_exchange *x, void *arg) {
    const char *video;
    if (amendment_may(arg, x, &video, amendment_start))
        amendment_amend(arg, x, video, ENTRY_START, (struct position){0});
}

void amendment_end(struct http_exchange *x, void *arg) {
    const char *video;
    if (amendment_may(arg, x, &video, amendment_end))
        amendment_amend(arg, x, video, ENTRY_END, (struct position){0});
}

void amendment_purge(const struct service *s, const char *video, const char *user, const char *note,
                     engine_amend_cb *cb, void *arg) {
    char members[ID_MAX + 16];
    snprintf(members, sizeof members, "\"userid\":\"%s\",", user); // ids need no escaping
    amendment_append(s,
                     &(struct engine_amend){.video = video, .kind = ENTRY_PURGE, .user = user, .note = note},
                     members, cb, arg);
}
