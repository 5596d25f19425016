// A GET waits in `waiters` until all parts have reported what they count now (statistics_ask) and then the
// engine has answered what is stored (on_statistics_overview), so that the numbers of a document are of one
// moment; or in `ready` until the end of the turn if the engine is not queried; statistics_show() calls it
// back. A report passes statistics_report() and figures_take().
#include "statistics/statistics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/id.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "net/loop.h"
#include "dashboard.h"
#include "demo_desk.h"
#include "active_videos.h"
#include "figures.h"
#include "fleet_ledger.h"

enum {
    ASK_EVERY_MS = 250, // reports that are younger are not asked for again
    REPORTS_MS = 250,   // within which parts answer
    OLDEST_MS = 1000,   // while the engine answers, no part of the document is older than this
    SILENT_INTERVALS = 3,
    FRESH_TENTHS = 12, // of an interval: readers report two and a half times in it, so three are missing
    INTERVAL_MS = 5000,
    REPORT_TENTHS = 4, // of an interval, between two reports of a reader: two in five, and a twentieth more
    LEDGER_MS = 1000,
    COUNTED_AT_ONCE = 250, // entries of a log
    BUDGET_SHARE = 20,
    BUDGET_MAX_US = 50000
};

// Time that may be spent on requests: one part in BUDGET_SHARE, and what was not spent before, up to
// BUDGET_MAX_US. So a quiet system shows a change immediately, and polling is cheap on a busy one.
struct time_budget {
    int64_t left_us; // at at_ms; may be negative
    int64_t at_ms;
};

static bool time_budget_left(struct time_budget *b, int64_t now_ms) {
    int64_t left_us = b->left_us + (now_ms - b->at_ms) * 1000 / BUDGET_SHARE;
    *b = (struct time_budget){left_us < BUDGET_MAX_US ? left_us : BUDGET_MAX_US, now_ms};
    return b->left_us > 0;
}

// At most BUDGET_MAX_US, so that it is never empty for longer than OLDEST_MS.
static void time_budget_spend(struct time_budget *b, int64_t since_us) {
    int64_t spent_us = clock_monotonic_us() - since_us;
    b->left_us -= spent_us < BUDGET_MAX_US ? spent_us : BUDGET_MAX_US;
}

struct waiter {
    statistics_document_cb *done;
    void *arg;
    struct waiter *prev, *next;
};

struct ledger_waiter {
    statistics_ledger_cb *done;
    void *arg;
    struct ledger_waiter *prev, *next;
    char video[ID_MAX + 1];
};

// Entries that a reader may have sent after its last report.
struct loss_count {
    bool running; // the engine is being queried
    struct fleet_loss loss;
    uint64_t comments;
};

struct statistics {
    struct service service; // first: the argument of the routes
    const struct internal_only *guard;
    struct demo_desk *desk; // NULL: there is nothing to command
    struct figures *figures;
    int64_t fresh_ms;            // the videos of a reader that has been silent for longer are not listed
    struct dashboard *dashboard; // or NULL
    struct fleet_ledger *ledger;
    struct loss_count counting;
    struct loop_timer ledger_timer;
    struct ledger_waiter *ledger_waiters; // for reports
    struct loop_job ledger_answer;        // where none can be asked for
    json_t *stored;                       // storedComments; NULL: unknown yet
    bool overview_running, closing;       // the engine is being queried; statistics_free() was called
    int64_t overview_sent_us;
    struct time_budget overview_budget;
    int64_t asked_ms;                   // when parts were asked for reports
    bool asking;                        // some have not answered
    struct loop_timer reports_timeout;  // then the document is made without their answers
    struct loop_timer overview_timeout; // limits the wait for the engine, if there is an older answer
    struct waiter *waiters;             // for its answer
    struct waiter *ready;               // for the job `answer`
    struct loop_job answer;
    char *document; // or NULL
    size_t document_len;
    uint64_t document_version; // of the figures
    bool stored_changed;       // since the document was made
    int64_t made_ms;
    struct time_budget making_budget;
    struct loop_job reap;
};

static void on_reports_overdue(struct loop_timer *);
static void on_overview_overdue(struct loop_timer *);
static void on_waiters_ready(struct loop_job *);
static void on_ledger_due(struct loop_timer *);
static void on_ledger_answer(struct loop_job *);
static void on_statistics_reap(struct loop_job *);

