// moderator_choose(), perhaps moderator_read(), moderator_ask() until moderator_on_end() has an answer,
// perhaps moderator_look(), a pause.
#include "moderator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/container_of.h"
#include "texts.h"

enum {
    EVERY_MS = 1200,
    PAUSE_MS = 100,
    PATIENCE_MS = 3000,
    RECENT_EVENTS = 3000, // of the journal, among which a comment is chosen
    RATE_MAX = 3,
    TIMEOUT_MAX_S = 4,
    SLOW_MS = 2500,
    SIZE_CHARS = 60,
    ALLOWED_PERCENT = 70,
    STIRS_PERCENT = 50,
    AGAIN_EVERY = 6,
    LISTED = 3
};

static const struct http_call_ops moderator_call_ops;

static uint64_t moderator_random(struct moderator *m, uint64_t below) {
    return prng_below(&m->prng, below);
}

static void moderator_wait(struct moderator *m, int64_t ms) {
    loop_timer_start(m->crowd->loop, &m->timer, 1 + ms / 2 + (int64_t)moderator_random(m, (uint64_t)ms));
}

// What is asked for. In a path and a body @ stands for the comment, the user, or the id by which one waits,
// and # for the amount.
enum about { ABOUT_VIDEO, ABOUT_COMMENT, ABOUT_WRITER, ABOUT_WAITING };
struct deed_form {
    unsigned weight;
    enum about about;
    enum deed_kind back;  // what takes it back; itself: nothing does
    uint64_t least, most; // its amount
    const char *method, *path, *body;
};

#define ROOM(back, least, most, body) ABOUT_VIDEO, back, least, most, "PATCH", "room", body
#define BAN(most, body)               ABOUT_WRITER, DEED_LIFT, most ? 1 : 0, most, "PUT", "bans/@", body
static const struct deed_form forms[DEED_KINDS] = {
    [DEED_RETRACT] = {8, ABOUT_COMMENT, DEED_RETRACT, 0, 0, "DELETE", "comments/@", NULL},
    [DEED_PIN] = {2, ABOUT_COMMENT, DEED_PIN, 0, 0, "PUT", "pin", "{\"id\":\"@\"}"},
    [DEED_PURGE] = {2, BAN(0, "{\"purge\":true}")},
    [DEED_BAN] = {3, BAN(0, "{}")},
    [DEED_TIMEOUT] = {3, BAN(TIMEOUT_MAX_S, "{\"seconds\":#}")},
    [DEED_SHADOW] = {2, BAN(0, "{\"shadow\":true}")},
    [DEED_LIFT] = {0, ABOUT_WRITER, DEED_LIFT, 0, 0, "DELETE", "bans/@", NULL},
    [DEED_FREEZE] = {2, ROOM(DEED_THAW, 0, 0, "{\"frozen\":true}")},
    [DEED_THAW] = {0, ROOM(DEED_THAW, 0, 0, "{\"frozen\":false}")},
    [DEED_RATE] = {4, ROOM(DEED_RATE, 1, RATE_MAX, "{\"readable_rate\":#}")},
    [DEED_SLOW] = {1, ROOM(DEED_SLOW, SLOW_MS, SLOW_MS, "{\"slow_ms\":#}")},
    [DEED_SIZE] = {1, ROOM(DEED_SIZE, SIZE_CHARS, SIZE_CHARS, "{\"max_length\":#}")},
    [DEED_HOLD] = {2, ROOM(DEED_PASS, 0, 0, "{\"hold\":true}")},
    [DEED_PASS] = {0, ROOM(DEED_PASS, 0, 0, "{\"hold\":false}")},
    [DEED_END] = {2, ABOUT_VIDEO, DEED_START, 0, 0, "POST", "end", NULL},
    [DEED_START] = {0, ABOUT_VIDEO, DEED_START, 0, 0, "POST", "start", NULL},
    [DEED_ALLOW] = {4, ABOUT_WAITING, DEED_ALLOW, 0, 0, "POST", "held/@", "{\"allow\":true}"},
    [DEED_DENY] = {0, ABOUT_WAITING, DEED_DENY, 0, 0, "POST", "held/@", "{\"allow\":false}"}};

