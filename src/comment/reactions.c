#include "reactions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "base/name_table.h"
#include "comment_core.h"
#include "http/exchange.h"
#include "rate_limit.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/known_videos.h"
#include "service/reaction_sums.h"
#include "service/rights.h"

struct reacted_video {
    struct name_entry entry;
    struct reaction_sums sums;
    char name[ID_MAX + 1];
};

struct reactions {
    struct comment_api *api;
    struct rate_limit *of_user;
    struct name_table videos; // with sums to be told
    struct loop_timer tell;
};

static void reactions_tell(struct reactions *r, const struct reacted_video *v) {
    struct engine *e = r->api->placed.service.engine;
    struct buf body = {0};
    buf_add_string(&body, v->name);
    for (unsigned i = 0; i < v->sums.kinds; i++)
        buf_printf(&body, " %s=%" PRIu32, v->sums.of[i].kind, v->sums.of[i].count);
    e->ops->notify(e, REACTIONS_TOPIC, body.data, body.len);
    buf_release(&body);
}

static void reactions_drop(struct reactions *r, struct reacted_video *v) {
    name_table_remove(&r->videos, &v->entry);
    free(v);
}

static void on_tell(struct loop_timer *t) {
    struct reactions *r = container_of(t, struct reactions, tell);
    for (struct name_entry *next, *e = name_table_next(&r->videos, NULL); e; e = next) {
        struct reacted_video *v = container_of(e, struct reacted_video, entry);
        // From the beginning each time it would pass over all that is gone.
        next = name_table_next(&r->videos, e);
        reactions_tell(r, v);
        reactions_drop(r, v);
    }
}

static bool reactions_add(struct reactions *r, const char *video, const char *kind, uint32_t count) {
    struct name_entry *e = name_table_find(&r->videos, video);
    struct reacted_video *v = e ? container_of(e, struct reacted_video, entry) : NULL;
    if (!v && r->videos.count == REACTIONS_VIDEOS) return false;
    if (!v) {
        v = mem_zalloc(sizeof *v);
        memcpy(v->name, video, strlen(video) + 1);
        v->entry.name = v->name;
        name_table_add(&r->videos, &v->entry);
    }
    reaction_sums_add(&v->sums, kind, strlen(kind), count);
    if (!r->tell.slot) loop_timer_start(r->api->placed.service.loop, &r->tell, REACTIONS_EVERY_MS);
    return true;
}

static bool read_kind(struct http_exchange *x, const struct body_field *kind) {
    bool is_id =
        kind->state == BODY_TEXT && kind->len <= REACTION_KIND_MAX && id_is_valid(kind->text, kind->len);
    if (kind->state == BODY_ABSENT)
        http_reply_error(x, 400, "missing_field", "kind is required.");
    else if (!is_id)
        refuse_field(x, "kind", "must be 1 to 32 characters of A-Z a-z 0-9 . _ ~ - : @.");
    return is_id;
}

// How often the user has reacted since its last request.
static bool read_count(struct http_exchange *x, const struct body_field *n, uint32_t *count) {
    if (n->state == BODY_ABSENT) return true;
    if (n->state != BODY_NUMBER || n->number < 1 || n->number > REACTIONS_AT_ONCE) {
        refuse_field(x, "n", "must be an integer from 1 to 20.");
        return false;
    }
    *count = (uint32_t)n->number;
    return true;
}

void handle_reaction(struct http_exchange *x, void *arg) {
    struct comment_api *a = arg;
    enum { USER, KIND, COUNT, FIELDS };
    char user[ID_MAX + 1], kind[REACTION_KIND_MAX + 1];
    struct body_field f[FIELDS] = {
        [USER] = BODY_FIELD("userid", user), [KIND] = BODY_FIELD("kind", kind), [COUNT] = {.name = "n"}};
    uint32_t count = 1;
    struct identity who;
    const char *video;
    if (!path_id(x, &video) || rights_read(&a->placed.service, x, &who) != RIGHTS_READ ||
        !body_read(x, f, FIELDS))
        return;
    bool names_user = f[USER].state != BODY_ABSENT || !who.user[0];
    if (names_user && !body_id(x, &f[USER])) return;
    const char *author = identity_user(&who, names_user ? user : NULL);
    if (!author) {
        rights_refuse(x, IDENTITY_OTHER_USER);
        return;
    }
    if (!rights_check(x, &who, IDENTITY_REACT, video) || !read_kind(x, &f[KIND]) ||
        !read_count(x, &f[COUNT], &count))
        return;
    if (!known_videos_admit(&a->placed.service, x, video, NULL, handle_reaction, a)) return;
    int wait_s = rate_limit_take(a->reactions->of_user, author, count, loop_now_ms(a->placed.service.loop));
    if (wait_s) {
        http_reply_refusal(x, &(struct http_refusal){.status = 429,
                                                     .code = "too_fast",
                                                     .sentence = "You react too often; wait a moment.",
                                                     .retry_after_s = wait_s});
    } else if (reactions_add(a->reactions, video, kind, count)) {
        a->counters.reactions += count;
        reply_json(x, 202, json_pack("{s:b}", "success", 1));
    } else {
        reply_unavailable(x, "overloaded", "There are too many requests; try again in a moment.");
    }
}

struct reactions *reactions_new(struct comment_api *a) {
    struct reactions *r = mem_zalloc(sizeof *r);
    r->api = a;
    r->of_user = rate_limit_new(REACTIONS_OF_USER, REACTIONS_AT_ONCE);
    r->tell.on_due = on_tell;
    return r;
}

void reactions_free(struct reactions *r) {
    loop_timer_stop(r->api->placed.service.loop, &r->tell);
    for (struct name_entry *e; (e = name_table_next(&r->videos, NULL));)
        reactions_drop(r, container_of(e, struct reacted_video, entry));
    name_table_release(&r->videos);
    rate_limit_free(r->of_user);
    free(r);
}
