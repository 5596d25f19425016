#include "board.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/delays.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "placement/readers.h"

enum { OVERDUE_MS = 6000, OVERDUE_STEPS = 3 };

const char *const board_names[BOARD_FIGURES] = {
    [BOARD_VIEWERS] = "viewers",
    [BOARD_VIDEOS] = "videos",
    [BOARD_COMMENTS_PER_S] = "commentsPerSecond",
    [BOARD_DELIVERIES_PER_S] = "deliveriesPerSecond",
    [BOARD_P50_MS] = "p50Ms",
    [BOARD_P99_MS] = "p99Ms",
    [BOARD_SLOW] = "slowViewers",
    [BOARD_GAPS] = "slowGaps",
    [BOARD_DROPPED] = "droppedViewers",
    [BOARD_RESUMED] = "resumedViewers",
    [BOARD_IMBALANCE] = "imbalance",
    [BOARD_READERS_LIVE] = "readersLive",
    [BOARD_READERS_LOST] = "readersLost",
};

// What a reader counts since its start; those of `figures` in its report by their names there.
enum total { TOTAL_DELIVERED, TOTAL_GAPS, TOTAL_STALLED, TOTAL_SHED, TOTAL_RESUMED, TOTALS };
static const char *const total_names[TOTALS] = {
    [TOTAL_GAPS] = "slowGaps",
    [TOTAL_STALLED] = "stalled",
    [TOTAL_SHED] = "shed",
    [TOTAL_RESUMED] = "resumed",
};

// Two reports of totals.
struct series {
    int64_t seen_ms; // when the last one arrived; 0: there was none
    int64_t step_ms; // time between the last two; 0: there was only one
    bool here;       // the instance is among those that report
};

struct board_row {
    UT_hash_handle hh;
    // By its reports
    struct series series;
    uint64_t viewers, totals[TOTALS], grown[TOTALS]; // grown: between the last two reports
    uint64_t delays[DELAY_BUCKETS];
    bool fresh; // a report has come since the last tick
    uint64_t videos, slow, memory_used, memory_max;
    bool has_figures, store_available;
    // By its lease
    enum { LEASE_NONE, LEASE_LIVE, LEASE_LOST, LEASE_STOPPED } lease;
    int64_t ended_ms;
    uint64_t generation;
    char *url;
    char id[];
};

// A comment API.
struct source {
    UT_hash_handle hh;
    struct series series;
    uint64_t comments, grown;
    char id[];
};

struct board {
    const struct board_listener *listener;
    struct board_row *rows;
    struct source *sources;
    bool leases_known;
    double figures[BOARD_FIGURES];
    uint64_t delays[BOARD_DELAY_TICKS][DELAY_BUCKETS];
    unsigned tick;
};

struct board *board_new(const struct board_listener *listener) {
    struct board *b = mem_zalloc(sizeof *b);
    b->listener = listener;
    for (int i = 0; i < BOARD_FIGURES; i++) b->figures[i] = NAN;
    return b;
}

static void row_free(struct board *b, struct board_row *r) {
    HASH_DEL(b->rows, r);
    free(r->url);
    free(r);
}

void board_free(struct board *b) {
    struct board_row *r, *next;
    struct source *s, *next_source;
    if (!b) return;
    HASH_ITER(hh, b->rows, r, next) row_free(b, r);
    HASH_ITER(hh, b->sources, s, next_source) {
        HASH_DEL(b->sources, s);
        free(s);
    }
    free(b);
}

// Returns the reader's row; makes it if there is room, otherwise returns NULL.
static struct board_row *board_row_of(struct board *b, const char *id) {
    struct board_row *r;
    size_t len = strlen(id);
    HASH_FIND(hh, b->rows, id, len, r);
    if (r || HASH_COUNT(b->rows) == BOARD_READERS) return r;
    r = mem_zalloc(sizeof *r + len + 1);
    memcpy(r->id, id, len + 1);
    HASH_ADD_KEYPTR(hh, b->rows, r->id, len, r);
    return r;
}

