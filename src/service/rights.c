#include "service/rights.h"

#include "base/clock.h"
#include "http/exchange.h"
#include "identity/keys.h"
#include "service/internal_only.h"
#include "service/service.h"

bool rights_refuse(struct http_exchange *x, enum identity_verdict v) {
    struct http_refusal refusal;
    identity_refuse(&refusal, v);
    http_reply_refusal(x, &refusal);
    return false;
}

// Calls the handler again. Returns false if it is no longer there.
static bool rights_handle_again(struct http_exchange *x) {
    if (x->match.mount->closed) return false;
    x->match.route->handle(x, x->match.mount->arg);
    return true;
}

// Where the keys have not come the handler is called for rights_read() to refuse, so that it can count that.
static void on_keys_awaited(void *arg, enum identity_keys_fate fate) {
    struct http_exchange *x = arg;
    if (fate == IDENTITY_KEYS_FAILED) identity_refuse(&x->refusal, IDENTITY_NO_KEYS);
    if (fate == IDENTITY_KEYS_ENDED || !rights_handle_again(x)) rights_refuse(x, IDENTITY_NO_KEYS);
}

static void on_stream_keys_awaited(void *arg, enum identity_keys_fate fate) {
    if (fate != IDENTITY_KEYS_CAME || !rights_handle_again(arg)) http_abort(arg);
}

enum rights_outcome rights_read(const struct service *s, struct http_exchange *x, struct identity *who) {
    struct identity_keys *keys = s->process ? s->process->keys : NULL;
    if (x->refusal.status) { // while it waited
        http_reply_refusal(x, &x->refusal);
        return RIGHTS_REFUSED;
    }
    enum identity_verdict v =
        identity_of_request(keys, x->request, IDENTITY_HEADERS, clock_wall_ms() / 1000, who);
    if (v == IDENTITY_NO_KEYS && x->match.route && http_exchange_keep_body(x) &&
        identity_keys_await(keys, http_request_limits_key(x->request), on_keys_awaited, x))
        return RIGHTS_AWAITED;
    if (v) rights_refuse(x, v);
    return v ? RIGHTS_REFUSED : RIGHTS_READ;
}

// A client that sends Authorization sees why, and may have another token.
static bool rights_end_session(struct http_exchange *x) {
    if (http_request_header(x->request, "authorization")) return rights_refuse(x, IDENTITY_EXPIRED);
    http_reply(x, &(struct http_reply){.status = 204, .headers = "Cache-Control: no-store\r\n"});
    return false;
}

bool rights_read_stream(const struct service *s, struct http_exchange *x, bool resumes,
                        struct identity *who) {
    struct identity_keys *keys = s->process ? s->process->keys : NULL;
    int64_t now_s = clock_wall_ms() / 1000;
    enum identity_verdict v =
        resumes ? identity_of_session(keys, x->request, IDENTITY_HEADERS_OR_QUERY, now_s, who)
                : identity_of_request(keys, x->request, IDENTITY_HEADERS_OR_QUERY, now_s, who);
    if (!v && who->kind == IDENTITY_USER && who->until_s <= now_s) v = IDENTITY_EXPIRED;
    if (!v) return true;
    if (v == IDENTITY_EXPIRED && resumes) return rights_end_session(x);
    if (v != IDENTITY_NO_KEYS) return rights_refuse(x, v);
    if (!x->match.route || !http_exchange_keep_body(x) ||
        !identity_keys_await(keys, http_request_limits_key(x->request), on_stream_keys_awaited, x))
        http_abort(x);
    return false;
}

bool rights_check(struct http_exchange *x, const struct identity *who, enum identity_right right,
                  const char *video) {
    return identity_may(who, right, video) || rights_refuse(x, IDENTITY_NOT_ALLOWED);
}

bool rights_have(const struct service *s, struct http_exchange *x, enum identity_right right,
                 const char *video) {
    struct identity who;
    return rights_read(s, x, &who) == RIGHTS_READ && rights_check(x, &who, right, video);
}

static bool rights_are_of_service(const struct service *s, const struct http_exchange *x) {
    struct http_refusal ignored;
    return !s->process || !s->process->keys ||
           internal_only_guard(s->process->internal, x->request, &ignored);
}

void rights_look(const struct service *s, struct http_exchange *x, struct identity *who) {
    *who = (struct identity){.kind = IDENTITY_SERVICE, .rights = IDENTITY_ALL, .videos = "*"};
    if (rights_are_of_service(s, x)) return;
    enum identity_verdict v =
        identity_of_request(s->process->keys, x->request, IDENTITY_HEADERS, clock_wall_ms() / 1000, who);
    if (v) *who = (struct identity){.kind = IDENTITY_ANONYMOUS};
}

bool rights_administer(const struct service *s, struct http_exchange *x, const char *video) {
    struct http_refusal refusal;
    if (s->process && s->process->keys) return rights_have(s, x, IDENTITY_MODERATE, video);
    if (s->process && internal_only_page_guard(s->process->internal, x->request, &refusal)) return true;
    if (!s->process) http_refuse(&refusal, 403, "forbidden", "Only services may do this.");
    http_reply_refusal(x, &refusal);
    return false;
}

bool rights_have_or_internal(const struct service *s, struct http_exchange *x, enum identity_right right,
                             const char *video) {
    return rights_are_of_service(s, x) || rights_have(s, x, right, video);
}