static double statistics_unclosed(struct service *s) {
    return fleet_ledger_unclosed(((struct statistics *)s)->ledger);
}

const struct metric statistics_metrics[] = {
    {"chorus_statistics_unclosed_ledgers", "ledgers", METRIC_GAUGE,
     "Videos at readers whose ledger does not close: a comment has not come to a viewer, and nothing says why. See /videos/:videoid/ledger.",
     .get = statistics_unclosed, .health = "unclosedLedgers"},
    {0},
};

static const struct service_kind statistics_kind = {.role = "statistics", .metrics = statistics_metrics};

struct statistics *statistics_new(struct loop *loop, struct engine *engine,
                                  const struct statistics_config *config) {
    struct statistics *s = mem_zalloc(sizeof *s);
    service_init(&s->service, &statistics_kind, loop, engine, NULL,
                 &(struct service_config){.instance_id = config->instance_id, .process = config->process});
    s->guard = config->guard;
    if (config->demo) s->desk = demo_desk_new(config->demo, s->guard);
    int interval_ms = config->interval_ms > 0 ? config->interval_ms : INTERVAL_MS;
    s->figures = figures_new((int64_t)interval_ms * SILENT_INTERVALS);
    s->fresh_ms = (int64_t)interval_ms * FRESH_TENTHS / 10;
    int64_t report_ms = (int64_t)interval_ms * REPORT_TENTHS * 21 / 200;
    s->ledger = fleet_ledger_new((int64_t)interval_ms * SILENT_INTERVALS, report_ms);
    s->ledger_timer.on_due = on_ledger_due;
    s->ledger_answer.run = on_ledger_answer;
    loop_timer_start(loop, &s->ledger_timer, LEDGER_MS);
    s->overview_budget = s->making_budget = (struct time_budget){BUDGET_MAX_US, loop_now_ms(loop)};
    s->reports_timeout.on_due = on_reports_overdue;
    s->overview_timeout.on_due = on_overview_overdue;
    s->answer.run = on_waiters_ready;
    s->reap.run = on_statistics_reap;
    if (config->fanout)
        s->dashboard =
            dashboard_new(&s->service, config->fanout, s->figures, s->fresh_ms, config->demo != NULL);
    return s;
}

static void statistics_query_engine(struct statistics *);

// The last answer of the engine frees the memory.
static void statistics_reap_if_settled(struct statistics *s) {
    if (!s->overview_running && !s->counting.running) loop_defer(s->service.loop, &s->reap);
}

static void statistics_answer_ledgers(struct statistics *s) {
    struct ledger_waiter *all = s->ledger_waiters, *w, *next;
    s->ledger_waiters = NULL;
    DL_FOREACH_SAFE(all, w, next) {
        w->done(w->arg, s->closing ? NULL : fleet_ledger_show(s->ledger, w->video));
        free(w);
    }
}

static void statistics_end_asking(struct statistics *s) {
    s->asking = false;
    loop_timer_stop(s->service.loop, &s->reports_timeout);
    statistics_answer_ledgers(s);
    if (s->waiters) statistics_query_engine(s);
}

static void on_reports_overdue(struct loop_timer *t) {
    struct statistics *s = container_of(t, struct statistics, reports_timeout);
    figures_give_up(s->figures);
    statistics_end_asking(s);
}

// Asks all parts to report what they count now, then queries the engine.
static void statistics_ask(struct statistics *s) {
    static const char now[] = "now";
    struct engine *e = s->service.engine;
    int64_t now_ms = loop_now_ms(s->service.loop);
    if (now_ms - s->asked_ms >= ASK_EVERY_MS) {
        s->asked_ms = now_ms;
        figures_ask(s->figures);
        if (figures_are_awaited(s->figures)) e->ops->notify(e, REPORT_TOPIC, now, sizeof now - 1);
    }
    s->asking = figures_are_awaited(s->figures);
    if (s->asking)
        loop_timer_start(s->service.loop, &s->reports_timeout, REPORTS_MS);
    else
        statistics_query_engine(s);
}

bool statistics_report(struct statistics *s, enum report_kind kind, struct json_reader *report,
                       struct report_refusal *refusal) {
    bool taken =
        figures_take(s->figures, kind, report, loop_now_ms(s->service.loop), clock_wall_ms(), refusal);
    if (taken && kind == REPORT_READER) {
        struct figures_report last = figures_last(s->figures, kind);
        fleet_ledger_take(s->ledger, &last, loop_now_ms(s->service.loop), clock_wall_ms());
    }
    if (s->asking && !figures_are_awaited(s->figures)) statistics_end_asking(s);
    return taken;
}