// Notes when a report arrived. Returns whether it is new.
static bool series_take(struct series *s, int64_t seen_ms) {
    s->here = true;
    if (seen_ms == s->seen_ms) return false;
    s->step_ms = s->seen_ms ? seen_ms - s->seen_ms : 0;
    s->seen_ms = seen_ms;
    return true;
}

// Returns how fast a total grows that has grown by this much between the last two reports; 0 if the next one
// is long overdue.
static double series_rate(const struct series *s, uint64_t grown, int64_t now_ms) {
    int64_t overdue_ms = OVERDUE_STEPS * s->step_ms;
    if (!s->step_ms || now_ms - s->seen_ms > (overdue_ms > OVERDUE_MS ? overdue_ms : OVERDUE_MS)) return 0;
    return (double)grown * 1000 / (double)s->step_ms;
}

// A total that has become smaller was begun again, by a new process.
static uint64_t grown_by(uint64_t before, uint64_t now) {
    return now >= before ? now - before : now;
}

// Leases

static void board_tell(const struct board *b, enum board_change change, const struct board_row *r) {
    if (b->listener && b->listener->on_change)
        b->listener->on_change(b->listener->arg, change, r->id, r->url);
}

static void row_take_lease(struct board *b, struct board_row *r, const struct reader_row *l, int64_t now_ms) {
    int before = (int)r->lease;
    bool known = b->leases_known;
    r->generation = l->generation;
    if (!r->url || strcmp(r->url, l->reader_url) != 0) {
        free(r->url);
        r->url = mem_strdup(l->reader_url);
    }
    if (l->state == READER_LIVE) {
        r->lease = LEASE_LIVE;
        if (known && before == LEASE_NONE) board_tell(b, BOARD_READER_JOINED, r);
        if (before > LEASE_LIVE) board_tell(b, BOARD_READER_BACK, r);
    } else if (before == LEASE_LIVE) {
        r->lease = l->given_up ? LEASE_STOPPED : LEASE_LOST;
        r->ended_ms = now_ms;
        board_tell(b, l->given_up ? BOARD_READER_STOPPED : BOARD_READER_LOST, r);
    }
}

// Of several leases with one name, as after a move to another address, a live one counts.
static bool another_is_live(const struct reader_row *rows, size_t count, const struct reader_row *l) {
    if (l->state == READER_LIVE) return false;
    for (size_t i = 0; i < count; i++)
        if (&rows[i] != l && rows[i].state == READER_LIVE && rows[i].instance_id &&
            !strcmp(rows[i].instance_id, l->instance_id))
            return true;
    return false;
}

void board_take_leases(struct board *b, const struct reader_row *rows, size_t count, int64_t now_ms) {
    struct board_row *r, *next;
    for (size_t i = 0; i < count; i++) {
        const struct reader_row *l = &rows[i];
        if (!l->leased || !l->instance_id) continue;
        HASH_FIND(hh, b->rows, l->instance_id, strlen(l->instance_id), r);
        if (!r && l->state != READER_LIVE) continue; // ended before we looked
        if (another_is_live(rows, count, l)) continue;
        r = board_row_of(b, l->instance_id);
        if (r) row_take_lease(b, r, l, now_ms);
    }
    HASH_ITER(hh, b->rows, r, next) {
        if (r->lease > LEASE_LIVE && now_ms - r->ended_ms >= BOARD_LOST_MS) row_free(b, r);
    }
    b->leases_known = true;
}

// Reports

static void row_take_delays(struct board *b, struct board_row *r, const json_t *delays) {
    uint64_t *grown = b->delays[b->tick % BOARD_DELAY_TICKS];
    for (unsigned i = 0; i < DELAY_BUCKETS; i++) {
        char name[12];
        snprintf(name, sizeof name, "%u", i);
        uint64_t now = figures_number(delays, name);
        if (r->series.step_ms) grown[i] += grown_by(r->delays[i], now);
        r->delays[i] = now;
    }
}

static void row_take_totals(struct board_row *r, const struct figures_report *report, const json_t *figures) {
    uint64_t now[TOTALS] = {[TOTAL_DELIVERED] = report->numbers[1]};
    for (int i = TOTAL_DELIVERED + 1; i < TOTALS; i++) now[i] = figures_number(figures, total_names[i]);
    for (int i = 0; i < TOTALS; i++) {
        r->grown[i] = r->series.step_ms ? grown_by(r->totals[i], now[i]) : 0;
        r->totals[i] = now[i];
    }
}

