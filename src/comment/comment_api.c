// A comment: handle_comment() reads and checks it, moderated_pass() may refuse it or ask about it,
// comment_append() has the engine append it, and on_comment_appended() replies. Meanwhile a video not seen
// before is registered with the manager (registrar).
#include "comment/comment_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/uthash.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "amendments.h"
#include "audit.h"
#include "comment_core.h"
#include "comment_list.h"
#include "erasure.h"
#include "gated.h"
#include "held_desk.h"
#include "moderated.h"
#include "rate_limit.h"
#include "reactions.h"
#include "registrar.h"
#include "room_routes.h"
#include "video_routes.h"
#include "video_counts.h"
#include "videos_query.h"
#include "engine/engine.h"
#include "engine/entry.h"
#include "http/client.h"
#include "http/exchange.h"
#include "moderation/review.h"
#include "net/loop.h"
#include "placement/placement.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/known_videos.h"
#include "service/rights.h"
#include "service/shadowed_topic.h"
#include "service/visible.h"

enum {
    POSTED_LINES = 20,
    STATISTICS_TIMEOUT_MS = 5000,
    // 100 readers and 100 clients with 100 topics of 512 bytes, each byte as \u00XX, are 62 MB; the rest is
    // small.
    STATISTICS_MAX_BYTES = 96 << 20,
    KEY_MAX = 128
};

// A request for the statistics document.
struct waiting_request {
    struct http_exchange *exchange;
    bool sees_all; // and not only totals
    struct waiting_request *next;
};

struct posting {
    struct comment_api *api;
    struct http_exchange *exchange;
    char *content; // with an Idempotency-Key: the entry's body without the timestamp
    size_t content_len;
    int64_t began_us;
    struct engine_refusal refusal;
    char held_id[ROOM_HELD_ID_SIZE]; // by which it is called if it has to wait
    char *noted; // by the first line: the user, and the text as it was sent; NULL: it is not
    char videoid[ID_MAX + 1];
};

// Adds the last member of an entry's body.
static void add_timestamp(struct buf *body, int64_t at_ms) {
    char timestamp[CLOCK_ISO8601_SIZE];
    clock_iso8601(at_ms, timestamp);
    buf_printf(body, ",\"timestamp\":\"%s\"", timestamp);
}

static void reply_created(struct http_exchange *x, const struct engine_entry *e) {
    static const char before[] = "{\"success\":true,\"comment\":", after[] = "}";
    struct buf b = {0};
    buf_add(&b, before, sizeof before - 1);
    entry_write(&b, e);
    buf_add(&b, after, sizeof after - 1);
    http_reply(x, &(struct http_reply){.status = 201, .body = b.data, .body_len = b.len});
    buf_release(&b);
}

// Replies to a repeat as to the first: the same comment, with the first one's number and time.
static void reply_repeated(const struct posting *p, const struct engine_entry *e, int64_t at_ms) {
    struct buf body = {0};
    buf_add(&body, p->content, p->content_len);
    add_timestamp(&body, at_ms);
    struct engine_entry first = *e;
    first.body = body.data;
    first.body_len = body.len;
    reply_created(p->exchange, &first);
    buf_release(&body);
}

// Replies as if the comment had been stored, and lets its author's own streams have it. Its id has an epoch
// before all others: none is called that, and a client that resumed from it would miss nothing. A repeat by
// the Idempotency-Key has the same one.
static void reply_shadowed(const struct posting *p, const struct engine_entry *asked) {
    struct engine *engine = p->api->placed.service.engine;
    struct engine_entry e = *asked;
    struct buf message = {0};
    char digits[8]; // of the name by which its token, too, is known everywhere
    snprintf(digits, sizeof digits, "%.7s", p->held_id);
    e.at = (struct position){.epoch = 1, .seq = strtoul(digits, NULL, 16) % 1000000 + 1};
    buf_printf(&message, "%s ", p->videoid);
    entry_write(&message, &e);
    engine->ops->notify(engine, SHADOWED_TOPIC, message.data, message.len);
    buf_release(&message);
    reply_created(p->exchange, &e);
}

// Of one that was refused: whether it is stored after all, and waits.
static bool posting_waits(const struct posting *p) {
    return p->refusal.why == REFUSED_HELD || p->refusal.why == REFUSED_DELAYED;
}

