#include "identity/jwks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/client.h"
#include "identity/keys.h"
#include "net/loop.h"

enum { GAP_MS = 1000, RETRY_MIN_MS = 1000, RETRY_MAX_MS = 30000, WHY_SIZE = 256 };

struct identity_jwks {
    struct loop *loop;
    struct identity_keys *keys;
    struct http_client *client;
    char *url;
    int interval_ms, retry_ms; // retry_ms: after the next failure
    struct loop_timer due;
    bool fetching;
    int64_t began_ms; // the last fetch
    size_t count;     // of the keys that came last
    bool failed;      // the last fetch
};

static void jwks_begin(struct identity_jwks *);

static void on_jwks_due(struct loop_timer *t) {
    jwks_begin(container_of(t, struct identity_jwks, due));
}

static void jwks_fail(struct identity_jwks *j, const char *why) {
    log_error("identity", "keys_failed", "url=%s why=\"%s\" keys=as_before", j->url, why);
    j->failed = true;
    loop_timer_start(j->loop, &j->due, j->retry_ms);
    j->retry_ms = 2 * j->retry_ms < RETRY_MAX_MS ? 2 * j->retry_ms : RETRY_MAX_MS;
}

static void jwks_succeed(struct identity_jwks *j, size_t count, const char *skipped) {
    bool is_news = j->failed || count != j->count;
    if (is_news) log_info("identity", "keys_fetched", "url=%s keys=%zu", j->url, count);
    if (is_news && *skipped) log_warn("identity", "key_skipped", "url=%s why=\"%s\"", j->url, skipped);
    j->failed = false;
    j->count = count;
    j->retry_ms = RETRY_MIN_MS;
    loop_timer_start(j->loop, &j->due, j->interval_ms);
}

static void on_jwks_answer(void *arg, const struct http_client_response *answer) {
    struct identity_jwks *j = arg;
    char why[WHY_SIZE] = "";
    size_t count = 0;
    j->fetching = false;
    if (answer->error == -ECANCELED) return; // identity_jwks_free()
    if (answer->error)
        snprintf(why, sizeof why, "%s",
                 answer->error == -EMSGSIZE ? "the answer is too large" : strerror(-answer->error));
    else if (answer->status != 200)
        snprintf(why, sizeof why, "it answers %d", answer->status);
    else
        count = identity_keys_load(j->keys, answer->body, answer->body_len, why, sizeof why);
    if (count)
        jwks_succeed(j, count, why);
    else
        jwks_fail(j, why);
    identity_keys_settle(j->keys, count ? IDENTITY_KEYS_CAME : IDENTITY_KEYS_FAILED);
}

static void jwks_begin(struct identity_jwks *j) {
    j->fetching = true;
    j->began_ms = loop_now_ms(j->loop);
    identity_keys_ask(j->keys);
    http_client_request(j->client,
                        &(struct http_client_request){.method = "GET",
                                                      .url = j->url,
                                                      .timeout_ms = IDENTITY_JWKS_TIMEOUT_MS,
                                                      .response_max = IDENTITY_KEYS_BYTES},
                        on_jwks_answer, j);
}

void identity_jwks_fetch(struct identity_jwks *j) {
    if (j->fetching) return;
    int64_t wait_ms = j->began_ms + GAP_MS - loop_now_ms(j->loop);
    identity_keys_expect(j->keys);
    loop_timer_start(j->loop, &j->due, wait_ms > 0 ? (int)wait_ms : 0);
}

static bool on_unknown_key(void *arg, bool *pending) {
    struct identity_jwks *j = arg;
    *pending = !identity_keys_are_final(j->keys);
    if (*pending) identity_jwks_fetch(j);
    return false;
}

struct identity_jwks *identity_jwks_new(struct loop *loop, struct identity_keys *keys,
                                        const struct identity_jwks_config *config) {
    struct identity_jwks *j = mem_zalloc(sizeof *j);
    j->loop = loop;
    j->keys = keys;
    j->client = http_client_new_over(loop, config->tls);
    j->url = mem_strdup(config->url);
    j->interval_ms = config->interval_ms;
    j->retry_ms = RETRY_MIN_MS;
    j->due.on_due = on_jwks_due;
    j->failed = true; // so that the first ones are logged
    identity_keys_on_unknown(keys, on_unknown_key, j);
    jwks_begin(j);
    return j;
}

void identity_jwks_free(struct identity_jwks *j) {
    if (!j) return;
    loop_timer_stop(j->loop, &j->due);
    identity_keys_on_unknown(j->keys, NULL, NULL);
    http_client_free(j->client);
    identity_keys_settle(j->keys, IDENTITY_KEYS_ENDED);
    free(j->url);
    free(j);
}