static void on_reader_report(void *arg, const struct figures_report *report) {
    struct board *b = arg;
    struct board_row *r = board_row_of(b, report->id);
    if (!r || !series_take(&r->series, report->seen_ms)) return;
    const json_t *figures = json_object_get(report->hidden, "figures");
    r->fresh = true;
    r->viewers = report->numbers[0];
    r->has_figures = json_object_size(figures) > 0;
    r->videos = figures_number(figures, "videos");
    r->slow = figures_number(figures, "slowViewers");
    r->memory_used = figures_number(figures, "memoryUsed");
    r->memory_max = figures_number(figures, "memoryMax");
    r->store_available = figures_number(figures, "storesAvailable") > 0;
    row_take_totals(r, report, figures);
    row_take_delays(b, r, json_object_get(report->hidden, "delays"));
}

static void on_comment_report(void *arg, const struct figures_report *report) {
    struct board *b = arg;
    struct source *s;
    size_t len = strlen(report->id);
    HASH_FIND(hh, b->sources, report->id, len, s);
    if (!s) {
        s = mem_zalloc(sizeof *s + len + 1);
        memcpy(s->id, report->id, len + 1);
        HASH_ADD_KEYPTR(hh, b->sources, s->id, len, s);
    }
    uint64_t before = s->comments;
    if (!series_take(&s->series, report->seen_ms)) return;
    s->comments = report->numbers[0];
    s->grown = s->series.step_ms ? grown_by(before, s->comments) : 0;
}

static double row_rate(const struct board_row *r, int64_t now_ms) {
    return series_rate(&r->series, r->grown[TOTAL_DELIVERED], now_ms);
}

// A reader without a lease, of another system or while the store does not answer, lives while it reports.
static bool row_is_live(const struct board_row *r) {
    return r->lease == LEASE_LIVE || (r->lease == LEASE_NONE && r->series.here);
}

double imbalance_of(const uint64_t *numbers, size_t count) {
    uint64_t largest = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += numbers[i];
        if (numbers[i] > largest) largest = numbers[i];
    }
    return sum ? (double)largest * (double)count / (double)sum : NAN;
}

static void board_sum_readers(struct board *b, int64_t now_ms) {
    double *f = b->figures;
    uint64_t viewers[BOARD_READERS];
    size_t live = 0;
    struct board_row *r, *next;
    HASH_ITER(hh, b->rows, r, next) {
        if (r->lease == LEASE_LOST) f[BOARD_READERS_LOST]++;
        if (r->fresh) {
            f[BOARD_GAPS] += (double)r->grown[TOTAL_GAPS];
            f[BOARD_DROPPED] += (double)(r->grown[TOTAL_STALLED] + r->grown[TOTAL_SHED]);
            f[BOARD_RESUMED] += (double)r->grown[TOTAL_RESUMED];
        }
        r->fresh = false;
        if (!row_is_live(r)) continue;
        f[BOARD_VIEWERS] += (double)r->viewers;
        f[BOARD_VIDEOS] += (double)r->videos;
        f[BOARD_SLOW] += (double)r->slow;
        f[BOARD_DELIVERIES_PER_S] += row_rate(r, now_ms);
        viewers[live++] = r->viewers;
    }
    f[BOARD_READERS_LIVE] = (double)live;
    f[BOARD_IMBALANCE] = imbalance_of(viewers, live);
}

static void board_merge_delays(struct board *b) {
    uint64_t sum[DELAY_BUCKETS] = {0};
    for (int t = 0; t < BOARD_DELAY_TICKS; t++)
        for (int i = 0; i < DELAY_BUCKETS; i++) sum[i] += b->delays[t][i];
    double p50 = delay_percentile_ms(sum, 50), p99 = delay_percentile_ms(sum, 99);
    b->figures[BOARD_P50_MS] = p50 < 0 ? NAN : p50;
    b->figures[BOARD_P99_MS] = p99 < 0 ? NAN : p99;
}