static void reply_refused(const struct posting *p, const struct engine_entry *asked) {
    const struct engine_refusal *r = &p->refusal;
    if (posting_waits(p))
        held_desk_expect(p->api->held, p->videoid, r->number, r->why == REFUSED_HELD ? r->waiting : 0);
    gated_reply(p->exchange, r, p->held_id, asked);
}

// Whether an entry's body is this content and a timestamp. The content ends with the quote of its last text.
static bool has_same_content(const struct posting *p, const struct engine_entry *e) {
    return p->content && e->body_len > p->content_len && !memcmp(e->body, p->content, p->content_len) &&
           e->body[p->content_len] == ',';
}

static enum post_result post_result_of(enum engine_status status, bool repeated) {
    switch (status) {
    case ENGINE_OK: return repeated ? POST_REPEATED : POST_ACCEPTED;
    case ENGINE_FULL: return POST_TOO_MANY_VIDEOS;
    case ENGINE_BUSY: return POST_OVERLOADED;
    case ENGINE_STORE_FULL: return POST_STORE_FULL;
    case ENGINE_KEY_REUSED: return POST_KEY_REUSED;
    case ENGINE_REFUSED: return POST_REFUSED;
    default: return POST_STORE_UNAVAILABLE;
    }
}

static void count_post(struct comment_api *a, const struct posting *p, enum engine_status status,
                       bool repeated) {
    enum post_result result = post_result_of(status, repeated);
    if (result == POST_REFUSED && posting_waits(p)) result = POST_HELD;
    a->counters.posts[result]++;
    if (result == POST_ACCEPTED) durations_add(&a->counters.commits, clock_monotonic_us() - p->began_us);
}

static void on_comment_appended(void *arg, enum engine_status status, const struct engine_entry *e,
                                const struct engine_first *first) {
    struct posting *p = arg;
    struct comment_api *a = p->api;
    bool whole = first && first->whole; // the first one was stored by an earlier version
    if (status == ENGINE_OK && whole && !has_same_content(p, e)) status = ENGINE_KEY_REUSED;
    count_post(a, p, status, first);
    switch (status) {
    case ENGINE_OK:
        if (!first) video_counts_add(&a->counts, p->videoid);
        if (log_sample(&a->sampler, "comment", POSTED_LINES, loop_now_ms(a->placed.service.loop))) {
            char id[POSITION_TEXT_SIZE], client[HTTP_ADDRESS_SIZE];
            position_format(e->at, id);
            http_request_client(p->exchange->request, client, sizeof client);
            log_info("comment", "published", "video=%s id=%s client=%s", p->videoid, id, client);
        }
        if (first && !whole)
            reply_repeated(p, e, first->at_ms);
        else
            reply_created(p->exchange, e);
        break;
    case ENGINE_FULL: placement_reply_full(&a->placed, p->exchange, p->videoid); break;
    case ENGINE_BUSY:
        reply_unavailable(p->exchange, "overloaded", "Too many comments are waiting; try again soon.");
        break;
    case ENGINE_STORE_FULL:
        reply_unavailable(p->exchange, "store_full",
                          "The store is full and accepts no comments; try again later.");
        break;
    case ENGINE_KEY_REUSED:
        http_reply_error(
            p->exchange, 422, "key_reused",
            "This Idempotency-Key was already used for another comment; use a new key for each comment.");
        break;
    case ENGINE_REFUSED:
        if (p->refusal.why == REFUSED_SHADOWED)
            reply_shadowed(p, e);
        else
            reply_refused(p, e);
        break;
    default:
        reply_unavailable(p->exchange, "store_unavailable",
                          "The comment could not be stored; try again soon.");
        break;
    }
    if (status != ENGINE_OK && !(status == ENGINE_REFUSED && posting_waits(p))) moderated_forget(a, p->noted);
    free(p->noted);
    free(p->content);
    free(p);
}

// The entry's body, to which the timestamp has to be added.
static void build_content(struct buf *b, const struct comment_draft *d, const struct comment_text *comment) {
    buf_clear(b);
    buf_printf(b, "\"userid\":\"%s\",\"videoid\":\"%s\"", d->user, d->video); // ids need no escaping
    if (d->name.text) {
        buf_add_string(b, ",\"name\":");
        json_text_add(b, d->name.text, d->name.len);
    }
    if (*d->badges) buf_printf(b, ",\"badges\":%s", d->badges);
    buf_add_string(b, ",\"comment\":");
    json_text_add(b, comment->text, comment->len);
}

// Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header): a repeat by the same user for the same
// video gets the first answer. Returns false if it was refused.
static bool read_key(struct http_exchange *x, const char *userid, char *token, size_t size) {
    const char *key = http_request_header(x->request, "idempotency-key");
    token[0] = 0;
    if (!key || !*key) return true;
    if (strlen(key) > KEY_MAX) {
        http_reply_error(x, 400, "invalid_field", "Idempotency-Key must be at most 128 bytes.");
        return false;
    }
    snprintf(token, size, "%s %s", userid, key);
    return true;
}

// Two posts with one key are the same if their digests are equal. The digest is that of the comment's JSON
// without the id, up to the timestamp, which every process builds alike, also one of an earlier version.
static void make_comment_token(struct engine_token *t, const char *name, const struct buf *content,
                               int64_t now_ms) {
    unsigned char digest[SHA256_SIZE];
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, name, strlen(name));
    sha256_end(&h, digest);
    memcpy(t->name, digest, sizeof t->name);
    sha256_init(&h);
    sha256_add(&h, "{", 1);
    sha256_add(&h, content->data, content->len);
    sha256_end(&h, digest);
    memcpy(t->digest, digest, sizeof t->digest);
    t->at_ms = now_ms;
    t->old_name = name;
}

// Counts and refuses the comment if there have been too many of `name`.
static bool take_of(struct comment_api *a, struct http_exchange *x, struct rate_limit *limit,
                    const char *name, enum post_result result) {
    static const struct http_refusal refusals[] = {
        [POST_TOO_FAST] = {429, "too_fast", "You are posting too fast; wait a moment."},
        [POST_VIDEO_TOO_FAST] = {429, "video_too_fast", "Too many are posting here; wait a moment."}};
    int wait_s = limit ? rate_limit_take(limit, name, 1, loop_now_ms(a->placed.service.loop)) : 0;
    if (!wait_s) return true;
    struct http_refusal later = refusals[result];
    later.retry_after_s = wait_s;
    http_reply_refusal(x, &later);
    a->counters.posts[result]++;
    return false;
}

static bool within_rate(struct comment_api *a, struct http_exchange *x, const char *user, const char *video) {
    if (!take_of(a, x, a->of_user, user, POST_TOO_FAST)) return false;
    if (!http_request_limits_key(x->request)) return true;
    return take_of(a, x, a->of_limited_user, user, POST_TOO_FAST) &&
           take_of(a, x, a->of_limited_video, video, POST_VIDEO_TOO_FAST);
}

// With a token user and name are the token's. The body need not name the user, but may not name another; a
// name in it is ignored.
static bool take_author(struct http_exchange *x, const struct identity *who, struct body_field *user,
                        struct body_field *name) {
    if (who->kind != IDENTITY_USER) return body_id(x, user);
    bool names_one = user->state != BODY_ABSENT;
    if (names_one && !body_id(x, user)) return false;
    if (names_one && !identity_user(who, user->text)) {
        return rights_refuse(x, IDENTITY_OTHER_USER);
    }
    snprintf(user->text, user->size, "%s", who->user);
    name->state = who->name[0] ? BODY_TEXT : BODY_ABSENT;
    name->len = (size_t)snprintf(name->text, name->size, "%s", who->name);
    return true;
}

static bool read_texts(struct comment_api *a, struct http_exchange *x, const struct body_field *comment,
                       const struct body_field *name) {
    if (!body_text(x, comment, 1, COMMENT_MAX) || !body_text(x, name, 0, NAME_MAX_BYTES)) return false;
    enum text_rule broken = body_comment_rule(x, comment, &a->texts);
    if (!broken) broken = body_name_rule(x, name, &a->texts);
    if (broken) a->counters.broken[broken]++;
    return !broken;
}

// Writes the entry's body without its timestamp, and the token of a post with a key, which is that of the
// comment as it was sent.
static void prepare_content(struct comment_api *a, const struct comment_draft *d, struct posting *p,
                            struct engine_token *token, int64_t now_ms) {
    build_content(&a->scratch, d, d->sent.text ? &d->sent : &d->comment);
    if (d->key[0]) make_comment_token(token, d->key, &a->scratch, now_ms);
    if (d->sent.text) build_content(&a->scratch, d, &d->comment);
    if (!d->key[0]) return;
    p->content_len = a->scratch.len;
    p->content = mem_strndup(a->scratch.data, p->content_len);
}

