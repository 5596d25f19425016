#include "redis_refusal.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "redis_core.h"

enum { FIRST_CHECK_MS = 250, LAST_CHECK_MS = 8000 };

// Errors of Redis by their first word. `cut`: what is needed is another server, or the same one greeted
// again.
static const struct meaning {
    const char *word, *clause;
    bool cut;
} meanings[] = {
    {"OOM", "is full (maxmemory) and accepts no comments", false},
    {"READONLY", "is a read-only replica", true},
    {"MISCONF", "accepts no writes because it cannot save to its disk", false},
    {"NOREPLICAS", "accepts no writes because too few replicas are connected", false},
    {"LOADING", "is still loading its data", true},
    {"MASTERDOWN", "is a replica that has lost its master", true},
    {"NOSCRIPT", "has lost the scripts, which are loaded again", true},
    {"BUSY", "is busy with a script of another program", false},
    {"MOVED", "is a cluster, which is not supported", false},
    {"CROSSSLOT", "is a cluster, which is not supported", false},
    {"CLUSTERDOWN", "is a cluster, which is not supported", false},
};

static const struct meaning *meaning_of(const char *error) {
    size_t len = strcspn(error, " ");
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strlen(meanings[i].word) == len && !strncmp(error, meanings[i].word, len)) return &meanings[i];
    return NULL;
}

// Redis 7.0 says so of a script's commands without the word NOPERM.
static const char *missing_right(const char *error) {
    static const char by_script[] = "The user executing the script ";
    const char *at = strstr(error, by_script);
    if (at) return at + sizeof by_script - 1;
    return !strncmp(error, "NOPERM ", 7) ? error + 7 : NULL;
}

// Without the script's digest and line.
static int plain_length(const char *error) {
    const char *end = strstr(error, " script: ");
    if (!end) end = strstr(error, ", on @user_script");
    size_t len = end ? (size_t)(end - error) : strlen(error);
    while (len && (error[len - 1] == '.' || error[len - 1] == ' ')) len--;
    return len < 120 ? (int)len : 120;
}

void redis_refusal_clause(const char *error, char *out, size_t size) {
    const struct meaning *m = meaning_of(error);
    const char *right = missing_right(error);
    if (m)
        snprintf(out, size, "%s", m->clause);
    else if (right)
        snprintf(out, size, "denies its user a right (%.*s)", plain_length(right), right);
    else
        snprintf(out, size, "refuses (%.*s)", plain_length(error), error);
}

bool redis_refusal_is_full(const char *error) {
    return !strncmp(error, "OOM", 3);
}

static void stand(struct redis *r, const char *command, const char *clause) {
    char why[REDIS_REFUSAL_SIZE];
    snprintf(why, sizeof why, "Redis %.180s.", clause);
    r->refusal.last_ms = loop_now_ms(r->loop);
    if (!strcmp(why, r->refusal.why)) return;
    memcpy(r->refusal.why, why, sizeof why);
    r->refusal.command = command;
    r->refusal.delay_ms = FIRST_CHECK_MS;
    log_warn("engine", "redis_refuses", "command=%s why=\"%s\"", command, why);
}

static void check_later(struct redis *r) {
    int64_t delay = r->refusal.delay_ms;
    r->refusal.delay_ms = 2 * delay < LAST_CHECK_MS ? 2 * delay : LAST_CHECK_MS;
    if (r->phase != REDIS_CLOSED)
        loop_timer_start(r->loop, &r->check, delay / 2 + (int64_t)(hash_random() % (uint64_t)delay));
}

void redis_refusal_note(struct redis *r, const char *command, const char *error) {
    char clause[160];
    const struct meaning *m = meaning_of(error);
    redis_refusal_clause(error, clause, sizeof clause);
    // A key of the wrong type, which another program made, or a full Redis is no reason to call Redis away.
    if (redis_refusal_is_full(error) || !strncmp(error, "WRONGTYPE", 9)) {
        if (log_sample(&r->sampler, "engine", 1, loop_now_ms(r->loop)))
            log_warn("engine", "redis_refused", "command=%s why=\"Redis %s.\"", command, clause);
        return;
    }
    stand(r, command, clause);
    if (m && m->cut)
        redis_conn_cut(r->commands, clause);
    else if (!strcmp(r->refusal.command, redis_refusal_append) && !r->check.slot)
        check_later(r);
}

void redis_refusal_over(struct redis *r, const char *command) {
    if (!r->refusal.why[0] || strcmp(r->refusal.command, command) != 0) return;
    log_info("engine", "redis_accepts_again", "command=%s", command);
    r->refusal.why[0] = 0;
    loop_timer_stop(r->loop, &r->check);
}

const char *redis_refusal_why(const struct redis *r) {
    const struct redis_refusal *f = &r->refusal;
    if (!f->why[0]) return NULL;
    bool lasts =
        !strcmp(f->command, redis_refusal_append) || loop_now_ms(r->loop) - f->last_ms < REDIS_REFUSAL_MS;
    return lasts ? f->why : NULL;
}
