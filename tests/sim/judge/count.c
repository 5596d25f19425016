#include "count.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/container_of.h"

static bool count_on_head(struct http_call *call) {
    return call->status == 200;
}

static void count_on_body(struct http_call *call, const char *bytes, size_t len) {
    struct count *c = container_of(call, struct count, call);
    buf_add(&c->answer, bytes, len);
}

static void count_begin(struct count *c, const char *url) {
    crowd_note(c->crowd, &(struct journal_event){.kind = JOURNAL_COUNT, .video = c->video});
    http_call_start(&c->call, "GET", url, "", NULL); // or there is no number
}

static void count_note_total(struct count *c) {
    struct journal_event e = {.kind = JOURNAL_TOTAL};
    const char *stored = strstr(buf_string(&c->answer), "\"storedComments\":{\"total\":");
    if (stored && sscanf(strchr(stored, '{'), "{\"total\":%" SCNu64, &e.count) == 1) crowd_note(c->crowd, &e);
}

// The sum of all readers stands before theirs.
static void count_note_ledger(struct count *c) {
    struct journal_event e = {.kind = JOURNAL_LEDGER, .video = c->video};
    const char *text = buf_string(&c->answer), *waiting = strstr(text, "\"waiting\":");
    int64_t pairs;
    if (!waiting || sscanf(strchr(waiting, ':'), ":%" SCNd64, &pairs) != 1) return;
    e.flag = strstr(text, "\"closes\":true") && !strstr(text, "\"closes\":false");
    e.number = (uint32_t)pairs;
    crowd_note(c->crowd, &e);
}

static void count_on_end(struct http_call *call, enum http_call_end end) {
    struct count *c = container_of(call, struct count, call);
    char url[100];
    if (end == HTTP_CALL_DONE && call->status == 200) (c->video ? count_note_ledger : count_note_total)(c);
    buf_clear(&c->answer);
    if (!c->crowd->config->statistics || c->video == c->crowd->config->videos) return;
    snprintf(url, sizeof url, "%s/videos/%s/ledger", c->crowd->config->statistics, crowd_video(++c->video));
    count_begin(c, url);
}

void count_init(struct count *c, struct crowd *crowd) {
    static const struct http_call_ops ops = {
        .on_head = count_on_head, .on_body = count_on_body, .on_end = count_on_end};
    *c = (struct count){.crowd = crowd};
    http_call_init(&c->call, &ops, crowd->loop);
}

void count_ask(struct count *c) {
    char url[100];
    snprintf(url, sizeof url, "%s/statistics", crowd_api(c->crowd));
    count_begin(c, url);
}

void count_release(struct count *c) {
    http_call_release(&c->call);
    buf_release(&c->answer);
}