static void comment_append(struct comment_api *a, struct http_exchange *x, const struct comment_draft *d) {
    struct engine *e = a->placed.service.engine;
    struct engine_token token;
    struct gated gated;
    int64_t now_ms = clock_wall_ms();
    if (a->registrar) registrar_note(a->registrar, d->video);
    struct posting *p = mem_zalloc(sizeof *p);
    p->api = a;
    p->exchange = x;
    p->began_us = d->began_us;
    memcpy(p->videoid, d->video, strlen(d->video) + 1);
    if (d->is_noted) p->noted = moderated_keep(d);
    prepare_content(a, d, p, &token, now_ms);
    add_timestamp(&a->scratch, now_ms);
    const struct engine_gate *gate = gated_describe(&gated, d, d->key[0] ? &token : NULL, &p->refusal);
    snprintf(p->held_id, sizeof p->held_id, "%s", gate->id);
    e->ops->append(e,
                   &(struct engine_append){.video = d->video,
                                           .kind = ENTRY_COMMENT,
                                           .body = a->scratch.data,
                                           .body_len = a->scratch.len,
                                           .token = d->key[0] ? &token : NULL,
                                           .gate = gate},
                   on_comment_appended, p);
}

static struct comment_text text_of(const struct body_field *f) {
    bool is_there = f->state == BODY_TEXT;
    return (struct comment_text){.text = is_there ? f->text : NULL, .len = is_there ? f->len : 0};
}

static void on_video_refused(void *arg, enum video_state state) {
    static const enum post_result results[] = {[VIDEO_UNSURE] = POST_STORE_UNAVAILABLE,
                                               [VIDEO_UNKNOWN] = POST_UNKNOWN_VIDEO,
                                               [VIDEO_CLOSED] = POST_VIDEO_CLOSED};
    struct comment_api *a = arg;
    a->counters.posts[results[state]]++;
}

static void handle_comment(struct http_exchange *x, void *arg) {
    enum { USER, VIDEO, COMMENT, NAME, FIELDS };
    struct comment_api *a = arg;
    char user[ID_MAX + 1], video[ID_MAX + 1], comment[COMMENT_MAX + 1], name[NAME_MAX_BYTES + 1];
    struct body_field f[FIELDS] = {[USER] = BODY_FIELD("userid", user),
                                   [VIDEO] = BODY_FIELD("videoid", video),
                                   [COMMENT] = BODY_FIELD("comment", comment),
                                   [NAME] = BODY_FIELD("name", name)};
    char key[ID_MAX + KEY_MAX + 2];
    struct identity who;
    enum rights_outcome rights = rights_read(&a->placed.service, x, &who);
    if (rights == RIGHTS_AWAITED) return;
    bool known = rights == RIGHTS_READ;
    bool read =
        known && body_read(x, f, FIELDS) && take_author(x, &who, &f[USER], &f[NAME]) && body_id(x, &f[VIDEO]);
    bool may = read && rights_check(x, &who, IDENTITY_POST, video);
    if (!may || !read_texts(a, x, &f[COMMENT], &f[NAME]) || !read_key(x, user, key, sizeof key)) {
        a->counters.posts[known && read == may ? POST_INVALID : POST_NOT_ALLOWED]++;
        return;
    }
    if (!known_videos_admit(&a->placed.service, x, video, on_video_refused, handle_comment, a)) return;
    if (!within_rate(a, x, user, video)) return;
    struct comment_draft draft = {.user = user,
                                  .video = video,
                                  .badges = who.badges,
                                  .key = key,
                                  .bound = gated_binds(&a->placed.service, x, &who, video),
                                  .name = text_of(&f[NAME]),
                                  .comment = text_of(&f[COMMENT]),
                                  .began_us = clock_monotonic_us()};
    if (moderated_pass(a, x, &draft, comment_append)) comment_append(a, x, &draft);
}

static void reply_statistics(const struct waiting_request *w, const struct http_client_response *answer) {
    struct http_exchange *x = w->exchange;
    if (!answer->error && answer->status == 200)
        visible_reply_statistics(x, answer->body, answer->body_len, w->sees_all);
    else
        reply_unavailable(x, "statistics_unavailable", "The statistics service does not answer.");
}