static enum deed_kind moderator_kind(struct moderator *m) {
    unsigned sum = 0, kind = 0;
    for (unsigned i = 0; i < DEED_KINDS; i++) sum += forms[i].weight;
    unsigned at = (unsigned)moderator_random(m, sum);
    while (at >= forms[kind].weight) at -= forms[kind++].weight;
    return (enum deed_kind)kind;
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

// Videos are divided among the crowds.
static uint32_t moderator_videos(const struct moderator *m) {
    unsigned videos = m->crowd->config->videos, crowds = m->crowd->config->crowds;
    return (videos + crowds - 1 - m->crowd->config->number) / crowds;
}

static uint32_t moderator_video(const struct moderator *m, uint32_t place) {
    return 1 + m->crowd->config->number + m->crowd->config->crowds * place;
}

static bool moderator_choose(struct moderator *m) {
    uint32_t videos = moderator_videos(m);
    if (!videos) return false;
    enum deed_kind kind = moderator_kind(m);
    const struct deed_form *form = &forms[kind];
    uint32_t video = moderator_video(m, (uint32_t)moderator_random(m, videos));
    const struct journal_event *e = moderator_recent(m, video);
    m->deed = (struct deed){.kind = kind, .video = video};
    if (form->most) m->deed.amount = form->least + moderator_random(m, form->most - form->least + 1);
    if (form->about == ABOUT_VIDEO || form->about == ABOUT_WAITING) return true;
    if (!e) return false;
    bool takes_off = kind == DEED_PIN && !moderator_random(m, 3);
    if (form->about == ABOUT_COMMENT && !takes_off) m->deed.target = e->at;
    if (form->about == ABOUT_WRITER) m->deed.writer = e->who;
    m->look = *e;
    return true;
}

// The opposite of something that lasts.
static struct deed deed_back(const struct deed *d) {
    return (struct deed){.kind = forms[d->kind].back, .video = d->video, .writer = d->writer};
}

static bool lasts(const struct deed *d) {
    return forms[d->kind].back != d->kind || d->amount;
}

// Asking

static void moderator_call(struct moderator *m, const char *method, const char *path, const char *body) {
    const struct crowd_config *config = m->crowd->config;
    struct buf url = {0};
    buf_printf(&url, "%s/videos/%s/%s", config->apis[moderator_random(m, config->api_count)],
               crowd_video(m->deed.video), path);
    buf_clear(&m->answer);
    if (http_call_start(&m->call, method, buf_string(&url), "", body))
        moderator_wait(m, PAUSE_MS);
    else
        loop_timer_start(m->crowd->loop, &m->timer, PATIENCE_MS);
    buf_release(&url);
}

static void deed_fill(struct buf *b, const struct deed *d, const char *form, const char *held) {
    char id[POSITION_TEXT_SIZE];
    position_format(d->target, id);
    for (; *form; form++) {
        if (*form == '#')
            buf_printf(b, "%" PRIu64, d->amount);
        else if (*form != '@')
            buf_add(b, form, 1);
        else if (forms[d->kind].about == ABOUT_WRITER)
            buf_printf(b, "writer%" PRIu32, d->writer);
        else
            buf_add_string(b, forms[d->kind].about == ABOUT_WAITING ? held : id);
    }
}

static void moderator_send(struct moderator *m) {
    const struct deed *d = &m->deed;
    const struct deed_form *form = &forms[d->kind];
    struct buf path = {0}, body = {0};
    bool takes_off = d->kind == DEED_PIN && !position_is_set(d->target);
    deed_fill(&path, d, form->path, m->held);
    if (form->body && !takes_off) deed_fill(&body, d, form->body, m->held);
    moderator_call(m, takes_off ? "DELETE" : form->method, buf_string(&path),
                   body.len ? buf_string(&body) : NULL);
    buf_release(&path);
    buf_release(&body);
}

static void moderator_ask(struct moderator *m) {
    const struct deed *d = &m->deed;
    struct journal_event e = {.kind = JOURNAL_ACT,
                              .who = m->number,
                              .video = d->video,
                              .at = d->target,
                              .number = d->writer,
                              .count = d->amount};
    snprintf(e.word, sizeof e.word, "%s", deed_words[d->kind]);
    crowd_note(m->crowd, &e);
    m->state = MODERATOR_ASKING;
    moderator_send(m);
    if (!m->crowd->calm && moderator_random(m, 100) < STIRS_PERCENT)
        crowd_stir(m->crowd, d->video, d->writer);
}

// Asks what waits: the first of that is decided.
static void moderator_read(struct moderator *m) {
    m->state = MODERATOR_READING;
    moderator_call(m, "GET", "held", NULL);
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
    struct deed back = deed_back(&m->deed);
    size_t i = 0;
    if (!lasts(&m->deed)) return;
    m->lasting[m->lasting_count++] = back;
    while (i < m->touched_count && !is_same(&m->touched[i], &back)) i++;
    if (i == m->touched_count && i < MODERATOR_TOUCHED) m->touched[m->touched_count++] = back;
}

static void moderator_forget_lasting(struct moderator *m) {
    for (size_t i = m->lasting_count; i-- > 0;)
        if (is_same(&m->lasting[i], &m->deed)) m->lasting[i] = m->lasting[--m->lasting_count];
}

// When all is calm it takes back all that it ever did, as the store may have lost that it was taken back, and
// then decides what waits, video by video, again and again.
static void moderator_begin_calm(struct moderator *m) {
    uint32_t videos = moderator_videos(m);
    if (m->touched_count) {
        m->deed = m->touched[--m->touched_count];
        moderator_ask(m);
    } else if (videos) {
        m->deed = (struct deed){.kind = DEED_ALLOW, .video = moderator_video(m, m->next_read)};
        moderator_read(m);
    }
}

// What was taken back may be lost: now and then it is taken back again.
static void moderator_begin(struct moderator *m) {
    bool full = m->lasting_count == MODERATOR_LASTS;
    if (m->crowd->calm) {
        moderator_begin_calm(m);
    } else if (m->touched_count && (full || !moderator_random(m, AGAIN_EVERY))) {
        m->deed = m->touched[moderator_random(m, m->touched_count)];
        moderator_forget_lasting(m);
        moderator_ask(m);
    } else if (m->lasting_count && moderator_random(m, 3)) {
        m->deed = m->lasting[moderator_random(m, m->lasting_count)];
        moderator_forget_lasting(m);
        moderator_ask(m);
    } else if (full || !moderator_choose(m)) {
        moderator_idle(m);
    } else if (forms[m->deed.kind].about == ABOUT_WAITING) {
        moderator_read(m);
    } else {
        moderator_note_lasting(m);
        moderator_ask(m);
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
    case MODERATOR_READING:
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

static void moderator_note_allowed(struct moderator *m) {
    const char *json = buf_string(&m->answer);
    struct journal_event e = {
        .kind = JOURNAL_ALLOWED, .who = m->deed.writer, .number = (uint32_t)m->deed.amount};
    size_t len = 0;
    const char *id = text_member(json, m->answer.len, "id", &len);
    if (id && !position_parse(id, len, &e.at)) e.at = (struct position){0};
    crowd_note(m->crowd, &e);
}

// What waits may be denied instead, and is no more there if another request was first.
static const char *moderator_outcome(const struct moderator *m, unsigned status) {
    enum about about = forms[m->deed.kind].about;
    if (status / 100 == 2) return "done";
    if (status == 404 && (about == ABOUT_COMMENT || about == ABOUT_WAITING)) return "gone";
    return status == 403 && about == ABOUT_WAITING ? "denied" : NULL;
}

static void moderator_take_answer(struct moderator *m, unsigned status) {
    struct journal_event e = {.kind = JOURNAL_DONE, .who = m->number};
    const char *outcome = moderator_outcome(m, status);
    bool done = status / 100 == 2;
    if (outcome)
        snprintf(e.word, sizeof e.word, "%s", outcome);
    else
        snprintf(e.word, sizeof e.word, "%s_%u", deed_words[m->deed.kind], status);
    if (done && m->deed.kind == DEED_ALLOW) moderator_note_allowed(m);
    crowd_note(m->crowd, &e);
    if (done && (m->deed.kind == DEED_RETRACT || m->deed.kind == DEED_PURGE))
        moderator_look(m);
    else
        moderator_idle(m);
}

// Of what waits, the first. When nothing does, the next video is looked at.
static void moderator_take_held(struct moderator *m) {
    const char *json = buf_string(&m->answer), *object = strstr(json, "\"comment\":{");
    size_t id_len = 0, text_len = 0;
    const char *id = text_member(json, m->answer.len, "id", &id_len);
    const char *text = object ? text_member(object + 11, strlen(object + 11), "comment", &text_len) : NULL;
    uint32_t writer, number;
    if (!id || !text || id_len >= sizeof m->held || !text_read(text, text_len, &writer, &number)) {
        m->next_read = (m->next_read + 1) % moderator_videos(m);
        moderator_idle(m);
        return;
    }
    snprintf(m->held, sizeof m->held, "%.*s", (int)id_len, id);
    m->deed.kind = moderator_random(m, 100) < ALLOWED_PERCENT ? DEED_ALLOW : DEED_DENY;
    m->deed.writer = writer;
    m->deed.amount = number;
    moderator_ask(m);
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
    if (m->state == MODERATOR_READING) {
        if (answered && call->status == 200)
            moderator_take_held(m);
        else
            moderator_idle(m);
    } else if (m->state == MODERATOR_LOOKING) {
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
