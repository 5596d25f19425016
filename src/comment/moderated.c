// moderated_pass() asks the review hook about a copy of the draft; on_reviewed() does what it answers.
#include "moderated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/sha256.h"
#include "comment_core.h"
#include "http/exchange.h"
#include "moderation/review.h"
#include "service/internal_only.h"
#include "service/json_reply.h"

enum { ID_BYTES = (REVIEW_ID_SIZE - 1) / 2 };

// A draft whose texts follow it.
struct reviewed {
    struct comment_api *api;
    struct http_exchange *exchange;
    struct comment_draft draft;
    char texts[];
};

static void moderated_refuse(struct comment_api *a, struct http_exchange *x, enum post_result result,
                             const char *code, const char *sentence, size_t len) {
    struct buf b = {0};
    a->counters.posts[result]++;
    buf_add_string(&b, "{\"error\":");
    json_text_add(&b, sentence, len);
    buf_printf(&b, ",\"code\":\"%s\"}", code);
    http_reply(x, &(struct http_reply){.status = 422, .body = b.data, .body_len = b.len});
    buf_release(&b);
}

static const char *copy_text(char **to, const char *text, size_t len) {
    char *copy = *to;
    memcpy(copy, text, len);
    copy[len] = 0;
    *to += len + 1;
    return copy;
}

static struct reviewed *reviewed_new(struct comment_api *a, struct http_exchange *x,
                                     const struct comment_draft *d) {
    size_t user = strlen(d->user), video = strlen(d->video), badges = strlen(d->badges), key = strlen(d->key);
    struct reviewed *r =
        mem_alloc(sizeof *r + user + video + badges + key + d->name.len + d->comment.len + 6);
    char *to = r->texts;
    r->api = a;
    r->exchange = x;
    r->draft = *d;
    r->draft.user = copy_text(&to, d->user, user);
    r->draft.video = copy_text(&to, d->video, video);
    r->draft.badges = copy_text(&to, d->badges, badges);
    r->draft.key = copy_text(&to, d->key, key);
    if (d->name.text) r->draft.name.text = copy_text(&to, d->name.text, d->name.len);
    r->draft.comment.text = copy_text(&to, d->comment.text, d->comment.len);
    return r;
}

static void reviewed_deny(const struct reviewed *r, const struct review_verdict *v) {
    static const char usual[] = "This comment was refused by the moderation.";
    moderated_refuse(r->api, r->exchange, POST_DENIED, "comment_denied", v->text ? v->text : usual,
                     v->text ? v->len : sizeof usual - 1);
}

static void reply_unreviewed(struct comment_api *a, struct http_exchange *x) {
    a->counters.posts[POST_UNREVIEWED]++;
    reply_unavailable(x, "review_unavailable", "Comments cannot be checked now; try again soon.");
}

static void on_reviewed(void *arg, const struct review_verdict *v) {
    struct reviewed *r = arg;
    switch (v->action) {
    case REVIEW_REPLACE:
        r->draft.sent = r->draft.comment;
        r->draft.comment = (struct comment_text){.text = v->text, .len = v->len};
        comment_append(r->api, r->exchange, &r->draft);
        break;
    case REVIEW_ALLOW: comment_append(r->api, r->exchange, &r->draft); break;
    case REVIEW_DENY: reviewed_deny(r, v); break;
    default: reply_unreviewed(r->api, r->exchange); break;
    }
    free(r);
}

// The same for a repeat with the same key, so that the hook can answer it alike.
static void make_review_id(const struct comment_draft *d, char id[REVIEW_ID_SIZE]) {
    unsigned char bytes[SHA256_SIZE] = {0};
    struct sha256 h;
    if (d->key[0]) {
        sha256_init(&h);
        sha256_add(&h, d->video, strlen(d->video) + 1);
        sha256_add(&h, d->key, strlen(d->key));
        sha256_end(&h, bytes);
    } else {
        random_bytes(bytes, ID_BYTES);
    }
    for (int i = 0; i < ID_BYTES; i++) snprintf(id + 2 * (ptrdiff_t)i, 3, "%02x", bytes[i]);
}

static bool review_begin(struct comment_api *a, struct http_exchange *x, const struct comment_draft *d) {
    char id[REVIEW_ID_SIZE];
    make_review_id(d, id);
    struct reviewed *r = reviewed_new(a, x, d);
    if (review_ask(a->review,
                   &(struct review_question){.id = id,
                                             .video = d->video,
                                             .user = d->user,
                                             .name = d->name.text,
                                             .name_len = d->name.len,
                                             .text = d->comment.text,
                                             .text_len = d->comment.len},
                   on_reviewed, r))
        return true;
    free(r);
    return false;
}

static bool is_exempt(const struct comment_api *a, const struct http_exchange *x, const struct identity *who,
                      const char *video) {
    const struct service_process *p = a->placed.service.process;
    return identity_may(who, IDENTITY_MODERATE, video) ||
           (p && internal_only_has_token(p->internal, x->request));
}

bool moderated_pass(struct comment_api *a, struct http_exchange *x, const struct identity *who,
                    const struct comment_draft *d) {
    if (!a->review || is_exempt(a, x, who, d->video)) return true;
    if (review_begin(a, x, d)) return false;
    if (review_fallback(a->review) == REVIEW_ALLOW) return true;
    reply_unreviewed(a, x);
    return false;
}