// Requests that arrive while these are answered make the next query.
static void on_statistics_document(void *arg, const struct http_client_response *answer) {
    struct comment_api *a = arg;
    struct waiting_request *waiting = a->waiting;
    a->waiting = NULL;
    while (waiting) {
        struct waiting_request *next = waiting->next;
        reply_statistics(waiting, answer);
        free(waiting);
        waiting = next;
    }
}

// One query at a time, shared by all requests that arrive meanwhile: the document may be large.
static void handle_comment_statistics(struct http_exchange *x, void *arg) {
    struct comment_api *a = arg;
    if (!a->statistics_url[0]) {
        reply_unavailable(x, "statistics_unavailable", "No statistics service is configured.");
        return;
    }
    struct waiting_request *w = mem_alloc(sizeof *w);
    struct identity who;
    rights_look(&a->placed.service, x, &who);
    *w = (struct waiting_request){x, identity_may(&who, IDENTITY_READ, "*"), a->waiting};
    a->waiting = w;
    if (w->next) return;
    http_client_request(a->client,
                        &(struct http_client_request){.method = "GET",
                                                      .url = a->statistics_url,
                                                      .authorization = a->authorization,
                                                      .timeout_ms = STATISTICS_TIMEOUT_MS,
                                                      .response_max = STATISTICS_MAX_BYTES},
                        on_statistics_document, a);
}

static void handle_comment_list(struct http_exchange *x, void *arg) {
    struct comment_api *a = arg;
    const char *video = http_request_param(x->request, 0);
    if (!rights_have(&a->placed.service, x, IDENTITY_READ, video ? video : "") || !path_id(x, &video) ||
        !known_videos_admit(&a->placed.service, x, video, NULL, handle_comment_list, a))
        return;
    a->counters.listings++;
    comment_list_handle(x, a);
}

static void handle_replay(struct http_exchange *x, void *arg) {
    struct comment_api *a = arg;
    const char *video = http_request_param(x->request, 0);
    if (rights_have(&a->placed.service, x, IDENTITY_READ, video ? video : "") && path_id(x, &video) &&
        known_videos_admit(&a->placed.service, x, video, NULL, handle_replay, a))
        replays_answer(&a->replays, x, video);
}

static void handle_comment_videos(struct http_exchange *x, void *arg) {
    struct comment_api *a = arg;
    videos_query_reply(a->videos, &a->placed.service, a->authorization, x);
}

// The videos most recently commented on. Their subscribers are in the reports of the readers.
static void comment_add_videos(struct service *s, json_t *report) {
    struct comment_api *a = (struct comment_api *)s;
    json_object_set_new(report, "commentsByVideo", video_counts_report(a->counts));
}

static bool comment_ready(struct service *s, const char **why) {
    const struct comment_api *a = (struct comment_api *)s;
    if (placement_ready(a->placed.placement)) return true;
    *why = "The list of readers has not been read yet.";
    return false;
}

static const struct service_kind comment_kind = {.role = "comment",
                                                 .metrics = comment_metrics,
                                                 .ready = comment_ready,
                                                 .report_path = "/comment-api-statistics",
                                                 .reports_often = true,
                                                 .add_to_report = comment_add_videos};

static void set_rate(struct rate_limit **limit, unsigned rate, unsigned burst) {
    if (*limit && rate) {
        rate_limit_set(*limit, rate, burst);
        return;
    }
    rate_limit_free(*limit);
    *limit = rate ? rate_limit_new(rate, burst) : NULL;
}

void comment_api_set_limits(struct comment_api *a, const struct comment_rates *rates,
                            const struct text_rules *texts, const struct review_bounds *review,
                            int64_t log_age_ms) {
    a->texts = *texts;
    if (a->registrar) registrar_set_idle(a->registrar, log_age_ms);
    if (a->review) review_set(a->review, review);
    set_rate(&a->of_user, rates->user, rates->user);
    set_rate(&a->of_limited_user, rates->limited_user, 2 * rates->limited_user);
    set_rate(&a->of_limited_video, rates->limited_video, 2 * rates->limited_video);
}

void comment_api_set_token(struct comment_api *a, const char *token) {
    if (a->registrar) registrar_set_token(a->registrar, token);
    free(a->authorization);
    a->authorization = http_client_bearer(token);
}

