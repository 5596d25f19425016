// A feed without a catch_up follows its subscription: entries pass through. With one, the feed only notes the
// position of entries that arrive (`newest`), and reads them from the log, in order. A catch-up has one query
// at a time,
//
//     QUERY_OPEN     the log's position. The first query: until its answer the feed is not live
//     QUERY_HEAD     the log's position, and whether entries were lost. After an interruption (feed_check)
//     QUERY_RANGE    a batch of entries after the feed's position. After a hole
//
// which goes through these states (CATCH_UP_...):
//
//     SUBSCRIBING ---> (IN_LINE) ---> ASKING ---> DECIDING ---> follow: no catch_up any more
//                          ^            |             |
//                          |            v             |
//                          +--------- LATER <---------+   after a failure; between two batches
//
// A query waits in line while `most_asking` others run, or while all pause because the store fails. From
// DECIDING the next query may also follow immediately. A feed that is closed while its query runs leaves the
// catch-up as CLOSED, and the answer frees it.
#include "feed.h"

#include <stdlib.h>

#include "base/container_of.h"
#include "base/hash.h"
#include "base/uthash.h"
#include "net/loop.h"
#include "continuity.h"
#include "fanout/frame.h"
#include "entry_frame.h"

enum {
    FILL_BATCH = 250,
    PORTION_EVERY_MS = 25,
    RETRY_MS = 250,
    RETRY_MAX_MS = 10000,
    LOG_LINES = 20,   // logged per second
    OVER_UNASKED = 1, // a time long ago
    HOPEFUL_MS = 1000 // at least between two resubscriptions that cut a pause short
};

enum query { QUERY_OPEN, QUERY_HEAD, QUERY_RANGE };

struct catch_up {
    struct feed_env *env;
    struct feed *feed; // NULL: closed
    enum query query;  // the next one, or the last one sent
    enum {
        CATCH_UP_SUBSCRIBING,
        CATCH_UP_IN_LINE,
        CATCH_UP_ASKING,
        CATCH_UP_DECIDING,
        CATCH_UP_LATER,
        CATCH_UP_CLOSED
    } state;
    bool check_again;           // once the query is answered, compare positions with the store
    bool unsure;                // whether the video is over, since a gap
    bool looked_back;           // a tombstone has made it read what is below the feed
    enum engine_status failure; // of the last query
    int delay_ms;               // before it is repeated; 0: it did not fail
    int64_t sent_ms;            // when it was sent
    struct position from;       // the feed's position at the start
    struct position newest;     // highest position that has arrived meanwhile
    struct position lower;      // the first that arrived although `from` had passed it; not set: none
    struct position known;      // the feed's position when an epoch began below it; not set: none
    struct position back;       // an entry below the feed, to read from next; not set: from where it stands
    struct loop_timer again;
    struct catch_up *prev, *next; // in line
};

static void on_query_again(struct loop_timer *);
static void on_feed_head(void *arg, enum engine_status, const struct engine_head *);
static void on_feed_range(void *arg, enum engine_status, const struct engine_range *);

static struct catch_up *feed_catch_up(struct feed *f) {
    if (f->catch_up) return f->catch_up;
    struct catch_up *c = mem_zalloc(sizeof *c);
    c->env = f->env;
    c->feed = f;
    c->query = QUERY_HEAD;
    c->state = CATCH_UP_DECIDING;
    c->from = c->newest = f->at;
    c->again.on_due = on_query_again;
    return f->catch_up = c;
}

static void feed_set_over(struct feed *f, bool over) {
    if (feed_is_over(f) == over) return;
    f->over_ms = over ? OVER_UNASKED : 0;
    f->env->on_over(f);
}

// A gap may stand for the end of the video, or its start: the store tells, unless a comment does.
static void feed_emit(void *arg, struct frame *frame) {
    struct feed *f = arg;
    enum frame_turn turn = frame->turns;
    bool goes_on = turn == TURNS_ON || (frame_is_plain(frame) && position_is_set(frame->at));
    if (f->catch_up) f->catch_up->unsure = frame->is_gap || (f->catch_up->unsure && !goes_on);
    if (goes_on) feed_set_over(f, false);
    bool leaves = position_is_set(frame->at) && frame->at.epoch != f->at.epoch;
    if (leaves && position_compare(f->at, f->passed) > 0) f->passed = f->at;
    f->env->on_frame(f, frame);
    if (turn == TURNS_OFF) feed_set_over(f, true);
}

