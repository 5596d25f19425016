#include "fleet_ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "fanout/ledger.h"
#include "figures.h"

struct fleet_video {
    struct fleet_row *rows;
    UT_hash_handle hh;
    char name[];
};

// A reader's process. The last one of a name stays while it reports, or has rows.
struct fleet_life {
    uint64_t number; // greater than those of its earlier ones
    int64_t seen_ms, seen_wall_ms;
    bool ended;
    struct fleet_row *rows;
    struct fleet_life *prev, *next;
    char id[];
};

enum row_state {
    ROW_LIVE,
    ROW_LOST,     // its life has ended, and what it did not report is to be counted
    ROW_COUNTING, // is being counted
    ROW_SETTLED
};

// A video at a reader.
struct fleet_row {
    struct fleet_video *video;
    struct fleet_life *life;
    enum row_state state;
    uint64_t parts[LEDGER_PARTS];
    uint64_t before[LEDGER_PARTS]; // of earlier ledgers of the same life, which has forgotten them
    uint64_t report;               // the number of the report that they come from; 0: it had none
    uint64_t viewers, unreported;
    struct position at;
    int64_t seen_ms, moved_ms, asked_ms;
    bool wrong;
    struct fleet_row *prev, *next;           // of the video
    struct fleet_row *life_prev, *life_next; // of the life
    struct fleet_row *age_prev, *age_next;   // of all, the one reported longest ago first
};

struct fleet_ledger {
    int64_t silent_ms, report_ms;
    struct fleet_video *videos;
    struct fleet_life *lives;
    struct fleet_row *by_age;
    unsigned rows, lost;
};

struct fleet_ledger *fleet_ledger_new(int64_t silent_ms, int64_t report_ms) {
    struct fleet_ledger *l = mem_zalloc(sizeof *l);
    l->silent_ms = silent_ms;
    l->report_ms = report_ms;
    return l;
}

static void row_free(struct fleet_ledger *l, struct fleet_row *row) {
    struct fleet_video *v = row->video;
    DL_DELETE(v->rows, row);
    DL_DELETE2(row->life->rows, row, life_prev, life_next);
    DL_DELETE2(l->by_age, row, age_prev, age_next);
    l->rows--;
    l->lost -= row->state == ROW_LOST;
    free(row);
    if (v->rows) return;
    HASH_DEL(l->videos, v);
    free(v);
}

static void life_free(struct fleet_ledger *l, struct fleet_life *life) {
    struct fleet_row *row, *next;
    DL_FOREACH_SAFE2(life->rows, row, next, life_next) row_free(l, row);
    DL_DELETE(l->lives, life);
    free(life);
}

void fleet_ledger_free(struct fleet_ledger *l) {
    if (!l) return;
    while (l->lives) life_free(l, l->lives);
    free(l);
}

// Lives

static int64_t row_waiting(const struct fleet_row *row) {
    return ledger_waiting(row->parts);
}

static void life_end(struct fleet_ledger *l, struct fleet_life *life) {
    struct fleet_row *row;
    if (life->ended) return;
    life->ended = true;
    DL_FOREACH2(life->rows, row, life_next) {
        bool may_have_sent = row->viewers && position_is_set(row->at);
        row->state = may_have_sent ? ROW_LOST : ROW_SETTLED;
        l->lost += may_have_sent;
    }
}

static struct fleet_life *life_add(struct fleet_ledger *l, const char *id, uint64_t number) {
    size_t size = strlen(id) + 1;
    struct fleet_life *life = mem_zalloc(sizeof *life + size);
    memcpy(life->id, id, size);
    life->number = number;
    DL_APPEND(l->lives, life);
    return life;
}

// Returns NULL if a later one reports. Where that has ended, it was not later: clocks are set back.
static struct fleet_life *life_find_or_add(struct fleet_ledger *l, const char *id, uint64_t number) {
    struct fleet_life *life, *found = NULL;
    DL_FOREACH(l->lives, life) {
        if (strcmp(life->id, id) != 0) continue;
        if (life->number > number && !life->ended) return NULL;
        if (life->number == number)
            found = life;
        else
            life_end(l, life);
    }
    return found ? found : life_add(l, id, number);
}

