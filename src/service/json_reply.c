#include "service/json_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/exchange.h"

void reply_json(struct http_exchange *x, int status, json_t *owned) {
    reply_json_with(x, status, NULL, owned);
}

void reply_json_with(struct http_exchange *x, int status, const char *headers, json_t *owned) {
    char *text = json_dumps(owned, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(owned);
    if (!text) {
        reply_unavailable(x, "out_of_memory", "There is not enough memory to build the response.");
        return;
    }
    http_reply(x, &(struct http_reply){.status = status,
                                       .body = text,
                                       .body_len = strlen(text),
                                       .retry_after_s = status == 503 ? 1 : 0,
                                       .headers = headers});
    free(text);
}

void reply_unavailable(struct http_exchange *x, const char *code, const char *sentence) {
    char body[512];
    int len = snprintf(body, sizeof body, "{\"error\":\"%s\",\"code\":\"%s\"}", sentence, code);
    http_reply(
        x, &(struct http_reply){.status = 503, .body = body, .body_len = (size_t)len, .retry_after_s = 1});
}

void reply_store_failed(struct http_exchange *x, enum engine_status status) {
    if (status == ENGINE_BUSY)
        reply_unavailable(x, "overloaded", "Too many requests are waiting; try again soon.");
    else if (status == ENGINE_STORE_FULL)
        reply_unavailable(x, "store_full", "The store is full; try again later.");
    else
        reply_unavailable(x, "store_unavailable", "The store does not answer; try again soon.");
}
