#include "http/exchange.h"

#include <stdio.h>

#include "memory.h"
#include "request_parts.h"

enum { SMALL_BYTES = 1024 }; // of a body that is kept anyway

bool http_exchange_is_handled(const struct http_exchange *x) {
    return !x->refusal.status && (x->match.route || x->match.asset);
}

bool http_exchange_keep_body(struct http_exchange *x) {
    x->keeps_body = x->request->body.cap <= SMALL_BYTES || !http_memory_is_used_up();
    return x->keeps_body;
}

void http_reply_refusal(struct http_exchange *x, const struct http_refusal *r) {
    char body[512];
    int len = snprintf(body, sizeof body, "{\"error\":\"%s\",\"code\":\"%s\"}", r->sentence, r->code);
    http_reply(x, &(struct http_reply){.status = r->status,
                                       .body = body,
                                       .body_len = (size_t)len,
                                       .retry_after_s = r->retry_after_s,
                                       .headers = r->headers});
}

void http_reply_error(struct http_exchange *x, int status, const char *code, const char *sentence) {
    struct http_refusal r;
    http_refuse(&r, status, code, sentence);
    http_reply_refusal(x, &r);
}
