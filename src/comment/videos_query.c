#include "videos_query.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/uthash.h"
#include "http/client.h"
#include "http/exchange.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/known_videos.h"
#include "service/rights.h"
#include "service/visible.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 100, TIMEOUT_MS = 5000, ANSWER_MAX_BYTES = 65536 };

struct waiting_list {
    struct http_exchange *exchange;
    uint32_t limit;
    struct identity who;
    struct waiting_list *next;
};

struct videos_query {
    struct http_client *client;
    struct known_videos *known;   // NULL: all exist
    char url[640];                // empty: there is no statistics service
    struct waiting_list *waiting; // not NULL: a query is running
};

struct videos_query *videos_query_new(struct http_client *client, const char *statistics_url,
                                      struct known_videos *known) {
    struct videos_query *q = mem_zalloc(sizeof *q);
    q->known = known;
    q->client = client;
    if (statistics_url) snprintf(q->url, sizeof q->url, "%s/videos?limit=%d", statistics_url, LIMIT_MAX);
    return q;
}

void videos_query_free(struct videos_query *q) {
    free(q);
}

// An answer, and the requests that it is for.
struct videos_answer {
    json_t *all; // NULL: there is none
    struct known_videos *known;
    struct waiting_list *waiting;
};

static void on_videos_known(void *arg) {
    struct videos_answer *a = arg;
    struct waiting_list *w, *next;
    LL_FOREACH_SAFE(a->waiting, w, next) {
        json_t *seen = visible_videos(a->all, a->known, &w->who, w->limit);
        if (seen)
            reply_json(w->exchange, 200, seen);
        else
            reply_unavailable(w->exchange, "statistics_unavailable",
                              "The statistics service does not answer.");
        free(w);
    }
    json_decref(a->all);
    free(a);
}

static void on_videos(void *arg, const struct http_client_response *answer) {
    struct videos_query *q = arg;
    bool answered = !answer->error && answer->status == 200;
    struct videos_answer *a = mem_alloc(sizeof *a);
    *a = (struct videos_answer){.known = q->known, .waiting = q->waiting};
    if (answered) a->all = json_loadb(answer->body, answer->body_len, 0, NULL);
    q->waiting = NULL;
    if (!a->known || known_videos_prepare(a->known, a->all, on_videos_known, a)) on_videos_known(a);
}

void videos_query_reply(struct videos_query *q, const struct service *s, const char *authorization,
                        struct http_exchange *x) {
    uint32_t limit = LIMIT_DEFAULT;
    if (!query_number(x, "limit", 1, LIMIT_MAX, &limit)) return;
    if (!q->url[0]) {
        reply_unavailable(x, "statistics_unavailable", "No statistics service is configured.");
        return;
    }
    struct waiting_list *w = mem_alloc(sizeof *w);
    *w = (struct waiting_list){.exchange = x, .limit = limit, .next = q->waiting};
    rights_look(s, x, &w->who);
    q->waiting = w;
    if (w->next) return;
    http_client_request(q->client,
                        &(struct http_client_request){.method = "GET",
                                                      .url = q->url,
                                                      .authorization = authorization,
                                                      .timeout_ms = TIMEOUT_MS,
                                                      .response_max = ANSWER_MAX_BYTES},
                        on_videos, q);
}
