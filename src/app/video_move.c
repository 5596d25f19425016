#include "video_move.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "fleet.h"
#include "http/exchange.h"
#include "placement/placement.h"
#include "placement/reader_set.h"
#include "placement/readers.h"
#include "reader/crowd.h"
#include "runtime.h"
#include "service/json_reply.h"

// NULL once the engine is being closed, and placement with it.
static const struct readers *mover_readers(const struct mover *m) {
    return m->closing ? NULL : placement_readers(m->runtime->placement);
}

struct video_move {
    const struct mover *mover;
    struct http_exchange *exchange; // to answer; NULL: none
    char from[ENGINE_URL_MAX + 1], to[ENGINE_URL_MAX + 1];
    char video[ID_MAX + 1];
};

static void move_reply(const struct video_move *m) {
    if (m->exchange)
        reply_json(m->exchange, 200,
                   json_pack("{s:s, s:s, s:s}", "videoid", m->video, "from", m->from, "to", m->to));
}

static void move_refuse(const struct video_move *m, int status, const char *code, const char *sentence) {
    if (m->exchange) http_reply_error(m->exchange, status, code, sentence);
}

// The old reader disconnects the viewers as fast as the new one can take them on.
static void on_reassigned(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct video_move *m = arg;
    const struct mover *mover = m->mover;
    if (status == ENGINE_OK && changed) {
        char text[ID_MAX + 64];
        const struct readers *all = mover_readers(mover);
        const struct reader_row *to = all ? readers_find(all, reader_url) : NULL;
        int64_t connects = to && to->load.connects ? (int64_t)to->load.connects : CROWD_CONNECTS_UNKNOWN;
        snprintf(text, sizeof text, "move %" PRId64 " %s", crowd_pace(connects), m->video);
        if (all) fleet_order(mover->runtime->engine, m->from, text);
        log_info("placement", "moved", "video=%s reader=%s from=%s", m->video, m->to, m->from);
        move_reply(m);
    } else if (status == ENGINE_OK || status == ENGINE_NOT_FOUND) {
        move_refuse(m, 409, "moved_meanwhile", "The video has been moved meanwhile; try again.");
    } else {
        move_refuse(m, 503, "store_unavailable", "The store does not answer; try again soon.");
    }
    free(m);
}

static void move_make(struct video_move *m) {
    struct engine *e = m->mover->runtime->engine;
    e->ops->reassign(e, m->video, m->from, m->to, on_reassigned, m);
}

static void on_move_found(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct video_move *m = arg;
    (void)changed;
    if (status == ENGINE_OK && !m->to[0]) {
        const struct readers *all = mover_readers(m->mover);
        const struct reader_row *to = all ? fleet_emptiest_but(all, reader_url) : NULL;
        if (to) snprintf(m->to, sizeof m->to, "%s", to->reader_url);
    }
    if (status == ENGINE_OK && m->to[0] && strcmp(m->to, reader_url) != 0) {
        snprintf(m->from, sizeof m->from, "%s", reader_url);
        move_make(m);
        return;
    }
    if (status == ENGINE_NOT_FOUND)
        move_refuse(m, 404, "unknown_video", "No reader has this video.");
    else if (status != ENGINE_OK)
        move_refuse(m, 503, "store_unavailable", "The store does not answer; try again soon.");
    else if (!m->to[0])
        move_refuse(m, 409, "no_other_reader", "There is no other reader that could take its viewers.");
    else
        move_refuse(m, 409, "already_there", "The reader has this video already.");
    free(m);
}

// A set has its own way to even out its readers.
static void on_move_set(void *arg, enum engine_status status, const struct engine_set *found) {
    struct video_move *m = arg;
    struct engine *e = m->mover->runtime->engine;
    struct reader_set *set = status == ENGINE_OK ? reader_set_read(found) : NULL;
    bool has_several = set && set->count > 1;
    reader_set_unref(set);
    if (has_several) {
        move_refuse(m, 409, "in_a_set", "The video is hot: it has several readers, which share its viewers.");
        free(m);
        return;
    }
    e->ops->lookup(e, m->video, on_move_found, m);
}

static struct video_move *video_move_new(const struct mover *mover, const char *video, const char *to) {
    struct video_move *m = mem_zalloc(sizeof *m);
    m->mover = mover;
    snprintf(m->video, sizeof m->video, "%s", video);
    snprintf(m->to, sizeof m->to, "%s", to);
    return m;
}

void mover_answer(const struct mover *mover, struct http_exchange *x, const char *video, const char *to) {
    struct engine *e = mover->runtime->engine;
    struct video_move *m = video_move_new(mover, video, to);
    m->exchange = x;
    e->ops->set_read(e, m->video, on_move_set, m);
}

void mover_move(const struct mover *mover, const char *video, const char *from, const char *to) {
    struct video_move *m = video_move_new(mover, video, to);
    snprintf(m->from, sizeof m->from, "%s", from);
    move_make(m);
}
