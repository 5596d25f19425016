#include "bench/health.h"

#include <jansson.h>

#include "base/buf.h"
#include "http/client.h"
#include "net/loop.h"

enum { TIMEOUT_MS = 3000 };

struct health_fetch {
    struct loop *loop;
    uint32_t waiting;
    struct reader_health sum;
};

static bool health_add(double *sum, const json_t *health, const char *name) {
    const json_t *value = json_object_get(health, name);
    *sum += json_number_value(value);
    return json_is_number(value);
}

static void health_on_answer(void *arg, const struct http_client_response *a) {
    struct health_fetch *all = arg;
    struct reader_health *sum = &all->sum;
    json_t *health = a->error ? NULL : json_loadb(a->body, a->body_len, 0, NULL);
    sum->known &= health_add(&sum->wakeups, health, "wakeups");
    sum->known &= health_add(&sum->sends, health, "sends");
    sum->known &= health_add(&sum->sent, health, "messagesSent");
    sum->known &= health_add(&sum->slow_gaps, health, "slowGaps");
    sum->known &= health_add(&sum->stalled, health, "stalled");
    sum->known &= health_add(&sum->shed, health, "shed");
    json_decref(health);
    if (!--all->waiting) loop_stop(all->loop);
}

static void health_request(struct health_fetch *all, struct http_client *client, const struct endpoint *e) {
    struct buf url = {0};
    buf_printf(&url, "http://%s%s/health", e->host, e->path);
    all->waiting++;
    http_client_request(
        client,
        &(struct http_client_request){.method = "GET", .url = buf_string(&url), .timeout_ms = TIMEOUT_MS},
        health_on_answer, all);
    buf_release(&url);
}

struct reader_health reader_health_fetch(const struct endpoints *endpoints) {
    struct health_fetch all = {.loop = loop_new(), .sum = {.known = endpoints->count > 0}};
    if (!all.loop) return (struct reader_health){.known = false};
    struct http_client *client = http_client_new(all.loop);
    for (uint32_t i = 0; i < endpoints->count; i++) health_request(&all, client, &endpoints->at[i]);
    if (all.waiting && loop_run(all.loop)) all.sum.known = false;
    http_client_free(client);
    loop_free(all.loop);
    return all.sum;
}
