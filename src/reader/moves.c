// A move is asked about before its turn comes: placement says where to, and how that is to be told is made
// into an event. At each tick the first few whose answers are there share the viewers that the pace allows,
// as they go to different readers, each of which shall get its part; then the next. As many viewers take
// long, it is asked about again: the reader that they go to may be gone, or the video may be this one's
// again, or one that it serves with others, or that reader may be full: those that have left would come back
// without end.
#include "moves.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/container_of.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/uthash.h"
#include "net/loop.h"
#include "fanout/frame.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "reader/crowd.h"
#include "move_pace.h"
#include "reader_core.h"
#include "viewer_counts.h"
#include "watched.h"

enum { ASKED_AHEAD = 64, ASK_AGAIN_MS = 1000, SIDE_BY_SIDE = 16 };

struct moves {
    struct reader *reader;
    struct move *queue; // in the order in which they are made
    struct loop_timer tick;
    struct move_pace pace;
    unsigned asking; // placement, for where to
};

enum move_state { MOVE_WAITS, MOVE_ASKING, MOVE_GOES, MOVE_ENDS };

struct move {
    struct moves *moves;
    struct watched *watched; // NULL: it ends
    enum move_state state;
    int64_t ask_ms; // when to ask about it, again; 0: at once, or once it lets viewers go
    bool all;       // of them, once another reader has the video
    int64_t count;  // still to go; of all: in this round
    int64_t seen;   // viewers when the last round began
    double per_second;
    struct move_pace pace; // where it has one of its own
    struct frame *event;   // NULL: the address is this one, which redirects
    struct move *prev, *next;
    char video[];
};

static void move_free(struct moves *all, struct move *m) {
    if (m->watched) m->watched->move = NULL;
    DL_DELETE(all->queue, m);
    frame_unref(m->event);
    free(m);
}

// One that is asked about goes with its answer.
static void move_end(struct moves *all, struct move *m) {
    if (m->state != MOVE_ASKING) {
        move_free(all, m);
        return;
    }
    m->state = MOVE_ENDS;
    m->watched->move = NULL;
    m->watched = NULL;
}

static struct frame *move_event(const char *base) {
    struct buf json = {0};
    buf_add_string(&json, "{\"type\":\"move\",\"reader\":");
    json_text_add(&json, base, strlen(base));
    buf_add_string(&json, "}");
    struct frame *f = frame_of_event((struct position){0}, "move", json.data, json.len);
    buf_release(&json);
    return f;
}

// A full reader would send them on, perhaps back to this one. A reader that drains is sent no viewers.
static bool move_has_to_wait(const struct move *m, const struct placement_answer *p) {
    const struct reader *r = m->moves->reader;
    return m->all && !r->draining && readers_is_full(placement_readers(r->placement), p->reader_url);
}

// Some stay, and some that are told cannot leave yet or have left by themselves: all of a video go in rounds,
// until one changes nothing. Returns whether there is another, or the last one is not over.
static bool move_begins_round(struct move *m) {
    int64_t viewers = broadcast_viewers(&m->watched->broadcast);
    if (m->count) return true;
    bool goes_on = viewers && (!m->seen || viewers < m->seen);
    m->seen = m->count = viewers;
    return goes_on;
}

static void on_move_placed(void *arg, const struct placement_answer *p) {
    struct move *m = arg;
    struct reader *r = m->moves->reader;
    struct watched *w = m->watched;
    r->outstanding--;
    m->moves->asking--;
    m->ask_ms = 0;
    bool answered = m->state == MOVE_ASKING && p->status == PLACEMENT_OK;
    if (answered) watched_note_set(r, w, p->set);
    bool ours = answered && reader_owns_url(r, w, p->reader_url);
    bool stays = ours || (answered && w->in_set && !r->draining);
    bool goes = answered && (!stays || !m->all);
    if (m->state == MOVE_ASKING && (p->status == PLACEMENT_UNAVAILABLE || (goes && move_has_to_wait(m, p)))) {
        m->state = MOVE_WAITS;
        m->ask_ms = loop_now_ms(r->service.loop) + ASK_AGAIN_MS;
        return;
    }
    m->state = MOVE_GOES;
    if (!goes || (m->all && !move_begins_round(m))) {
        move_free(m->moves, m);
        return;
    }
    bool is_new = !m->event;
    frame_unref(m->event);
    m->event = NULL;
    if (!ours) m->event = move_event(p->public_url ? p->public_url : p->reader_url);
    if (!ours && !p->set) viewer_counts_place(r, m->video, p->owner_url);
    if (is_new && reader_may_log(r))
        log_info(r->service.instance_id, "moving", "video=%s to=%s viewers=%u", m->video, p->reader_url,
                 broadcast_viewers(&w->broadcast));
}