// Forgets what is no longer among the reports.
static void board_drop_silent(struct board *b) {
    struct board_row *r, *next;
    struct source *s, *next_source;
    HASH_ITER(hh, b->rows, r, next) {
        if (r->series.here) continue;
        r->series = (struct series){0};
        r->viewers = r->videos = r->slow = 0;
        if (r->lease == LEASE_NONE) row_free(b, r);
    }
    HASH_ITER(hh, b->sources, s, next_source) {
        if (s->series.here) continue;
        HASH_DEL(b->sources, s);
        free(s);
    }
}

void board_tick(struct board *b, const struct figures *figures, int64_t now_ms) {
    struct board_row *r, *next;
    struct source *s, *next_source;
    HASH_ITER(hh, b->rows, r, next) r->series.here = false;
    HASH_ITER(hh, b->sources, s, next_source) s->series.here = false;
    memset(b->delays[++b->tick % BOARD_DELAY_TICKS], 0, sizeof *b->delays);
    figures_each(figures, REPORT_READER, on_reader_report, b);
    figures_each(figures, REPORT_COMMENT_API, on_comment_report, b);
    board_drop_silent(b);
    for (int i = 0; i < BOARD_FIGURES; i++) b->figures[i] = 0;
    board_sum_readers(b, now_ms);
    HASH_ITER(hh, b->sources, s, next_source)
        b->figures[BOARD_COMMENTS_PER_S] += series_rate(&s->series, s->grown, now_ms);
    board_merge_delays(b);
}

const double *board_figures(const struct board *b) {
    return b->figures;
}

const char *board_name_at(const struct board *b, const char *url) {
    for (const struct board_row *r = b->rows; url && r; r = r->hh.next)
        if (r->url && !strcmp(r->url, url)) return r->id;
    return NULL;
}

// What a row shows

static const char *row_state(const struct board_row *r) {
    if (r->lease == LEASE_LOST) return "lost";
    return r->lease == LEASE_STOPPED ? "stopped" : "live";
}

static json_t *known_number(bool known, uint64_t n) {
    return known ? json_integer((json_int_t)n) : json_null();
}

static json_t *row_show(const struct board *b, const struct board_row *r, int64_t now_ms) {
    bool live = row_is_live(r), known = live && r->series.here;
    double all = b->figures[BOARD_VIEWERS];
    json_t *o = json_pack("{s:s, s:s?, s:s}", "instanceId", r->id, "url", r->url, "state", row_state(r));
    json_object_set_new(o, "generation", known_number(r->lease != LEASE_NONE, r->generation));
    json_object_set_new(o, "viewers", known_number(known, r->viewers));
    json_object_set_new(o, "share", known && all > 0 ? json_real((double)r->viewers / all) : json_null());
    json_object_set_new(o, "videos", known_number(known && r->has_figures, r->videos));
    json_object_set_new(o, "deliveriesPerSecond", known ? json_real(row_rate(r, now_ms)) : json_null());
    json_object_set_new(o, "slowViewers", known_number(known && r->has_figures, r->slow));
    json_object_set_new(o, "memoryUsed", known_number(known && r->has_figures, r->memory_used));
    json_object_set_new(o, "memoryMax", known_number(known && r->has_figures, r->memory_max));
    json_object_set_new(o, "storeAvailable",
                        known && r->has_figures ? json_boolean(r->store_available) : json_null());
    json_object_set_new(o, "reportAgeMs",
                        known_number(r->series.here, (uint64_t)(now_ms - r->series.seen_ms)));
    json_object_set_new(o, "lostForMs", known_number(!live, (uint64_t)(now_ms - r->ended_ms)));
    return o;
}

static int rows_by_id(const struct board_row *a, const struct board_row *b) {
    size_t a_len = strlen(a->id), b_len = strlen(b->id); // reader-2 before reader-10
    return a_len == b_len ? strcmp(a->id, b->id) : a_len < b_len ? -1 : 1;
}

json_t *board_readers(struct board *b, int64_t now_ms) {
    json_t *list = json_array();
    HASH_SORT(b->rows, rows_by_id);
    for (const struct board_row *r = b->rows; r; r = r->hh.next)
        json_array_append_new(list, row_show(b, r, now_ms));
    return list;
}
