#include "engine/room.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void room_write(char text[ROOM_TEXT_SIZE], const struct engine_room *r) {
    snprintf(text, ROOM_TEXT_SIZE,
             "%" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d %" PRId64 " %d %" PRId64
             " %s %d %" PRIu64 "-%" PRIu64,
             r->revision, r->slow_ms, r->repeat_ms, r->rate, r->max_length, r->frozen, r->delay_ms, r->hold,
             r->readable_rate, r->only[0] ? r->only : "*", r->over, r->pinned.epoch, r->pinned.seq);
}

bool room_next_number(const char **text, int64_t *number) {
    char *end;
    errno = 0;
    *number = strtoll(*text, &end, 10);
    bool read = end != *text && !errno;
    *text = end;
    return read;
}

// Reads what is pinned, if the text goes on.
static bool read_pinned(const char *text, struct position *pinned) {
    text += strspn(text, " ");
    size_t len = strcspn(text, " ");
    if (!len || (len == 3 && !memcmp(text, "0-0", len))) return true;
    return position_parse(text, len, pinned);
}

static bool read_flag(const char **text, bool *flag) {
    int64_t number = 0;
    bool read = room_next_number(text, &number);
    *flag = number != 0;
    return read;
}

bool room_read(struct engine_room *r, const char *text) {
    struct engine_room read = {0};
    int64_t revision;
    *r = read;
    if (!room_next_number(&text, &revision) || !room_next_number(&text, &read.slow_ms) ||
        !room_next_number(&text, &read.repeat_ms) || !room_next_number(&text, &read.rate) ||
        !room_next_number(&text, &read.max_length) || !read_flag(&text, &read.frozen) ||
        !room_next_number(&text, &read.delay_ms) || !read_flag(&text, &read.hold) ||
        !room_next_number(&text, &read.readable_rate) || *text != ' ')
        return false;
    size_t len = strcspn(++text, " ");
    if (!len || len >= sizeof read.only) return false;
    if (len != 1 || *text != '*') memcpy(read.only, text, len);
    text += len;
    if (*text && (!read_flag(&text, &read.over) || !read_pinned(text, &read.pinned))) return false;
    read.revision = (uint64_t)revision;
    *r = read;
    return true;
}

bool room_is_same(const struct engine_room *a, const struct engine_room *b) {
    char text_a[ROOM_TEXT_SIZE], text_b[ROOM_TEXT_SIZE];
    room_write(text_a, a);
    room_write(text_b, b);
    return !strcmp(text_a, text_b);
}

bool room_amend(struct engine_room *r, enum entry_kind kind, struct position target) {
    bool over = kind == ENTRY_END || (r->over && kind != ENTRY_START);
    struct position pinned = r->pinned;
    if (kind == ENTRY_PIN) pinned = target;
    if (kind == ENTRY_RETRACT && position_compare(pinned, target) == 0) pinned = (struct position){0};
    if (over == r->over && position_compare(pinned, r->pinned) == 0) return false;
    r->over = over;
    r->pinned = pinned;
    r->revision++;
    return true;
}

static const char *const codes[] = {
#define ROOM_REFUSAL_CODE(constant, code) [constant] = code,
    ROOM_REFUSALS(ROOM_REFUSAL_CODE)
#undef ROOM_REFUSAL_CODE
};

const char *room_refusal_code(enum engine_refused why) {
    return codes[why];
}

bool room_refusal_named(const char *code, enum engine_refused *why) {
    for (*why = 0; *why < ROOM_REFUSED; (*why)++)
        if (!strcmp(codes[*why], code)) return true;
    return false;
}

static bool list_has(const char *list, const char *word, size_t len) {
    for (size_t n; *list; list += n + (list[n] == ',')) {
        n = strcspn(list, ",");
        if (n == len && !memcmp(list, word, len)) return true;
    }
    return false;
}