static void catch_up_note(struct catch_up *c, struct position p) {
    if (position_compare(p, c->newest) > 0) c->newest = p;
}

// Returns where to go back to for an entry with a number that was passed. Of a lower epoch, that is where the
// feed left it; else it began after the loss, or before the feed was opened.
static struct position feed_place_before(const struct feed *f, struct position arrived) {
    if (arrived.epoch == f->at.epoch) return (struct position){arrived.epoch, arrived.seq - 1};
    return arrived.epoch == f->passed.epoch ? f->passed : (struct position){arrived.epoch, 0};
}

// Asking

static void query_send(struct catch_up *c) {
    const struct feed *f = c->feed;
    struct engine *e = c->env->engine;
    c->env->asking++;
    c->state = CATCH_UP_ASKING;
    c->sent_ms = loop_now_ms(c->env->loop);
    if (c->query == QUERY_RANGE)
        e->ops->range(e, f->video, position_is_set(c->back) ? feed_place_before(f, c->back) : f->at,
                      FILL_BATCH, on_feed_range, c);
    else
        e->ops->head(e, f->video, position_is_set(c->known) ? c->known : f->at, on_feed_head, c);
}

static void catch_up_leave_line(struct catch_up *c) {
    struct feed_env *env = c->env;
    DL_DELETE(env->in_line, c);
    if (!env->in_line) loop_timer_stop(env->loop, &env->resume);
}

static void feed_send_first(struct feed_env *env) {
    struct catch_up *c = env->in_line;
    catch_up_leave_line(c);
    query_send(c);
}

static bool feed_is_paused(const struct feed_env *env) {
    return env->pause_ms > 0;
}

static void feed_send_waiting(struct feed_env *env) {
    while (env->in_line && !feed_is_paused(env) && env->asking < env->most_asking) feed_send_first(env);
}

static int with_jitter(int ms) {
    return ms / 2 + (int)(hash_random() % (uint64_t)(ms / 2 + 1));
}

static int grow_delay_ms(int ms) {
    if (!ms) return RETRY_MS;
    return ms < RETRY_MAX_MS / 2 ? 2 * ms : RETRY_MAX_MS;
}

static void on_feed_resume(struct loop_timer *t) {
    struct feed_env *env = container_of(t, struct feed_env, resume);
    env->probe = env->in_line;
    feed_send_first(env);
}

static void feed_wait_out_pause(struct feed_env *env) {
    if (!feed_is_paused(env) || !env->in_line || env->asking || env->resume.slot) return;
    env->resume.on_due = on_feed_resume;
    loop_timer_start(env->loop, &env->resume, with_jitter(env->pause_ms));
}

// Viewers wait for the first answer, so the first query is sent even while the store fails.
static void query_start(struct catch_up *c, enum query query) {
    struct feed_env *env = c->env;
    bool first = c->query == QUERY_OPEN && !c->delay_ms;
    loop_timer_stop(env->loop, &c->again);
    if (c->query != QUERY_OPEN) c->query = query;
    if (env->asking < env->most_asking && (!feed_is_paused(env) || first)) {
        query_send(c);
        return;
    }
    c->state = CATCH_UP_IN_LINE;
    DL_APPEND(env->in_line, c);
    feed_wait_out_pause(env);
}

static void query_later(struct catch_up *c, enum query query, int delay_ms) {
    if (c->query != QUERY_OPEN) c->query = query;
    c->state = CATCH_UP_LATER;
    loop_timer_start(c->env->loop, &c->again, delay_ms);
}

static void feed_end_pause(struct feed_env *env) {
    env->pause_ms = 0;
    loop_timer_stop(env->loop, &env->resume);
}

// A pause ends when no feed waits any more: the next query is sent immediately.
static void feed_end_idle_pause(struct feed_env *env) {
    if (feed_is_paused(env) && !env->in_line && !env->asking) feed_end_pause(env);
}

