#include "store_calls.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/embedded/embedded_batch.h"
#include "engine/embedded/embedded_counter.h"
#include "engine/embedded/embedded_log.h"
#include "engine/embedded/embedded_mapping.h"
#include "engine/local.h"

enum { NAME_SIZE = 16, BODY_SIZE = 64, RANGE = 5000 };

static const char *call_name(char name[NAME_SIZE], char kind, unsigned number) {
    snprintf(name, NAME_SIZE, "%c%u", kind, number);
    return name;
}

static unsigned number_of(const char *name) {
    return name ? (unsigned)strtoul(name + 1, NULL, 10) : 0;
}

// Carries all of the list out and returns it in order.
static struct request_list run(struct store *s, struct request_list *waiting) {
    struct request_list done = {0};
    while (waiting->first) batch_run(s, waiting, &done);
    return done;
}

static struct request *run_one(struct store *s, struct request *r) {
    struct request_list waiting = {0}, done;
    request_list_add(&waiting, r);
    done = run(s, &waiting);
    return done.first;
}

// The log

bool call_answers_early;

static void call_answer(struct request *r) {
    const struct append_request *a = (const struct append_request *)r;
    struct call_append *c = r->arg;
    c->status = r->status;
    c->repeated = a->repeated;
    c->at = r->status == ENGINE_OK ? a->entry.at : (struct position){0};
    c->loss = r->status == ENGINE_OK ? a->loss.at : (struct position){0};
}

static void append_and_answer(struct store *s, struct request *r) {
    log_append(s, r);
    if (!s->read_only && !s->failure.code) call_answer(r);
}

static struct request *append_request(struct call_append *c) {
    char name[NAME_SIZE], body[BODY_SIZE];
    int len = snprintf(body, sizeof body, "{\"text\":%u,\"comment\":\"the same in each\"}", c->text);
    struct append_request *a = request_new(sizeof *a, NAME_SIZE + BODY_SIZE,
                                           call_answers_early ? append_and_answer : log_append, NULL, c);
    a->video = request_copy(&a->request, call_name(name, 'v', c->video));
    char *kept = request_room(&a->request, (size_t)len);
    memcpy(kept, body, (size_t)len);
    a->asked = (struct engine_entry){.kind = ENTRY_COMMENT, .body = kept + 1, .body_len = (size_t)len - 2};
    a->has_token = c->has_token;
    snprintf((char *)a->token.name, sizeof a->token.name, "t%u", c->text);
    return &a->request;
}

void call_appends(struct store *s, struct call_append *list, size_t count) {
    struct request_list waiting = {0};
    for (size_t i = 0; i < count; i++) request_list_add(&waiting, append_request(&list[i]));
    struct request_list done = run(s, &waiting);
    for (struct request *r; (r = request_list_take(&done));) {
        if (!call_answers_early) call_answer(r);
        request_free(r);
    }
}

bool call_range(struct store *s, unsigned video, call_on_entry *on_entry, void *arg) {
    char name[NAME_SIZE];
    struct range_request *r = request_new(sizeof *r, NAME_SIZE, log_range, NULL, NULL);
    r->video = request_copy(&r->request, call_name(name, 'v', video));
    r->limit = RANGE;
    run_one(s, &r->request);
    bool ok = r->request.status == ENGINE_OK;
    for (size_t i = 0; ok && i < r->answer.count; i++) {
        const struct engine_entry *e = &r->answer.entries[i];
        bool has_text = e->kind == ENTRY_COMMENT && !strncmp(e->body, "\"text\":", strlen("\"text\":"));
        on_entry(arg, e->at, has_text ? (unsigned)strtoul(e->body + strlen("\"text\":"), NULL, 10) : 0);
    }
    request_free(&r->request);
    return ok;
}

enum engine_status call_head(struct store *s, unsigned video, struct position known,
                             struct engine_head *head) {
    char name[NAME_SIZE];
    struct head_request *h = request_new(sizeof *h, NAME_SIZE, log_head, NULL, NULL);
    h->video = request_copy(&h->request, call_name(name, 'v', video));
    h->known = known;
    run_one(s, &h->request);
    enum engine_status status = h->request.status;
    *head = status == ENGINE_OK ? h->answer : (struct engine_head){0};
    request_free(&h->request);
    return status;
}

// Mappings and the rest

static enum engine_status run_mapping(struct store *s, unsigned video, const char *reader,
                                      request_carry_out *carry_out, unsigned *found) {
    char name[NAME_SIZE];
    struct mapping_request *m = request_new(sizeof *m, 2 * NAME_SIZE, carry_out, NULL, NULL);
    m->video = request_copy(&m->request, call_name(name, 'v', video));
    m->reader_url = request_copy(&m->request, reader);
    run_one(s, &m->request);
    enum engine_status status = m->request.status;
    *found = status == ENGINE_OK ? number_of(m->found) : 0;
    request_free(&m->request);
    return status;
}

enum engine_status call_assign(struct store *s, unsigned video, unsigned reader, unsigned *found) {
    char name[NAME_SIZE];
    return run_mapping(s, video, call_name(name, 'r', reader), mapping_assign, found);
}

enum engine_status call_lookup(struct store *s, unsigned video, unsigned *found) {
    return run_mapping(s, video, NULL, mapping_lookup, found);
}

enum engine_status call_count(struct store *s, uint64_t *value) {
    struct counter_request *c = request_new(sizeof *c, NAME_SIZE, counter_next, NULL, NULL);
    c->name = request_copy(&c->request, "readers");
    run_one(s, &c->request);
    enum engine_status status = c->request.status;
    *value = c->value;
    request_free(&c->request);
    return status;
}