// Ledgers

static void statistics_ask_for_ledger(struct statistics *s, const char *video) {
    struct engine *e = s->service.engine;
    char what[sizeof "ledger " + ID_MAX];
    int len = snprintf(what, sizeof what, "ledger %s", video);
    e->ops->notify(e, REPORT_TOPIC, what, (size_t)len);
}

static void on_ledger_answer(struct loop_job *job) {
    statistics_answer_ledgers(container_of(job, struct statistics, ledger_answer));
}

void statistics_ledger(struct statistics *s, const char *video, statistics_ledger_cb *done, void *arg) {
    struct ledger_waiter *w = mem_alloc(sizeof *w);
    *w = (struct ledger_waiter){.done = done, .arg = arg};
    snprintf(w->video, sizeof w->video, "%s", video);
    figures_ask(s->figures);
    s->asking = figures_are_awaited(s->figures);
    if (s->asking) {
        statistics_ask_for_ledger(s, video);
        loop_timer_start(s->service.loop, &s->reports_timeout, REPORTS_MS);
    } else if (!s->ledger_waiters) {
        loop_defer(s->service.loop, &s->ledger_answer);
    }
    DL_APPEND(s->ledger_waiters, w);
}

// Counts up to the first comment that came too late: by then the reader would have reported again.
static bool loss_count_take(struct loss_count *c, const struct engine_range *r) {
    for (size_t i = 0; i < r->count; i++) {
        const struct engine_entry *e = &r->entries[i];
        if (entry_posted_ms(e) > c->loss.until_ms) return false;
        c->comments += entry_shown(e->kind) != SHOWN_NOTHING;
        c->loss.after = e->at;
    }
    return r->more && r->count;
}

static void loss_count_ask(struct statistics *s);

static void on_loss_counted(void *arg, enum engine_status status, const struct engine_range *r) {
    struct statistics *s = arg;
    struct loss_count *c = &s->counting;
    c->running = false;
    if (s->closing) {
        statistics_reap_if_settled(s);
    } else if (status == ENGINE_OK && loss_count_take(c, r)) {
        loss_count_ask(s);
    } else {
        fleet_ledger_settle(s->ledger, c->loss.row, c->comments);
        c->comments = 0;
        if (fleet_ledger_next_loss(s->ledger, &c->loss)) loss_count_ask(s);
    }
}

static void loss_count_ask(struct statistics *s) {
    struct engine *e = s->service.engine;
    s->counting.running = true;
    e->ops->range(e, s->counting.loss.video, s->counting.loss.after, COUNTED_AT_ONCE, on_loss_counted, s);
}

static void on_ledger_due(struct loop_timer *t) {
    struct statistics *s = container_of(t, struct statistics, ledger_timer);
    int64_t now_ms = loop_now_ms(s->service.loop);
    fleet_ledger_sweep(s->ledger, now_ms);
    const char *video = fleet_ledger_to_ask(s->ledger, now_ms);
    if (video) statistics_ask_for_ledger(s, video);
    if (!s->counting.running && fleet_ledger_next_loss(s->ledger, &s->counting.loss)) loss_count_ask(s);
    loop_timer_start(s->service.loop, t, LEDGER_MS);
}

json_t *statistics_videos(struct statistics *s, size_t limit) {
    return active_videos(s->figures, limit, loop_now_ms(s->service.loop), s->fresh_ms);
}

struct dashboard *statistics_dashboard(const struct statistics *s) {
    return s->dashboard;
}

const struct internal_only *statistics_guard(const struct statistics *s) {
    return s->guard;
}

struct demo_desk *statistics_desk(const struct statistics *s) {
    return s->desk;
}

static void statistics_keep_overview(struct statistics *s, const struct engine_overview *o) {
    json_t *comments = json_array();
    struct buf json = {0};
    for (size_t i = 0; i < o->newest_count; i++) {
        buf_clear(&json);
        entry_write(&json, &o->newest[i]);
        json_t *comment = json_loadb(json.data, json.len, 0, NULL);
        if (comment) json_array_append_new(comments, comment);
    }
    buf_release(&json);
    json_t *stored = json_pack("{s:I, s:o}", "total", (json_int_t)o->comments, "comments", comments);
    if (!json_equal(stored, s->stored)) s->stored_changed = true;
    json_decref(s->stored);
    s->stored = stored;
}