void fleet_ledger_sweep(struct fleet_ledger *l, int64_t now_ms) {
    struct fleet_life *life, *next;
    DL_FOREACH_SAFE(l->lives, life, next) {
        if (now_ms - life->seen_ms >= l->silent_ms) life_end(l, life);
        if (life->ended && !life->rows) life_free(l, life);
    }
}

// Rows

static struct fleet_video *video_find(const struct fleet_ledger *l, const char *name) {
    struct fleet_video *v;
    HASH_FIND_STR(l->videos, name, v);
    return v;
}

static struct fleet_video *video_add(struct fleet_ledger *l, const char *name) {
    size_t len = strlen(name);
    struct fleet_video *v = mem_zalloc(sizeof *v + len + 1);
    memcpy(v->name, name, len + 1);
    HASH_ADD_KEYPTR(hh, l->videos, v->name, len, v);
    return v;
}

static void fleet_ledger_make_room(struct fleet_ledger *l) {
    struct fleet_row *row, *next;
    DL_FOREACH_SAFE2(l->by_age, row, next, age_next) {
        if (l->rows < FLEET_LEDGER_ROWS) return;
        if (row->state != ROW_COUNTING) row_free(l, row);
    }
}

static struct fleet_row *row_add(struct fleet_ledger *l, struct fleet_life *life, const char *video) {
    fleet_ledger_make_room(l);
    struct fleet_video *v = video_find(l, video);
    struct fleet_row *row = mem_zalloc(sizeof *row);
    row->video = v ? v : video_add(l, video);
    row->life = life;
    DL_APPEND(row->video->rows, row);
    DL_APPEND2(life->rows, row, life_prev, life_next);
    DL_APPEND2(l->by_age, row, age_prev, age_next);
    l->rows++;
    return row;
}

static struct fleet_row *row_find(const struct fleet_ledger *l, const struct fleet_life *life,
                                  const char *video) {
    const struct fleet_video *v = video_find(l, video);
    struct fleet_row *row;
    DL_FOREACH(v ? v->rows : NULL, row) {
        if (row->life == life) return row;
    }
    return NULL;
}

struct reported_row {
    uint64_t parts[LEDGER_PARTS], viewers;
    struct position at;
};

// A ledger whose video is closed at the reader, or not yet read there, has no position.
static bool read_position(const char *text, struct position *at) {
    *at = (struct position){0};
    return !strcmp(text, "0-0") || position_parse(text, strlen(text), at);
}

static bool read_row(struct reported_row *r, const char *text) {
    char *end;
    for (int i = 0; i <= LEDGER_PARTS; i++) {
        uint64_t n = strtoull(text, &end, 10);
        if (end == text || *end != ' ') return false;
        *(i < LEDGER_PARTS ? &r->parts[i] : &r->viewers) = n;
        text = end + 1;
    }
    return read_position(text, &r->at);
}

// Numbers go up from report to report. Where they do not, the reader has forgotten a video that was closed,
// and begins with it again.
static void row_take(struct fleet_row *row, const struct reported_row *r, int64_t now_ms) {
    if (r->parts[LEDGER_DUE] < row->parts[LEDGER_DUE])
        for (int i = 0; i < LEDGER_PARTS; i++) row->before[i] += row->parts[i];
    bool moved = memcmp(row->parts, r->parts, sizeof row->parts) != 0 || r->viewers != row->viewers;
    if (moved || !row->seen_ms) row->moved_ms = now_ms;
    memcpy(row->parts, r->parts, sizeof row->parts);
    row->viewers = r->viewers;
    row->at = r->at;
    row->seen_ms = now_ms;
}

