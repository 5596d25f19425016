#include "service/rights.h"

#include "base/clock.h"
#include "http/exchange.h"
#include "service/internal_only.h"
#include "service/service.h"

static bool rights_refuse(struct http_exchange *x, enum identity_verdict v) {
    struct http_refusal refusal;
    identity_refuse(&refusal, v);
    http_reply_refusal(x, &refusal);
    return false;
}

bool rights_read(const struct service *s, struct http_exchange *x, struct identity *who) {
    struct identity_keys *keys = s->process ? s->process->keys : NULL;
    enum identity_verdict v =
        identity_of_request(keys, x->request, IDENTITY_HEADERS, clock_wall_ms() / 1000, who);
    return !v || rights_refuse(x, v);
}

bool rights_check(struct http_exchange *x, const struct identity *who, enum identity_right right,
                  const char *video) {
    return identity_may(who, right, video) || rights_refuse(x, IDENTITY_NOT_ALLOWED);
}

bool rights_have(const struct service *s, struct http_exchange *x, enum identity_right right,
                 const char *video) {
    struct identity who;
    return rights_read(s, x, &who) && rights_check(x, &who, right, video);
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
    if (v || who->kind == IDENTITY_ANONYMOUS) *who = (struct identity){.kind = IDENTITY_ANONYMOUS};
}

bool rights_have_or_internal(const struct service *s, struct http_exchange *x, enum identity_right right,
                             const char *video) {
    return rights_are_of_service(s, x) || rights_have(s, x, right, video);
}