static void statistics_make_document(struct statistics *s, int64_t now_ms) {
    int64_t began_us = clock_monotonic_us();
    json_t *document = figures_document(s->figures, s->stored, clock_wall_ms());
    free(s->document);
    s->document = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    if (!s->document) mem_abort("statistics document");
    s->document_len = strlen(s->document);
    s->document_version = figures_version(s->figures);
    s->stored_changed = false;
    s->made_ms = now_ms;
    time_budget_spend(&s->making_budget, began_us);
}

static void statistics_show(struct statistics *s, statistics_document_cb *done, void *arg) {
    int64_t now_ms = loop_now_ms(s->service.loop);
    figures_expire(s->figures, now_ms);
    bool changed = s->stored_changed || s->document_version != figures_version(s->figures);
    if (!s->document || now_ms - s->made_ms >= OLDEST_MS ||
        (changed && time_budget_left(&s->making_budget, now_ms)))
        statistics_make_document(s, now_ms);
    done(arg, s->document, s->document_len);
}

static void statistics_answer_all(struct statistics *s, struct waiter **list) {
    struct waiter *all = *list, *w, *next;
    *list = NULL;
    DL_FOREACH_SAFE(all, w, next) {
        if (s->stored && !s->closing)
            statistics_show(s, w->done, w->arg);
        else
            w->done(w->arg, NULL, 0);
        free(w);
    }
}

static void on_waiters_ready(struct loop_job *job) {
    struct statistics *s = container_of(job, struct statistics, answer);
    statistics_answer_all(s, &s->ready);
}

static void on_statistics_overview(void *arg, enum engine_status status, const struct engine_overview *o) {
    struct statistics *s = arg;
    s->overview_running = false;
    if (s->closing) {
        statistics_reap_if_settled(s);
        return;
    }
    if (status == ENGINE_OK) statistics_keep_overview(s, o);
    time_budget_spend(&s->overview_budget, s->overview_sent_us);
    loop_timer_stop(s->service.loop, &s->overview_timeout);
    statistics_answer_all(s, &s->waiters);
}

static void on_overview_overdue(struct loop_timer *t) {
    struct statistics *s = container_of(t, struct statistics, overview_timeout);
    statistics_answer_all(s, &s->waiters);
}

static void statistics_query_engine(struct statistics *s) {
    struct engine *e = s->service.engine;
    if (s->stored) loop_timer_start(s->service.loop, &s->overview_timeout, OLDEST_MS);
    if (s->overview_running) return;
    s->overview_running = true;
    s->overview_sent_us = clock_monotonic_us();
    e->ops->overview(e, on_statistics_overview, s);
}

void statistics_document(struct statistics *s, statistics_document_cb *done, void *arg) {
    struct waiter *w = mem_alloc(sizeof *w);
    *w = (struct waiter){.done = done, .arg = arg};
    if (s->waiters) { // the query of the first one is running
        DL_APPEND(s->waiters, w);
    } else if (s->stored && !time_budget_left(&s->overview_budget, loop_now_ms(s->service.loop))) {
        if (!s->ready) loop_defer(s->service.loop, &s->answer);
        DL_APPEND(s->ready, w);
    } else {
        DL_APPEND(s->waiters, w);
        statistics_ask(s);
    }
}

static void on_statistics_reap(struct loop_job *job) {
    struct statistics *s = container_of(job, struct statistics, reap);
    dashboard_free(s->dashboard);
    demo_desk_free(s->desk);
    figures_free(s->figures);
    fleet_ledger_free(s->ledger);
    json_decref(s->stored);
    free(s->document);
    free(s);
}

void statistics_stop(struct statistics *s) {
    if (s) dashboard_stop(s->dashboard);
}

void statistics_free(struct statistics *s) {
    if (!s || s->closing) return;
    s->closing = true;
    service_release(&s->service);
    loop_timer_stop(s->service.loop, &s->reports_timeout);
    loop_timer_stop(s->service.loop, &s->overview_timeout);
    loop_timer_stop(s->service.loop, &s->ledger_timer);
    statistics_answer_all(s, &s->waiters);
    statistics_answer_all(s, &s->ready);
    statistics_answer_ledgers(s);
    statistics_reap_if_settled(s);
}