static void row_judge(struct fleet_row *row) {
    int64_t waiting = row_waiting(row), still_ms = row->seen_ms - row->moved_ms;
    bool wrong = waiting < 0 || (waiting && !row->viewers && still_ms >= FLEET_LEDGER_GONE_MS) ||
                 (waiting && still_ms >= FLEET_LEDGER_STUCK_MS);
    if (wrong && !row->wrong)
        log_warn("statistics", "ledger_not_closed",
                 "video=%s reader=%s due=%" PRIu64 " missing=%" PRId64 " viewers=%" PRIu64, row->video->name,
                 row->life->id, row->parts[LEDGER_DUE], waiting, row->viewers);
    row->wrong = wrong;
}

// A report that was overtaken has what later ones do not have: each row is compared by itself.
static void take_row(struct fleet_ledger *l, struct fleet_life *life, uint64_t report, const char *video,
                     const json_t *text, int64_t now_ms) {
    struct reported_row r;
    if (!id_is_valid(video, strlen(video)) || !read_row(&r, json_string_value(text))) return;
    struct fleet_row *row = row_find(l, life, video);
    if (!row) row = row_add(l, life, video);
    if (report && report <= row->report) return;
    row->report = report;
    if (row->age_next) { // it is not the last one
        DL_DELETE2(l->by_age, row, age_prev, age_next);
        DL_APPEND2(l->by_age, row, age_prev, age_next);
    }
    row_take(row, &r, now_ms);
    row_judge(row);
}

// A life that was silent, and taken for ended, goes on.
static void life_revive(struct fleet_ledger *l, struct fleet_life *life) {
    struct fleet_row *row;
    life->ended = false;
    DL_FOREACH2(life->rows, row, life_next) {
        l->lost -= row->state == ROW_LOST;
        if (row->state != ROW_COUNTING) row->state = ROW_LIVE;
        row->unreported = 0;
    }
}

// It ends in order: its viewers are gone, and it has reported all that came of its pairs.
static void life_leave(struct fleet_ledger *l, struct fleet_life *life) {
    struct fleet_row *row;
    DL_FOREACH2(life->rows, row, life_next) row->viewers = 0;
    life_end(l, life);
}

void fleet_ledger_take(struct fleet_ledger *l, const struct figures_report *report, int64_t now_ms,
                       int64_t wall_ms) {
    const json_t *figures = json_object_get(report->hidden, "figures");
    uint64_t number = figures_number(figures, "life"), nth = figures_number(figures, "report");
    json_t *rows = json_object_get(report->hidden, "ledgers"), *text;
    const char *video;
    if (!number || !rows) return;
    struct fleet_life *life = life_find_or_add(l, report->id, number);
    if (!life) return;
    if (life->ended) life_revive(l, life);
    life->seen_ms = now_ms;
    life->seen_wall_ms = wall_ms;
    json_object_foreach(rows, video, text) take_row(l, life, nth, video, text, now_ms);
    if (figures_number(figures, "last")) life_leave(l, life);
}

const char *fleet_ledger_to_ask(struct fleet_ledger *l, int64_t now_ms) {
    struct fleet_row *row;
    DL_FOREACH2(l->by_age, row, age_next) {
        if (row->state != ROW_LIVE || !row_waiting(row)) continue;
        if (now_ms - row->seen_ms < FLEET_LEDGER_AGAIN_MS || now_ms - row->asked_ms < FLEET_LEDGER_AGAIN_MS)
            continue;
        row->asked_ms = now_ms;
        return row->video->name;
    }
    return NULL;
}

// What a life had not reported

bool fleet_ledger_next_loss(struct fleet_ledger *l, struct fleet_loss *loss) {
    struct fleet_row *row;
    if (!l->lost) return false;
    DL_FOREACH2(l->by_age, row, age_next) {
        if (row->state != ROW_LOST) continue;
        row->state = ROW_COUNTING;
        l->lost--;
        *loss = (struct fleet_loss){.row = row,
                                    .video = row->video->name,
                                    .after = row->at,
                                    .until_ms = row->life->seen_wall_ms + l->report_ms};
        return true;
    }
    return false;
}

