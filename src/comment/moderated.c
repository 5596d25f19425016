// moderated_pass() looks at the comment, and asks the review hook about a copy of the draft; on_reviewed()
// does what it answers.
#include "moderated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/id.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/sha256.h"
#include "audit.h"
#include "comment_core.h"
#include "engine/engine.h"
#include "engine/room.h"
#include "http/exchange.h"
#include "moderation/first_line.h"
#include "moderation/review.h"
#include "net/loop.h"
#include "service/json_reply.h"

enum { ID_BYTES = (REVIEW_ID_SIZE - 1) / 2 };

// A draft whose texts follow it.
struct reviewed {
    struct comment_api *api;
    struct http_exchange *exchange;
    struct comment_draft draft;
    moderated_append *append;
    char texts[];
};

// A user who is being timed out.
struct timed_out {
    struct comment_api *api;
    int64_t for_ms;
    char user[ID_MAX + 1], video[ID_MAX + 1];
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

static void on_timed_out(void *arg, enum engine_status status, const struct engine_ban *bans, size_t count) {
    struct timed_out *t = arg;
    (void)bans, (void)count;
    if (status == ENGINE_OK) {
        t->api->counters.time_outs++;
        log_info("comment", "timed_out", "video=%s user=%s ms=%lld", t->video, t->user, (long long)t->for_ms);
    } else if (status != ENGINE_CLOSED) {
        log_warn("comment", "time_out_failed", "video=%s user=%s", t->video, t->user);
    }
    free(t);
}

// After so many refusals the user is banned from the video for a while, which the store makes all comment
// APIs know.
static void moderated_strike(struct comment_api *a, const struct comment_draft *d) {
    struct engine *e = a->placed.service.engine;
    int64_t for_ms =
        a->first ? first_line_strike(a->first, d->user, d->video, loop_now_ms(a->placed.service.loop)) : 0;
    char note[AUDIT_NOTE_SIZE], more[ID_MAX + 64];
    if (!for_ms) return;
    struct timed_out *t = mem_alloc(sizeof *t);
    *t = (struct timed_out){.api = a, .for_ms = for_ms};
    snprintf(t->user, sizeof t->user, "%s", d->user);
    snprintf(t->video, sizeof t->video, "%s", d->video);
    snprintf(more, sizeof more, ",\"userid\":\"%s\",\"seconds\":%lld", t->user, (long long)(for_ms / 1000));
    e->ops->ban_write(e, t->video, t->user, for_ms, false, audit_note_of_nobody(note, "ban", more),
                      on_timed_out, t);
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
    moderated_strike(r->api, &r->draft);
    moderated_refuse(r->api, r->exchange, POST_DENIED, "comment_denied", v->text ? v->text : usual,
                     v->text ? v->len : sizeof usual - 1);
}

char *moderated_keep(const struct comment_draft *d) {
    const struct comment_text *text = d->sent.text ? &d->sent : &d->comment;
    size_t user = strlen(d->user) + 1;
    char *kept = mem_alloc(user + text->len + 1);
    memcpy(kept, d->user, user);
    memcpy(kept + user, text->text, text->len);
    kept[user + text->len] = 0;
    return kept;
}

void moderated_forget(struct comment_api *a, const char *kept) {
    if (!kept) return;
    const char *text = kept + strlen(kept) + 1;
    first_line_forget(a->first, kept, text, strlen(text));
}

static void reply_unreviewed(struct comment_api *a, struct http_exchange *x, const struct comment_draft *d) {
    if (d->is_noted) first_line_forget(a->first, d->user, d->comment.text, d->comment.len);
    a->counters.posts[POST_UNREVIEWED]++;
    reply_unavailable(x, "review_unavailable", "Comments cannot be checked now; try again soon.");
}

static void on_reviewed(void *arg, const struct review_verdict *v) {
    struct reviewed *r = arg;
    switch (v->action) {
    case REVIEW_REPLACE:
        r->draft.sent = r->draft.comment;
        r->draft.comment = (struct comment_text){.text = v->text, .len = v->len};
        r->append(r->api, r->exchange, &r->draft);
        break;
    case REVIEW_HOLD:
        r->draft.holds = true;
        r->append(r->api, r->exchange, &r->draft);
        break;
    case REVIEW_ALLOW: r->append(r->api, r->exchange, &r->draft); break;
    case REVIEW_DENY: reviewed_deny(r, v); break;
    default: reply_unreviewed(r->api, r->exchange, &r->draft); break;
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
    hex_write(id, bytes, ID_BYTES);
}

static bool review_begin(struct comment_api *a, struct http_exchange *x, const struct comment_draft *d,
                         moderated_append *append) {
    char id[REVIEW_ID_SIZE];
    make_review_id(d, id);
    struct reviewed *r = reviewed_new(a, x, d);
    r->append = append;
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

static bool first_line_passes(struct comment_api *a, struct http_exchange *x, struct comment_draft *d) {
    enum first_finding finding = first_line_check(a->first,
                                                  &(struct first_line_comment){.user = d->user,
                                                                               .key = d->key,
                                                                               .name = d->name.text,
                                                                               .name_len = d->name.len,
                                                                               .text = d->comment.text,
                                                                               .text_len = d->comment.len},
                                                  loop_now_ms(a->placed.service.loop));
    d->is_noted = !finding;
    if (!finding) return true;
    const char *sentence = first_finding_sentence(finding);
    a->counters.filtered[finding]++;
    moderated_strike(a, d);
    moderated_refuse(a, x, POST_FILTERED, first_finding_code(finding), sentence, strlen(sentence));
    return false;
}

bool moderated_pass(struct comment_api *a, struct http_exchange *x, struct comment_draft *d,
                    moderated_append *append) {
    bool has_first_line = a->first && first_line_is_on(a->first);
    if ((!a->review && !has_first_line) || !d->bound) return true;
    if (has_first_line && !first_line_passes(a, x, d)) return false;
    if (!a->review) return true;
    if (review_begin(a, x, d, append)) return false;
    if (review_fallback(a->review) == REVIEW_ALLOW) return true;
    reply_unreviewed(a, x, d);
    return false;
}
