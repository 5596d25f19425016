#include "redis_refusal.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "redis_error.h"

enum { FIRST_CHECK_MS = 250, LAST_CHECK_MS = 8000 };

void redis_refusal_init(struct redis_refusal *f, struct loop *loop, void (*check)(struct loop_timer *)) {
    f->loop = loop;
    f->check.on_due = check;
}

void redis_refusal_release(struct redis_refusal *f) {
    loop_timer_stop(f->loop, &f->check);
    f->loop = NULL;
}

static void refusal_set(struct redis_refusal *f, const char *command, const char *clause) {
    char why[REDIS_REFUSAL_SIZE];
    snprintf(why, sizeof why, "Redis %.180s.", clause);
    f->last_ms = loop_now_ms(f->loop);
    if (!strcmp(why, f->why)) return;
    memcpy(f->why, why, sizeof why);
    f->command = command;
    f->delay_ms = FIRST_CHECK_MS;
    log_warn("engine", "redis_unusable", "command=%s why=\"%s\"", command, why);
}

void redis_refusal_note(struct redis_refusal *f, const char *command, const char *error) {
    char clause[REDIS_ERROR_CLAUSE];
    if (!f->loop) return;
    redis_error_clause(error, clause, sizeof clause);
    if (redis_error_is_transient(error)) {
        if (log_sample(&f->sampler, "engine", 1, loop_now_ms(f->loop)))
            log_warn("engine", "redis_refused", "command=%s why=\"Redis %s.\"", command, clause);
        return;
    }
    refusal_set(f, command, clause);
    if (redis_error_action(error) == REDIS_CUTS || f->check.slot ||
        strcmp(f->command, redis_refusal_append) != 0)
        return;
    int64_t delay = f->delay_ms;
    f->delay_ms = 2 * delay < LAST_CHECK_MS ? 2 * delay : LAST_CHECK_MS;
    loop_timer_start(f->loop, &f->check, delay / 2 + (int64_t)(hash_random() % (uint64_t)delay));
}

void redis_refusal_clear(struct redis_refusal *f, const char *command) {
    if (!f->why[0] || strcmp(f->command, command) != 0) return;
    log_info("engine", "redis_accepts_again", "command=%s", command);
    f->why[0] = 0;
    if (f->loop) loop_timer_stop(f->loop, &f->check);
}

const char *redis_refusal_why(const struct redis_refusal *f) {
    if (!f->why[0]) return NULL;
    bool lasts =
        !strcmp(f->command, redis_refusal_append) || loop_now_ms(f->loop) - f->last_ms < REDIS_REFUSAL_MS;
    return lasts ? f->why : NULL;
}