static bool move_is_to_be_asked(const struct move *m, int64_t now_ms) {
    return (m->state == MOVE_WAITS || (m->state == MOVE_GOES && m->ask_ms)) && now_ms >= m->ask_ms;
}

static void moves_ask_ahead(struct moves *all, int64_t now_ms) {
    struct move *m, *next;
    struct reader *r = all->reader;
    DL_FOREACH_SAFE(all->queue, m, next) {
        if (all->asking == ASKED_AHEAD) return;
        if (!move_is_to_be_asked(m, now_ms)) continue;
        m->state = MOVE_ASKING;
        all->asking++;
        r->outstanding++;
        placement_confirm(r->placement, m->video, true, on_move_placed, m);
    }
}

// Returns how many have been told to go, and whether that is all. Those that are told again, because they
// have not gone yet, are few: news of those that have comes within half a tick.
static uint32_t move_some(struct move *m, uint32_t most, bool *done) {
    struct broadcast *b = &m->watched->broadcast;
    int64_t wanted = min(m->count, (int64_t)broadcast_viewers(b)), go = min(wanted, most);
    bool spares = !m->moves->reader->draining;
    if (go) broadcast_move(b, (unsigned)go, spares, m->event ? frame_ref(m->event) : NULL);
    m->count -= go;
    *done = go == wanted;
    return (uint32_t)go;
}

static void move_end_round(struct moves *all, struct move *m, int64_t now_ms) {
    if (!m->all) {
        move_end(all, m);
        return;
    }
    m->count = 0;
    m->state = MOVE_WAITS;
    m->ask_ms = now_ms + ASK_AGAIN_MS;
}

static bool move_shares(const struct move *m) {
    return m->state == MOVE_GOES && m->per_second <= 0;
}

// Those with a pace of their own do not share the common one.
static void moves_make(struct moves *all, int64_t now_ms) {
    uint32_t left = move_pace_take(&all->pace, moves_rate(all->reader), now_ms), sharing = 0;
    struct move *m, *next;
    DL_FOREACH(all->queue, m) {
        if (move_shares(m) && ++sharing == SIDE_BY_SIDE) break;
    }
    DL_FOREACH_SAFE(all->queue, m, next) {
        bool done = false, shares = move_shares(m);
        if (m->state != MOVE_GOES || (shares && !left)) continue;
        if (!m->ask_ms) m->ask_ms = now_ms + ASK_AGAIN_MS;
        uint32_t most =
            shares ? move_pace_share(left, sharing) : move_pace_take(&m->pace, m->per_second, now_ms);
        if (shares && sharing) sharing--;
        if (!most) continue;
        uint32_t gone = move_some(m, most, &done);
        if (shares) left -= gone;
        if (done) move_end_round(all, m, now_ms);
    }
}

static void on_moves_due(struct loop_timer *t) {
    struct moves *all = container_of(t, struct moves, tick);
    struct loop *loop = all->reader->service.loop;
    int64_t now_ms = loop_now_ms(loop);
    moves_make(all, now_ms);
    moves_ask_ahead(all, now_ms);
    if (all->queue) loop_timer_start(loop, t, MOVES_TICK_MS);
}

void moves_start(struct reader *r, const char *video, int64_t count, double per_second) {
    struct moves *all = r->moves;
    struct watched *w = watched_find(r, video);
    if (!w || r->stopping) return;
    struct move *m = w->move;
    if (!m) {
        size_t size = strlen(video) + 1;
        m = mem_zalloc(sizeof *m + size);
        memcpy(m->video, video, size);
        m->moves = all;
        m->watched = w;
        w->move = m;
        DL_APPEND(all->queue, m);
    }
    m->all = count == MOVES_ALL;
    m->count = m->all ? 0 : count;
    m->seen = 0;
    m->per_second = per_second;
    if (!all->tick.slot) on_moves_due(&all->tick);
}

void moves_close(struct watched *w) {
    if (w->move) move_end(w->move->moves, w->move);
}

double moves_rate(const struct reader *r) {
    const struct readers *list = placement_readers(r->placement);
    int64_t drain = 0;
    for (size_t i = 0; i < list->count; i++)
        drain += list->rows[i].state == READER_LIVE && list->rows[i].load.draining;
    const char *own = r->config.reader_url;
    return (double)crowd_pace(crowd_connects_of_others(list, &own, 1)) / (double)max(drain, 1);
}

struct moves *moves_new(struct reader *r) {
    struct moves *all = mem_zalloc(sizeof *all);
    *all = (struct moves){.reader = r, .tick.on_due = on_moves_due};
    return all;
}

void moves_end(struct reader *r) {
    struct move *m, *next;
    loop_timer_stop(r->service.loop, &r->moves->tick);
    DL_FOREACH_SAFE(r->moves->queue, m, next) {
        if (m->watched) move_end(r->moves, m);
    }
}

void moves_free(struct moves *all) {
    free(all);
}