static void query_failed(struct catch_up *c) {
    c->delay_ms = grow_delay_ms(c->delay_ms);
    if (feed_is_paused(c->env))
        query_start(c, QUERY_HEAD);
    else
        query_later(c, QUERY_HEAD, with_jitter(c->delay_ms));
}

// Takes an answer of the engine. Returns whether it is to be used; if not, the retry has been arranged.
static bool feed_take_answer(struct catch_up *c, enum engine_status status) {
    struct feed_env *env = c->env;
    bool is_open = c->state != CATCH_UP_CLOSED, probed = env->probe == c;
    if (probed) env->probe = NULL;
    env->asking--;
    if (is_open) c->state = CATCH_UP_DECIDING;
    c->failure = status;
    if (status == ENGINE_OK) {
        c->delay_ms = 0;
        feed_end_pause(env);
    } else if (status != ENGINE_CLOSED) {
        // If the store as a whole fails, and not only this query, all feeds pause.
        const char *why;
        if ((probed || !feed_is_paused(env)) && !env->engine->ops->ready(env->engine, &why))
            env->pause_ms = grow_delay_ms(env->pause_ms);
        if (is_open) query_failed(c);
    }
    if (!is_open) free(c);
    feed_send_waiting(env);
    feed_wait_out_pause(env);
    feed_end_idle_pause(env);
    return is_open && status == ENGINE_OK;
}

// `newest` may be a position that the store has lost since: then the log gives no more, and the catch-up
// ends.
static void catch_up_fill(struct catch_up *c) {
    c->newest = c->feed->at;
    query_start(c, QUERY_RANGE);
}

// After an answer: follows the subscription, unless there is more to read. Long catch-ups come in portions,
// so that viewers that read keep up, and do not count as slow.
static void catch_up_continue(struct catch_up *c, bool more) {
    if (more) {
        query_later(c, QUERY_RANGE, PORTION_EVERY_MS);
    } else if (position_compare(c->feed->at, c->newest) < 0) {
        catch_up_fill(c);
    } else if (c->check_again || c->unsure) {
        c->check_again = false;
        feed_check(c->feed);
    } else {
        struct feed *f = c->feed;
        f->catch_up = NULL;
        f->overlap = c->from.epoch == f->at.epoch ? c->from.seq : 0;
        loop_timer_stop(c->env->loop, &c->again);
        free(c);
    }
}

// After an epoch that began below the feed's position: the store did not know of its loss, and other viewers
// of the video may have missed the lost entries. So the feed will report its position to the store.
static void catch_up_note_loss(struct catch_up *c, const struct engine_range *r) {
    struct position at = c->feed->at;
    for (const struct engine_entry *e = r->entries; e < r->entries + r->count; e++) {
        enum continuity order = continuity_of(at, e);
        if (order == CONTINUITY_OLD) continue;
        if (order == CONTINUITY_BEYOND && position_is_set(e->prev) && e->kind != ENTRY_TOMBSTONE) {
            c->known = at;
            c->check_again = true;
        }
        return;
    }
}

// The store went back to an earlier position, and comments were appended there: they are read from the log
// next, below the numbers that were lost. In an epoch that may be older than the feed, what is in front of
// them may have been shown, and is left out: none is shown twice.
static void feed_step_back(struct feed *f, struct position arrived) {
    struct position at = f->at, before = feed_place_before(f, arrived),
                    last = {arrived.epoch, arrived.seq - 1};
    bool is_new = position_is_set(f->passed) && arrived.epoch >= f->passed.epoch;
    feed_emit(f, frame_of_gap((struct position){at.epoch, at.seq + 1}, before, GAP_EPOCH));
    f->at = before;
    if (arrived.epoch == at.epoch || is_new || !last.seq) return;
    feed_emit(f, frame_of_gap((struct position){arrived.epoch, 1}, last, GAP_EXPIRED));
    f->at = last;
}

// An entry has arrived in an epoch between the one that the feed has passed and its own, and the store is
// beyond both. It tells of no loss, but another process may have told it first: if the feed's epoch is not in
// the log any more, the entry was appended where that had been.
static bool catch_up_looks_back(struct catch_up *c, struct position head) {
    const struct feed *f = c->feed;
    if (!feed_has_left_out(f, c->lower) || head.epoch <= f->at.epoch) return false;
    c->back = c->lower;
    return true;
}