struct comment_api *comment_api_new(struct loop *loop, struct engine *engine, struct placement *placement,
                                    struct http_client *client, const struct comment_config *config) {
    struct comment_api *a = mem_zalloc(sizeof *a);
    service_init(&a->placed.service, &comment_kind, loop, engine, client, &config->service);
    a->placed.placement = placement;
    a->client = client;
    a->replays.engine = engine;
    if (config->manager_url)
        a->registrar =
            registrar_new(loop, client, config->manager_url, config->log_age_ms, config->service.token);
    comment_api_set_token(a, config->service.token);
    a->first = config->first;
    if (config->review_url)
        a->review = review_new(
            loop,
            &(struct review_config){.url = config->review_url, .tls = config->review_tls, .texts = &a->texts},
            &config->review);
    comment_api_set_limits(a, &config->rates, &config->texts, &config->review, config->log_age_ms);
    a->held = held_desk_new(a);
    a->reactions = reactions_new(a);
    a->videos = videos_query_new(client, config->service.statistics_url,
                                 config->service.process ? config->service.process->known : NULL);
    if (config->service.statistics_url)
        snprintf(a->statistics_url, sizeof a->statistics_url, "%s/statistics",
                 config->service.statistics_url);
    return a;
}

void comment_api_free(struct comment_api *a) {
    if (!a) return;
    service_release(&a->placed.service);
    replays_stop(&a->replays);
    erasure_stop(a);
    registrar_free(a->registrar);
    review_free(a->review);
    held_desk_free(a->held);
    reactions_free(a->reactions);
    videos_query_free(a->videos);
    rate_limit_free(a->of_user);
    rate_limit_free(a->of_limited_user);
    rate_limit_free(a->of_limited_video);
    video_counts_free(a->counts);
    buf_release(&a->scratch);
    free(a->authorization);
    free(a);
}

static const struct http_route comment_routes[] = {
    {"POST", "/comment", .handle = handle_comment, .body_max = COMMENT_BODY_MAX, .guard = body_guard},
    {"GET", "/videos/:videoid/comments", .handle = handle_comment_list},
    {"GET", "/videos/:videoid/replay", .handle = handle_replay},
    {"GET", "/statistics", .handle = handle_comment_statistics},
    {"GET", "/videos", .handle = handle_comment_videos},
    {"GET", "/videos/:videoid", .handle = video_routes_get},
    {"PUT", "/videos/:videoid", .handle = video_routes_put, .body_max = IDS_BODY_MAX, .guard = body_guard},
    {"DELETE", "/videos/:videoid", .handle = video_routes_delete},
    {"GET", "/videos/:videoid/room", .handle = room_routes_get},
    {"PATCH", "/videos/:videoid/room", .handle = room_routes_patch, .body_max = IDS_BODY_MAX,
     .guard = body_guard},
    {"POST", "/videos/:videoid/reactions", .handle = handle_reaction, .body_max = IDS_BODY_MAX,
     .guard = body_guard},
    {"GET", "/videos/:videoid/held", .handle = held_desk_list},
    {"POST", "/videos/:videoid/held/:hid", .handle = held_desk_decide, .body_max = IDS_BODY_MAX,
     .guard = body_guard},
    {"GET", "/videos/:videoid/bans", .handle = room_routes_bans},
    {"PUT", "/videos/:videoid/bans/:userid", .handle = room_routes_ban, .body_max = IDS_BODY_MAX,
     .guard = body_guard},
    {"DELETE", "/videos/:videoid/bans/:userid", .handle = room_routes_lift},
    {"DELETE", "/users/:userid/comments", .handle = erasure_handle},
    {"DELETE", "/videos/:videoid/comments/:id", .handle = amendment_delete_comment},
    {"PUT", "/videos/:videoid/pin", .handle = amendment_pin, .body_max = IDS_BODY_MAX, .guard = body_guard},
    {"DELETE", "/videos/:videoid/pin", .handle = amendment_unpin},
    {"POST", "/videos/:videoid/start", .handle = amendment_start},
    {"POST", "/videos/:videoid/end", .handle = amendment_end},
    {"GET", "/videos/:videoid/audit", .handle = audit_list},
    {0},
};

const struct http_route *const comment_tables[] = {service_routes, comment_routes, placement_routes, NULL};
