#include "gated.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "comment_core.h"
#include "engine/entry.h"
#include "http/exchange.h"
#include "service/internal_only.h"
#include "service/service.h"

bool gated_binds(const struct service *s, const struct http_exchange *x, const struct identity *who,
                 const char *video) {
    if (who->kind == IDENTITY_USER) return !identity_may(who, IDENTITY_MODERATE, video);
    if (who->kind == IDENTITY_SERVICE) return false;
    return !s->process || !internal_only_has_token(s->process->internal, x->request);
}

// ["vip","host"] becomes vip,host: badges need no escaping.
static void list_badges(char *out, const char *json) {
    for (; *json; json++)
        if (!strchr("[]\"", *json)) *out++ = *json;
    *out = 0;
}

// FNV-1a of what is left when case and white space do not count.
static uint64_t hash_text(const char *text, size_t len) {
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ') continue;
        if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
        h = (h ^ c) * 0x100000001b3;
    }
    return h;
}

static int64_t count_characters(const char *text, size_t len) {
    int64_t count = 0;
    for (size_t i = 0; i < len; i++) count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

// Only comments that wait need it.
static void name_comment(char id[ROOM_HELD_ID_SIZE], const struct engine_token *token) {
    unsigned char drawn[ENGINE_DIGEST];
    _Static_assert(sizeof drawn == 2 * sizeof(uint64_t), "two draws");
    for (size_t i = 0; !token && i < sizeof drawn; i += sizeof(uint64_t))
        memcpy(drawn + i, &(uint64_t){hash_random()}, sizeof(uint64_t));
    hex_write(id, token ? token->name : drawn, sizeof drawn);
}

const struct engine_gate *gated_describe(struct gated *g, const struct comment_draft *d,
                                         const struct engine_token *token, struct engine_refusal *refusal) {
    list_badges(g->badges, d->badges);
    name_comment(g->id, token);
    g->gate = (struct engine_gate){.author = d->user,
                                   .badges = g->badges,
                                   .id = g->id,
                                   .text = hash_text(d->comment.text, d->comment.len),
                                   .length = count_characters(d->comment.text, d->comment.len),
                                   .checks = d->holds   ? GATE_HOLD
                                             : d->bound ? GATE_ALL
                                                        : GATE_FREE,
                                   .refusal = refusal};
    return &g->gate;
}

static void reply_with(struct http_exchange *x, int status, const struct engine_refusal *r, int retry_after_s,
                       const char *sentence, const char *more) {
    char body[512];
    int len = snprintf(body, sizeof body, "{\"error\":\"%s\",\"code\":\"%s\"%s}", sentence,
                       room_refusal_code(r->why), more);
    http_reply(x,
               &(struct http_reply){
                   .status = status, .body = body, .body_len = (size_t)len, .retry_after_s = retry_after_s});
}

static void reply_banned(struct http_exchange *x, const struct engine_refusal *r) {
    char until[CLOCK_ISO8601_SIZE], more[CLOCK_ISO8601_SIZE + 16], sentence[CLOCK_ISO8601_SIZE + 64];
    if (!r->number) {
        reply_with(x, 403, r, 0, "You may not write here any more.", ",\"until\":null");
        return;
    }
    clock_iso8601(r->number, until);
    snprintf(more, sizeof more, ",\"until\":\"%s\"", until);
    snprintf(sentence, sizeof sentence, "You may not write here until %s.", until);
    reply_with(x, 403, r, 0, sentence, more);
}

static void reply_later(struct http_exchange *x, const struct engine_refusal *r, const char *format) {
    char sentence[160], more[48];
    int wait_s = (int)((r->number + 999) / 1000);
    snprintf(sentence, sizeof sentence, "%s %d s.", format, wait_s);
    snprintf(more, sizeof more, ",\"retryAfterMs\":%lld", (long long)r->number);
    reply_with(x, 429, r, wait_s, sentence, more);
}

static void reply_waits(struct http_exchange *x, const struct engine_refusal *r, const char *id,
                        const struct engine_entry *asked) {
    struct buf b = {0};
    buf_printf(&b,
               "{\"success\":true,\"held\":{\"id\":\"%s\",\"reason\":\"%s\",\"forMs\":%lld},\"comment\":", id,
               r->why == REFUSED_HELD ? "moderator" : "delay", (long long)r->number);
    entry_write(&b, asked);
    buf_add_string(&b, "}");
    http_reply(x, &(struct http_reply){.status = 202, .body = b.data, .body_len = b.len});
    buf_release(&b);
}

void gated_reply(struct http_exchange *x, const struct engine_refusal *r, const char *id,
                 const struct engine_entry *asked) {
    char sentence[96];
    switch (r->why) {
    case REFUSED_OVER: reply_with(x, 403, r, 0, "This video has ended.", ""); break;
    case REFUSED_BANNED: reply_banned(x, r); break;
    case REFUSED_FROZEN: reply_with(x, 403, r, 0, "Nobody may write here now.", ""); break;
    case REFUSED_NOT_IN_ROOM: reply_with(x, 403, r, 0, "Only some users may write here now.", ""); break;
    case REFUSED_TOO_LONG:
        snprintf(sentence, sizeof sentence, "A comment may have %lld characters here.", (long long)r->number);
        reply_with(x, 422, r, 0, sentence, "");
        break;
    case REFUSED_SLOW: reply_later(x, r, "Slow mode: your next comment may come in"); break;
    case REFUSED_REPEATED:
        reply_with(x, 409, r, 0, "The same was just written here; say something else.", "");
        break;
    case REFUSED_HELD:
    case REFUSED_DELAYED: reply_waits(x, r, id, asked); break;
    default: reply_later(x, r, "Too many are posting here; try again in"); break;
    }
}
