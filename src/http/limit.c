#include "limit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/process_wide.h"
#include "http/exchange.h"
#include "http/limited.h"
#include "http/request.h"
#include "net/address.h"
#include "request_parts.h"

enum { LOG_EVERY_MS = 10000, RETRY_MS = 20000 };

PROCESS_WIDE static int64_t next_line_ms;
PROCESS_WIDE static uint64_t unlogged;
PROCESS_WIDE static bool proxy_logged;
PROCESS_WIDE static uint64_t counts[HTTP_LIMITED_KINDS];

void http_limit_count(enum http_limited kind) {
    counts[kind]++;
}

uint64_t http_limited(enum http_limited kind) {
    return counts[kind];
}

static void limit_log_client(const char *client, const char *code, int64_t now_ms) {
    unlogged++;
    if (now_ms < next_line_ms) return;
    log_warn("http", "limited", "address=%s code=%s limited=%llu", client, code,
             (unsigned long long)unlogged);
    next_line_ms = now_ms + LOG_EVERY_MS;
    unlogged = 0;
}

// A proxy that is not trusted has all its clients limited as one: the remedy is logged once.
static void limit_log(const struct http_exchange *x, const char *code, int64_t now_ms) {
    char peer[HTTP_ADDRESS_SIZE], client[HTTP_ADDRESS_SIZE];
    http_request_peer(x->request, peer, sizeof peer);
    http_request_client(x->request, client, sizeof client);
    if (!proxy_logged && x->request->is_unnamed) {
        proxy_logged = true;
        log_warn(
            "http", "limited_unnamed",
            "address=%s code=%s why=\"the proxy does not tell whose requests it forwards: all without an "
            "address count as one\" action=\"have it send X-Forwarded-For with their addresses\"",
            client, code);
    } else if (!proxy_logged && http_request_is_forwarded(x->request) && !strcmp(peer, client)) {
        proxy_logged = true;
        log_warn("http", "limited_proxy",
                 "address=%s code=%s why=\"its requests have headers of a proxy\" action=\"if it is yours, "
                 "name it in --trusted-proxies\"",
                 peer, code);
    }
    limit_log_client(client, code, now_ms);
}

void http_limit_refuse_connection(const union address *peer, int64_t now_ms) {
    char client[HTTP_ADDRESS_SIZE];
    http_limit_count(HTTP_LIMITED_CONNECTIONS);
    address_format(peer, client, sizeof client);
    limit_log_client(client, "too_many_connections", now_ms);
}

static enum http_limit_verdict limit_refuse(struct http_exchange *x, const char *code, const char *sentence,
                                            int64_t now_ms) {
    http_refuse(&x->refusal, 429, code, sentence);
    x->refusal.retry_after_s = 1;
    limit_log(x, code, now_ms);
    return HTTP_LIMIT_REFUSED;
}

static enum http_limit_verdict limit_check_stream(const struct http_exchange *x, address_key key,
                                                  bool is_crowding, bool counts_streams, int64_t now_ms) {
    if (counts_streams) is_crowding = !address_limits_may_connect(key, now_ms);
    if (!is_crowding && address_limits_may_open(key)) return HTTP_LIMIT_PASSED;
    if (!is_crowding) http_limit_count(HTTP_LIMITED_STREAMS);
    if (is_crowding && counts_streams) http_limit_count(HTTP_LIMITED_CONNECTS);
    limit_log(x, is_crowding ? "too_many_connects" : "too_many_streams", now_ms);
    return HTTP_LIMIT_TURN_AWAY;
}

enum http_limit_verdict http_limit_check(struct http_exchange *x, address_key key, bool is_crowding,
                                         bool counts_streams, int64_t now_ms) {
    if (!key) return HTTP_LIMIT_PASSED;
    const struct http_route *route = x->match.route;
    if (route && route->streams && !http_request_is_head(x->request) && !x->refusal.status)
        return limit_check_stream(x, key, is_crowding, counts_streams, now_ms);
    if (is_crowding) {
        limit_refuse(x, "too_many_connects", "Your address connects too often; keep connections open.",
                     now_ms);
        return HTTP_LIMIT_CLOSE;
    }
    if (!http_request_writes(x->request) || address_limits_may_post(key, now_ms)) return HTTP_LIMIT_PASSED;
    http_limit_count(HTTP_LIMITED_POSTS);
    return limit_refuse(x, "too_many_posts", "There are too many posts from your address; wait a moment.",
                        now_ms);
}

void http_limit_add_retry(struct buf *out, enum sink_framing framing) {
    char event[96];
    unsigned retry_ms = RETRY_MS + (unsigned)(hash_random() % RETRY_MS);
    int len = snprintf(event, sizeof event, "retry: %u\n: too many streams from your address\n\n", retry_ms);
    if (framing == SINK_CHUNKED) buf_printf(out, "%x\r\n", (unsigned)len);
    buf_add(out, event, (size_t)len);
    if (framing == SINK_CHUNKED) buf_add_string(out, "\r\n");
}