// A tombstone that reaches back further than the feed does not tell where the log stood before it: if the
// feed's epoch is lost, entries may have been appended in a lower one first.
static bool catch_up_looks_below(struct catch_up *c, const struct engine_range *r) {
    const struct feed *f = c->feed;
    size_t i = 0;
    while (i < r->count && continuity_of(f->at, &r->entries[i]) == CONTINUITY_OLD) i++;
    if (i == r->count || c->looked_back || !position_is_set(f->passed) || f->passed.epoch >= f->at.epoch)
        return false;
    const struct engine_entry *e = &r->entries[i];
    if (e->kind != ENTRY_TOMBSTONE || e->at.seq != 1 || e->prev.epoch >= f->at.epoch) return false;
    c->back = f->passed;
    return c->looked_back = true;
}

// Returns whether entries are below the feed's epoch, and that is not among those that follow.
static bool range_has_lost(const struct engine_range *r, uint64_t epoch) {
    size_t i = 0;
    while (i < r->count && r->entries[i].at.epoch < epoch) i++;
    return i && i < r->count && r->entries[i].at.epoch > epoch;
}

static void on_feed_range(void *arg, enum engine_status status, const struct engine_range *r) {
    struct catch_up *c = arg;
    if (!feed_take_answer(c, status)) return;
    struct feed *f = c->feed;
    if (!position_is_set(c->back) && catch_up_looks_below(c, r)) {
        query_start(c, QUERY_RANGE);
        return;
    }
    if (position_is_set(c->back) && range_has_lost(r, f->at.epoch)) feed_step_back(f, c->back);
    c->back = (struct position){0};
    catch_up_note_loss(c, r);
    continuity_walk(&f->at, r->entries, r->count, feed_emit, f);
    int order = position_compare(f->at, r->head);
    if (!r->more && order < 0) continuity_end(&f->at, r->head, feed_emit, f);
    if (order > 0) c->check_again = true; // the store has lost what we have seen
    catch_up_note(c, r->head);
    catch_up_continue(c, r->more);
}

static void feed_log(struct feed *f, const char *event, const char *action) {
    struct feed_env *env = f->env;
    if (log_sample(&env->sampler, env->instance_id, LOG_LINES, loop_now_ms(env->loop)))
        log_info(env->instance_id, event, "video=%s action=\"%s\"", f->video, action);
}

// An entry with a number already passed. After a catch-up it has been read from the log; otherwise the store
// may have gone back.
static void feed_take_lower(struct feed *f, const struct engine_entry *e) {
    if (e->at.epoch == f->at.epoch && e->at.seq > f->overlap) return;
    feed_log(f, "passed_number", "asking the log");
    feed_catch_up(f)->lower = e->at;
    feed_check(f);
}

static void on_feed_entry(void *arg, const struct engine_entry *e) {
    struct feed *f = arg;
    if (!position_is_set(e->at)) {
        if (feed_is_live(f)) feed_emit(f, frame_of_entry(e));
        return;
    }
    struct catch_up *catch_up = f->catch_up;
    if (catch_up) {
        catch_up_note(catch_up, e->at);
        if (catch_up->query == QUERY_OPEN || position_is_set(catch_up->lower) ||
            position_compare(e->at, catch_up->from) > 0)
            return;
        catch_up->lower = e->at;
        catch_up->check_again = true;
        return;
    }
    enum continuity c = continuity_of(f->at, e);
    if (c == CONTINUITY_OLD) {
        feed_take_lower(f, e);
    } else if (c == CONTINUITY_NEXT && e->kind != ENTRY_UNREAD) {
        continuity_walk(&f->at, e, 1, feed_emit, f);
        f->overlap = f->at.seq;
    } else {
        if (c != CONTINUITY_NEXT) feed_log(f, "hole", "reading the log");
        catch_up_fill(feed_catch_up(f));
        catch_up_note(f->catch_up, e->at);
    }
}

