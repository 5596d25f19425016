// moderator_choose(), moderator_ask() until moderator_on_end() has an answer, perhaps moderator_look(), a
// pause.
#include "moderator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/container_of.h"

enum {
    EVERY_MS = 1200,
    PAUSE_MS = 100,
    PATIENCE_MS = 3000,
    RECENT_EVENTS = 3000, // of the journal, among which a comment is chosen
    RATE_MAX = 3,
    LISTED = 3
};

static const struct http_call_ops moderator_call_ops;

static uint64_t moderator_random(struct moderator *m, uint64_t below) {
    return prng_below(&m->prng, below);
}

static void moderator_wait(struct moderator *m, int64_t ms) {
    loop_timer_start(m->crowd->loop, &m->timer, 1 + ms / 2 + (int64_t)moderator_random(m, (uint64_t)ms));
}

// Choosing

// An acknowledged comment of the video, not long ago.
static const struct journal_event *moderator_recent(struct moderator *m, uint32_t video) {
    const struct journal *j = m->crowd->config->journal;
    const struct journal_event *chosen = NULL;
    size_t least = j->count > RECENT_EVENTS ? j->count - RECENT_EVENTS : 0;
    uint64_t found = 0;
    for (size_t i = j->count; i-- > least;) {
        const struct journal_event *e = &j->events[i];
        if (e->kind != JOURNAL_STORED || e->video != video || !position_is_set(e->at)) continue;
        if (!moderator_random(m, ++found)) chosen = e;
    }
    return chosen;
}

// Videos are divided among the crowds. Returns 0 if there is none for this one.
static uint32_t moderator_video(struct moderator *m) {
    unsigned videos = m->crowd->config->videos, crowds = m->crowd->config->crowds;
    uint32_t own = (videos + crowds - 1 - m->crowd->config->number) / crowds;
    return own ? 1 + m->crowd->config->number + crowds * (uint32_t)moderator_random(m, own) : 0;
}

static bool is_of_video(enum deed_kind kind) {
    return kind == DEED_FREEZE || kind == DEED_RATE || kind == DEED_END;
}

static bool moderator_choose(struct moderator *m) {
    static const enum deed_kind kinds[] = {DEED_RETRACT, DEED_RETRACT, DEED_RETRACT, DEED_RETRACT,
                                           DEED_PURGE,   DEED_PIN,     DEED_BAN,     DEED_BAN,
                                           DEED_FREEZE,  DEED_RATE,    DEED_RATE,    DEED_END};
    uint32_t video = moderator_video(m);
    enum deed_kind kind = kinds[moderator_random(m, sizeof kinds / sizeof *kinds)];
    const struct journal_event *e = video ? moderator_recent(m, video) : NULL;
    if (!video || (!e && !is_of_video(kind))) return false;
    m->deed = (struct deed){.kind = kind, .video = video};
    if (kind == DEED_RETRACT || kind == DEED_PIN) m->deed.target = e->at;
    if (kind == DEED_PURGE || kind == DEED_BAN) m->deed.writer = e->who;
    if (kind == DEED_RETRACT || kind == DEED_PURGE) m->look = *e;
    if (kind == DEED_RATE) m->deed.rate = 1 + moderator_random(m, RATE_MAX);
    return true;
}

// The opposite of something that lasts.
static struct deed deed_back(struct deed d) {
    switch (d.kind) {
    case DEED_FREEZE: d.kind = DEED_THAW; break;
    case DEED_RATE: d.rate = 0; break;
    case DEED_END: d.kind = DEED_START; break;
    default: d.kind = DEED_LIFT; break;
    }
    return d;
}

static bool lasts(const struct deed *d) {
    bool is_on =
        d->kind == DEED_PURGE || d->kind == DEED_BAN || d->kind == DEED_FREEZE || d->kind == DEED_END;
    return is_on || (d->kind == DEED_RATE && d->rate);
}

// Asking

