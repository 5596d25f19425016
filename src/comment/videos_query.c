#include "videos_query.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/client.h"
#include "http/exchange.h"
#include "service/fields.h"
#include "service/json_reply.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 100, TIMEOUT_MS = 5000, ANSWER_MAX_BYTES = 65536 };

struct waiting_list {
    struct http_exchange *exchange;
    uint32_t limit;
    struct waiting_list *next;
};

struct videos_query {
    struct http_client *client;
    char url[640];                // empty: there is no statistics service
    struct waiting_list *waiting; // not NULL: a query is running
};

struct videos_query *videos_query_new(struct http_client *client, const char *statistics_url) {
    struct videos_query *q = mem_zalloc(sizeof *q);
    q->client = client;
    if (statistics_url) snprintf(q->url, sizeof q->url, "%s/videos?limit=%d", statistics_url, LIMIT_MAX);
    return q;
}

void videos_query_free(struct videos_query *q) {
    free(q);
}

// Keeps the first `limit` videos.
static json_t *cut_list(const json_t *answer, uint32_t limit) {
    json_t *cut = json_array(), *video;
    size_t i;
    json_array_foreach(json_object_get(answer, "videos"), i, video) {
        if (i < limit) json_array_append(cut, video);
    }
    return json_pack("{s:o, s:O}", "videos", cut, "total", json_object_get(answer, "total"));
}

static void on_videos(void *arg, const struct http_client_response *answer) {
    struct videos_query *q = arg;
    struct waiting_list *waiting = q->waiting, *next;
    bool answered = !answer->error && answer->status == 200;
    json_t *all = answered ? json_loadb(answer->body, answer->body_len, 0, NULL) : NULL;
    bool well = json_is_array(json_object_get(all, "videos")) && json_object_get(all, "total");
    q->waiting = NULL;
    for (; waiting; waiting = next) {
        next = waiting->next;
        if (well)
            reply_json_with(waiting->exchange, 200, "Cache-Control: no-store\r\n",
                            cut_list(all, waiting->limit));
        else
            reply_unavailable(waiting->exchange, "statistics_unavailable",
                              "The statistics service does not answer.");
        free(waiting);
    }
    json_decref(all);
}

void videos_query_reply(struct videos_query *q, struct http_exchange *x) {
    uint32_t limit = LIMIT_DEFAULT;
    if (!query_number(x, "limit", 1, LIMIT_MAX, &limit)) return;
    if (!q->url[0]) {
        reply_unavailable(x, "statistics_unavailable", "No statistics service is configured.");
        return;
    }
    struct waiting_list *w = mem_alloc(sizeof *w);
    *w = (struct waiting_list){x, limit, q->waiting};
    q->waiting = w;
    if (w->next) return;
    http_client_request(
        q->client,
        &(struct http_client_request){
            .method = "GET", .url = q->url, .timeout_ms = TIMEOUT_MS, .response_max = ANSWER_MAX_BYTES},
        on_videos, q);
}