static void on_feed_head(void *arg, enum engine_status status, const struct engine_head *head) {
    struct catch_up *c = arg;
    if (!feed_take_answer(c, status)) return;
    struct feed *f = c->feed;
    bool opening = c->query == QUERY_OPEN;
    c->back = (struct position){0};
    bool lost = position_is_set(c->lower) && c->lower.epoch == head->before.epoch &&
                c->lower.seq <= head->before.seq && c->lower.seq;
    if (opening)
        f->at = head->at;
    else if (lost) // the entries that the store has lost had this number
        feed_step_back(f, c->lower);
    if (position_compare(f->at, head->at) == 0) {
        c->unsure = false;
        feed_set_over(f, head->over);
        if (head->over) f->over_ms = c->sent_ms;
    }
    bool looks_back = !opening && !lost && catch_up_looks_back(c, head->at);
    if (!c->check_again) c->lower = (struct position){0};
    c->known = (struct position){0};
    c->query = QUERY_HEAD;
    catch_up_note(c, head->at);
    if (looks_back)
        catch_up_fill(c);
    else
        catch_up_continue(c, false);
    if (opening)
        f->env->on_live(f);
    else if (feed_is_over(f))
        f->env->on_still_over(f);
}

void feed_check(struct feed *f) {
    struct catch_up *c = feed_catch_up(f);
    if (c->state == CATCH_UP_IN_LINE || c->state == CATCH_UP_ASKING)
        c->check_again = true;
    else
        query_start(c, QUERY_HEAD);
}

// The store may have recovered as well.
static void on_feed_subscribed(void *arg) {
    struct feed *f = arg;
    struct feed_env *env = f->env;
    int64_t now_ms = loop_now_ms(env->loop);
    if (feed_is_paused(env) && now_ms - env->hopeful_ms >= HOPEFUL_MS) {
        env->hopeful_ms = now_ms;
        feed_end_pause(env);
        feed_send_waiting(env);
    }
    feed_check(f);
}

static struct position feed_position_of(void *arg) {
    return ((const struct feed *)arg)->at;
}

static void on_query_again(struct loop_timer *t) {
    struct catch_up *c = container_of(t, struct catch_up, again);
    if (c->query == QUERY_RANGE)
        catch_up_fill(c);
    else
        query_start(c, QUERY_HEAD);
}

static const struct engine_subscriber feed_subscriber = {
    .on_entry = on_feed_entry, .on_subscribed = on_feed_subscribed, .position = feed_position_of};

void feed_open(struct feed *f, struct feed_env *env, const char *video) {
    *f = (struct feed){.env = env, .video = video};
    struct catch_up *c = feed_catch_up(f);
    c->query = QUERY_OPEN;
    c->state = CATCH_UP_SUBSCRIBING;
    f->subscription = env->engine->ops->subscribe(env->engine, video, &feed_subscriber, f);
}

void feed_close(struct feed *f) {
    struct catch_up *c = f->catch_up;
    f->env->engine->ops->unsubscribe(f->env->engine, f->subscription);
    if (!c) return;
    loop_timer_stop(f->env->loop, &c->again);
    f->catch_up = NULL;
    c->feed = NULL;
    if (c->state == CATCH_UP_ASKING) {
        c->state = CATCH_UP_CLOSED;
        return;
    }
    if (c->state == CATCH_UP_IN_LINE) catch_up_leave_line(c);
    feed_end_idle_pause(c->env);
    free(c);
}

bool feed_is_live(const struct feed *f) {
    return !f->catch_up || f->catch_up->query != QUERY_OPEN;
}

enum engine_status feed_failure(const struct feed *f) {
    return f->catch_up ? f->catch_up->failure : ENGINE_OK;
}

struct position feed_position(const struct feed *f) {
    return f->held ? *f->held : f->at;
}

bool feed_is_over(const struct feed *f) {
    return f->over_ms;
}

bool feed_was_over(const struct feed *f, int64_t since_ms) {
    return f->over_ms >= since_ms;
}

bool feed_has_left_out(const struct feed *f, struct position p) {
    return position_is_set(f->passed) && p.epoch > f->passed.epoch && p.epoch < f->at.epoch;
}