static void moderator_call(struct moderator *m, const char *method, const char *path, const char *body) {
    const struct crowd_config *config = m->crowd->config;
    char url[200];
    const char *api = config->apis[moderator_random(m, config->api_count)];
    snprintf(url, sizeof url, "%s/videos/%s/%s", api, crowd_video(m->deed.video), path);
    buf_clear(&m->answer);
    if (http_call_start(&m->call, method, url, "", body))
        moderator_wait(m, PAUSE_MS);
    else
        loop_timer_start(m->crowd->loop, &m->timer, PATIENCE_MS);
}

static void moderator_send(struct moderator *m) {
    const struct deed *d = &m->deed;
    char id[POSITION_TEXT_SIZE], path[80], body[80];
    position_format(d->target, id);
    snprintf(path, sizeof path, "bans/writer%u", (unsigned)d->writer);
    switch (d->kind) {
    case DEED_RETRACT:
        snprintf(path, sizeof path, "comments/%s", id);
        moderator_call(m, "DELETE", path, NULL);
        break;
    case DEED_PIN:
        snprintf(body, sizeof body, "{\"id\":\"%s\"}", id);
        moderator_call(m, "PUT", "pin", body);
        break;
    case DEED_PURGE: moderator_call(m, "PUT", path, "{\"purge\":true}"); break;
    case DEED_BAN: moderator_call(m, "PUT", path, "{}"); break;
    case DEED_LIFT: moderator_call(m, "DELETE", path, NULL); break;
    case DEED_FREEZE: moderator_call(m, "PATCH", "room", "{\"frozen\":true}"); break;
    case DEED_THAW: moderator_call(m, "PATCH", "room", "{\"frozen\":false}"); break;
    case DEED_RATE:
        snprintf(body, sizeof body, "{\"readable_rate\":%u}", (unsigned)d->rate);
        moderator_call(m, "PATCH", "room", body);
        break;
    case DEED_END: moderator_call(m, "POST", "end", NULL); break;
    case DEED_START: moderator_call(m, "POST", "start", NULL); break;
    case DEED_KINDS: break;
    }
}

static void moderator_ask(struct moderator *m) {
    const struct deed *d = &m->deed;
    struct journal_event e = {.kind = JOURNAL_ACT,
                              .who = m->number,
                              .video = d->video,
                              .at = d->target,
                              .number = d->writer,
                              .count = d->rate};
    snprintf(e.word, sizeof e.word, "%s", deed_words[d->kind]);
    crowd_note(m->crowd, &e);
    m->state = MODERATOR_ASKING;
    moderator_send(m);
}

static void moderator_look(struct moderator *m) {
    const struct journal_event *at = &m->look;
    char path[80];
    struct journal_event e = {
        .kind = JOURNAL_LOOK, .who = m->number, .video = at->video, .at = at->at, .number = at->who};
    crowd_note(m->crowd, &e);
    m->state = MODERATOR_LOOKING;
    snprintf(path, sizeof path, "comments?limit=%d&after=%" PRIu64 "-%" PRIu64, LISTED, at->at.epoch,
             at->at.seq - 1);
    moderator_call(m, "GET", path, NULL);
}

static void moderator_idle(struct moderator *m) {
    m->state = MODERATOR_IDLE;
    moderator_wait(m, m->crowd->calm ? PAUSE_MS : EVERY_MS);
}

static bool is_same(const struct deed *a, const struct deed *b) {
    return a->kind == b->kind && a->video == b->video && a->writer == b->writer;
}

static void moderator_note_lasting(struct moderator *m) {
    size_t i = 0;
    if (!lasts(&m->deed)) return;
    m->lasting[m->lasting_count++] = m->deed;
    while (i < m->touched_count && !is_same(&m->touched[i], &m->deed)) i++;
    if (i == m->touched_count && i < MODERATOR_TOUCHED) m->touched[m->touched_count++] = m->deed;
}