// Whether two lists have a badge in common.
static bool lists_meet(const char *badges, const char *only) {
    for (size_t n; *badges; badges += n + (badges[n] == ',')) {
        n = strcspn(badges, ",");
        if (list_has(only, badges, n)) return true;
    }
    return false;
}

// How much of a time since then is left. A clock that was set back ends it.
static int64_t left_of(int64_t for_ms, int64_t since_ms, int64_t now_ms) {
    if (!for_ms || since_ms == ROOM_NEVER || since_ms > now_ms) return 0;
    return now_ms - since_ms < for_ms ? for_ms - (now_ms - since_ms) : 0;
}

// The generic cell rate algorithm: each comment uses up 1/rate s, and up to a second may be used up ahead.
static int64_t pace_left(int64_t rate, const struct room_look *l, double *paced_ms) {
    double now = (double)l->now_ms, each = 1000.0 / (double)rate, from = *l->paced_ms;
    if (from < now || from > now + 1000) from = now;
    double over = from + each - (now + 1000);
    *paced_ms = from + each;
    return over > 0 ? (int64_t)over + 1 : 0;
}

// Returns whether what holds for everybody in the room refuses the comment.
static bool room_limits(const struct engine_gate *g, const struct room_look *l, double *paced_ms,
                        struct engine_refusal *refusal) {
    const struct engine_room *r = l->room;
    int64_t left;
    if (r->frozen)
        *refusal = (struct engine_refusal){.why = REFUSED_FROZEN};
    else if (r->only[0] && !lists_meet(g->badges, r->only))
        *refusal = (struct engine_refusal){.why = REFUSED_NOT_IN_ROOM};
    else if (r->max_length && g->length > r->max_length)
        *refusal = (struct engine_refusal){.why = REFUSED_TOO_LONG, .number = r->max_length};
    else if ((left = left_of(r->slow_ms, l->author_ms, l->now_ms)))
        *refusal = (struct engine_refusal){.why = REFUSED_SLOW, .number = left};
    else if ((left = left_of(r->repeat_ms, l->text_ms, l->now_ms)))
        *refusal = (struct engine_refusal){.why = REFUSED_REPEATED, .number = left};
    else if (r->rate && (left = pace_left(r->rate, l, paced_ms)))
        *refusal = (struct engine_refusal){.why = REFUSED_RATE, .number = left};
    else
        return false;
    return true;
}

// Returns whether an accepted comment has to wait.
static bool room_delays(const struct engine_room *r, bool holds, struct engine_refusal *refusal) {
    if (holds)
        *refusal = (struct engine_refusal){.why = REFUSED_HELD, .number = ROOM_HELD_MS};
    else if (r->delay_ms)
        *refusal = (struct engine_refusal){.why = REFUSED_DELAYED, .number = r->delay_ms};
    return holds || r->delay_ms;
}

bool room_check(const struct engine_gate *g, const struct room_look *l, struct engine_refusal *refusal) {
    const struct engine_ban *ban = l->ban;
    double paced_ms = *l->paced_ms;
    if (l->room->over) {
        *refusal = (struct engine_refusal){.why = REFUSED_OVER};
        return false;
    }
    if (g->checks == GATE_FREE) return true;
    if (ban && ban->until_ms && ban->until_ms <= l->wall_ms) ban = NULL;
    if (ban && !ban->shadow) {
        *refusal = (struct engine_refusal){.why = REFUSED_BANNED, .number = ban->until_ms};
        return false;
    }
    if (gate_checks_all(g->checks) && room_limits(g, l, &paced_ms, refusal)) return false;
    if (ban) {
        *refusal = (struct engine_refusal){.why = REFUSED_SHADOWED};
        return false;
    }
    if (g->checks == GATE_WAITED) return true;
    *l->paced_ms = paced_ms;
    return !room_delays(l->room, l->room->hold || g->checks == GATE_HOLD, refusal);
}