void fleet_ledger_settle(struct fleet_ledger *l, struct fleet_row *row, uint64_t comments) {
    (void)l;
    row->state = row->life->ended ? ROW_SETTLED : ROW_LIVE;
    row->unreported = row->life->ended ? comments * row->viewers : 0;
}

// What it shows

unsigned fleet_ledger_unclosed(const struct fleet_ledger *l) {
    unsigned count = 0;
    struct fleet_row *row;
    DL_FOREACH2(l->by_age, row, age_next) count += row->wrong;
    return count;
}

// The numbers that are shown; `unknown` of a life that has ended, `waiting` of one that has not.
struct shown {
    uint64_t parts[LEDGER_PARTS], unknown;
    int64_t waiting;
};

static struct shown row_numbers(const struct fleet_row *row) {
    struct shown s = {0};
    for (int i = 0; i < LEDGER_PARTS; i++) s.parts[i] = row->before[i] + row->parts[i];
    s.waiting = ledger_waiting(s.parts);
    if (!row->life->ended) return s;
    s.parts[LEDGER_DUE] += row->unreported;
    s.unknown = (uint64_t)s.waiting + row->unreported;
    s.waiting = 0;
    return s;
}

static void add_number(json_t *o, const char *name, uint64_t n) {
    json_object_set_new(o, name, json_integer((json_int_t)n));
}

static void add_numbers(json_t *o, const struct shown *s) {
    add_number(o, "due", s->parts[LEDGER_DUE]);
    add_number(o, "delivered", s->parts[LEDGER_DELIVERED]);
    add_number(o, "sampled", s->parts[LEDGER_SAMPLED]);
    add_number(o, "dropped", s->parts[LEDGER_SLOW] + s->parts[LEDGER_LOST] + s->parts[LEDGER_LEFT]);
    json_t *reasons = json_object();
    add_number(reasons, "slow", s->parts[LEDGER_SLOW]);
    add_number(reasons, "lost", s->parts[LEDGER_LOST]);
    add_number(reasons, "left", s->parts[LEDGER_LEFT]);
    json_object_set_new(o, "droppedAs", reasons);
    add_number(o, "retracted", s->parts[LEDGER_RETRACTED]);
    json_object_set_new(o, "waiting", json_integer(s->waiting));
    add_number(o, "unknown", s->unknown);
}

static json_t *row_show(const struct fleet_row *row, const struct shown *s) {
    char reported[CLOCK_ISO8601_SIZE];
    clock_iso8601(row->life->seen_wall_ms, reported);
    json_t *o = json_pack("{s:s, s:I, s:b, s:b, s:I, s:s}", "instanceId", row->life->id, "life",
                          (json_int_t)row->life->number, "ended", row->life->ended, "closes", !row->wrong,
                          "viewers", (json_int_t)row->viewers, "reported", reported);
    add_numbers(o, s);
    return o;
}

json_t *fleet_ledger_show(const struct fleet_ledger *l, const char *video) {
    const struct fleet_video *v = video_find(l, video);
    const struct fleet_row *row;
    struct shown sum = {0};
    bool closes = true;
    if (!v) return NULL;
    json_t *rows = json_array(), *o = json_object();
    DL_FOREACH(v->rows, row) {
        struct shown s = row_numbers(row);
        for (int i = 0; i < LEDGER_PARTS; i++) sum.parts[i] += s.parts[i];
        sum.unknown += s.unknown;
        sum.waiting += s.waiting;
        closes &= !row->wrong;
        json_array_append_new(rows, row_show(row, &s));
    }
    json_object_set_new(o, "videoid", json_string(video));
    json_object_set_new(o, "closes", json_boolean(closes));
    add_numbers(o, &sum);
    json_object_set_new(o, "readers", rows);
    return o;
}