// When all is calm it takes back all that it ever did, as the store may have lost that it was taken back.
static void moderator_begin(struct moderator *m) {
    bool calm = m->crowd->calm, full = m->lasting_count == MODERATOR_LASTS;
    if (calm && m->touched_count) {
        m->deed = deed_back(m->touched[--m->touched_count]);
        moderator_ask(m);
    } else if (!calm && m->lasting_count && (full || moderator_random(m, 3))) {
        size_t i = (size_t)moderator_random(m, m->lasting_count);
        m->deed = deed_back(m->lasting[i]);
        m->lasting[i] = m->lasting[--m->lasting_count];
        moderator_ask(m);
    } else if (!calm && moderator_choose(m)) {
        moderator_note_lasting(m);
        moderator_ask(m);
    } else {
        moderator_idle(m);
    }
}

static void moderator_again(struct moderator *m, bool unsure) {
    if (unsure) crowd_note(m->crowd, &(struct journal_event){.kind = JOURNAL_UNSURE, .who = m->number});
    m->state = MODERATOR_PAUSING;
    moderator_wait(m, PAUSE_MS);
}

static void moderator_on_timer(struct loop_timer *t) {
    struct moderator *m = container_of(t, struct moderator, timer);
    switch (m->state) {
    case MODERATOR_IDLE: moderator_begin(m); break;
    case MODERATOR_PAUSING:
        m->state = MODERATOR_ASKING;
        moderator_send(m);
        break;
    case MODERATOR_ASKING:
        http_call_close(&m->call, false);
        moderator_again(m, true);
        break;
    case MODERATOR_LOOKING:
        http_call_close(&m->call, false);
        moderator_idle(m);
        break;
    }
}

// Answers

static bool moderator_on_head(struct http_call *call) {
    (void)call;
    return true;
}

static void moderator_on_body(struct http_call *call, const char *bytes, size_t len) {
    struct moderator *m = container_of(call, struct moderator, call);
    buf_add(&m->answer, bytes, len);
}

static void moderator_take_answer(struct moderator *m, unsigned status) {
    struct journal_event e = {.kind = JOURNAL_DONE, .who = m->number};
    bool is_of_comment = position_is_set(m->deed.target), done = status / 100 == 2;
    if (done || (status == 404 && is_of_comment))
        snprintf(e.word, sizeof e.word, "%s", done ? "done" : "gone");
    else
        snprintf(e.word, sizeof e.word, "%s_%u", deed_words[m->deed.kind], status);
    crowd_note(m->crowd, &e);
    if (done && (m->deed.kind == DEED_RETRACT || m->deed.kind == DEED_PURGE))
        moderator_look(m);
    else
        moderator_idle(m);
}

static void moderator_take_list(struct moderator *m) {
    char id[POSITION_TEXT_SIZE], member[POSITION_TEXT_SIZE + 8];
    struct journal_event e = {.kind = JOURNAL_LISTED, .who = m->number};
    position_format(m->look.at, id);
    snprintf(member, sizeof member, "\"id\":\"%s\"", id);
    e.flag = strstr(buf_string(&m->answer), member);
    crowd_note(m->crowd, &e);
}

static void moderator_on_end(struct http_call *call, enum http_call_end end) {
    struct moderator *m = container_of(call, struct moderator, call);
    bool answered = end == HTTP_CALL_DONE && call->status != 503 && call->status != 429;
    if (m->state == MODERATOR_LOOKING) {
        if (answered && call->status == 200) moderator_take_list(m);
        moderator_idle(m);
    } else if (m->state == MODERATOR_ASKING) {
        if (answered)
            moderator_take_answer(m, call->status);
        else
            moderator_again(m, end != HTTP_CALL_FAILED);
    }
}

static const struct http_call_ops moderator_call_ops = {
    .on_head = moderator_on_head, .on_body = moderator_on_body, .on_end = moderator_on_end};

// Life

void moderator_start(struct moderator *m, struct crowd *c, uint32_t number) {
    m->crowd = c;
    m->number = number;
    m->prng.state = c->config->seed ^ 0x6d6f64 ^ (uint64_t)number << 32;
    m->timer.on_due = moderator_on_timer;
    http_call_init(&m->call, &moderator_call_ops, c->loop);
    moderator_idle(m);
}

void moderator_release(struct moderator *m) {
    loop_timer_stop(m->crowd->loop, &m->timer);
    http_call_release(&m->call);
    buf_release(&m->answer);
}
