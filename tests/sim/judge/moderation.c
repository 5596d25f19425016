#include "moderation.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    SPLIT_S = 9, // after which two servers side by side are one again
    TIMEOUT_SLACK_US = 100000
};

const char *const deed_words[DEED_KINDS] = {
    [DEED_RETRACT] = "retract", [DEED_PIN] = "pin",       [DEED_PURGE] = "purge", [DEED_BAN] = "ban",
    [DEED_TIMEOUT] = "timeout", [DEED_SHADOW] = "shadow", [DEED_LIFT] = "lift",   [DEED_FREEZE] = "freeze",
    [DEED_THAW] = "thaw",       [DEED_RATE] = "rate",     [DEED_SLOW] = "slow",   [DEED_SIZE] = "size",
    [DEED_HOLD] = "hold",       [DEED_PASS] = "pass",     [DEED_END] = "end",     [DEED_START] = "start",
    [DEED_ALLOW] = "allow",     [DEED_DENY] = "deny"};

static enum deed_kind kind_of(const char *word) {
    unsigned kind = 0;
    while (kind < DEED_KINDS && strcmp(word, deed_words[kind]) != 0) kind++;
    return (enum deed_kind)kind;
}

// Returns the last deed of the event's moderator that was sent by then, or NULL: a moderator does one thing
// after the other.
static struct deed *deed_last(const struct moderation *m, const struct journal_event *e) {
    for (size_t i = m->count; i-- > 0;)
        if (m->deeds[i].moderator == e->who && m->deeds[i].sent_us <= e->at_us) return &m->deeds[i];
    return NULL;
}

static void take_act(struct moderation *m, const struct journal_event *e) {
    enum deed_kind kind = kind_of(e->word);
    struct deed *last = deed_last(m, e);
    if (last && last->acked_us < 0) last->unsure = true;
    if (kind == DEED_KINDS) return;
    m->deeds = mem_realloc(m->deeds, (m->count + 1) * sizeof *m->deeds);
    m->deeds[m->count++] = (struct deed){.kind = kind,
                                         .moderator = e->who,
                                         .video = e->video,
                                         .writer = e->number,
                                         .target = e->at,
                                         .amount = e->count,
                                         .sent_us = e->at_us,
                                         .acked_us = -1};
}

static void take_done(struct moderation *m, const struct journal_event *e) {
    struct deed *d = deed_last(m, e);
    if (!d) return;
    d->acked_us = e->at_us;
    d->gone = !strcmp(e->word, "gone");
}

static void take_unsure(struct moderation *m, const struct journal_event *e) {
    struct deed *d = deed_last(m, e);
    if (d) d->unsure = true;
}

static struct known known_entry(const struct journal_event *e) {
    return (struct known){
        .video = e->video, .at = e->at, .writer = e->place, .number = kind_of(e->word), .first_us = e->at_us};
}

static void take_entry(struct moderation *m, const struct journal_event *e) {
    struct known k = known_entry(e);
    for (size_t i = m->entry_count; i-- > 0;)
        if (m->entries[i].video == k.video && !position_compare(m->entries[i].at, k.at)) return;
    m->entries = mem_realloc(m->entries, (m->entry_count + 1) * sizeof *m->entries);
    m->targets = mem_realloc(m->targets, (m->entry_count + 1) * sizeof *m->targets);
    m->targets[m->entry_count] = e->from;
    m->entries[m->entry_count++] = k;
}

// What may be lost

static bool is_split(const struct journal_event *e) {
    return e->kind == JOURNAL_FAULT && (!strcmp(e->word, "store-split") || !strcmp(e->word, "redis-lose"));
}

static bool loses(const struct journal_event *e) {
    static const char *const losing[] = {"store-failover", "store-failback", "store-restart",
                                         "redis-old",      "redis-lag",      "power_"};
    if (e->kind == JOURNAL_LOST || is_split(e)) return true;
    if (e->kind != JOURNAL_FAULT) return false;
    for (size_t i = 0; i < sizeof losing / sizeof *losing; i++)
        if (!strncmp(e->word, losing[i], strlen(losing[i]))) return true;
    return false;
}

static void note_loss(struct moderation *m, const struct journal_event *e) {
    m->losses = mem_realloc(m->losses, (m->loss_count + 1) * sizeof(struct journal_event *));
    m->losses[m->loss_count++] = e;
}

static void note_step(struct moderation *m, int64_t at_us) {
    m->steps = mem_realloc(m->steps, (m->step_count + 1) * sizeof *m->steps);
    m->steps[m->step_count++] = at_us;
}

// While two servers stand side by side, or one lacks what the other has, what is done may be lost already;
// when all is mended, they become one.
bool moderation_may_be_lost(const struct moderation *m, uint32_t video, int64_t from_us, int64_t to_us) {
    bool was_split = false;
    for (size_t i = 0; i < m->loss_count && m->losses[i]->at_us <= to_us; i++) {
        const struct journal_event *e = m->losses[i];
        int64_t until_us = e->at_us;
        if (is_split(e)) until_us += INT64_C(1000000) * SPLIT_S;
        was_split |= is_split(e);
        if (until_us < from_us || (e->kind == JOURNAL_LOST && e->video != video)) continue;
        if (e->kind != JOURNAL_CALM || was_split) return true;
    }
    return false;
}

static bool deed_may_be_lost(const struct moderation *m, const struct deed *d, int64_t to_us) {
    return moderation_may_be_lost(m, d->video, d->sent_us, to_us);
}

// Reading

void moderation_collect(struct moderation *m, const struct journal *j) {
    *m = (struct moderation){0};
    for (size_t i = 0; i < j->count; i++) {
        const struct journal_event *e = &j->events[i];
        switch (e->kind) {
        case JOURNAL_ACT: take_act(m, e); break;
        case JOURNAL_DONE: take_done(m, e); break;
        case JOURNAL_UNSURE: take_unsure(m, e); break;
        case JOURNAL_ENTRY: take_entry(m, e); break;
        default:
            if (loses(e) || e->kind == JOURNAL_CALM) note_loss(m, e);
            if (e->kind == JOURNAL_FAULT && strstr(e->word, "clock")) note_step(m, e->at_us);
            break;
        }
    }
}

void moderation_release(struct moderation *m) {
    free(m->deeds);
    free(m->entries);
    free(m->targets);
    free(m->losses);
    free(m->steps);
    *m = (struct moderation){0};
}

// What is in force

// What a deed sets a state to; 0: it does not set it.
static unsigned deed_value(const struct deed *d, enum room_state state) {
    static const struct {
        enum room_state state;
        unsigned value;
    } effects[DEED_KINDS] = {
        [DEED_PURGE] = {STATE_BAN, BAN_FULL},      [DEED_BAN] = {STATE_BAN, BAN_FULL},
        [DEED_TIMEOUT] = {STATE_BAN, BAN_TIMEOUT}, [DEED_SHADOW] = {STATE_BAN, BAN_SHADOW},
        [DEED_LIFT] = {STATE_BAN, BAN_NONE},       [DEED_FREEZE] = {STATE_FROZEN, STATE_ON},
        [DEED_THAW] = {STATE_FROZEN, STATE_OFF},   [DEED_RATE] = {STATE_RATE, STATE_ON},
        [DEED_SLOW] = {STATE_SLOW, STATE_ON},      [DEED_SIZE] = {STATE_SIZE, STATE_ON},
        [DEED_HOLD] = {STATE_HOLD, STATE_ON},      [DEED_PASS] = {STATE_HOLD, STATE_OFF},
        [DEED_END] = {STATE_OVER, STATE_ON},       [DEED_START] = {STATE_OVER, STATE_OFF}};
    bool is_amount = d->kind == DEED_RATE || d->kind == DEED_SLOW || d->kind == DEED_SIZE;
    if (!effects[d->kind].value || effects[d->kind].state != state) return 0;
    return is_amount && !d->amount ? STATE_OFF : effects[d->kind].value;
}

bool moderation_is_stepped(const struct moderation *m, int64_t from_us, int64_t to_us) {
    for (size_t i = 0; i < m->step_count; i++)
        if (m->steps[i] >= from_us && m->steps[i] <= to_us) return true;
    return false;
}

// A time-out ends by itself, by a clock of the store.
static unsigned timeout_values(const struct moderation *m, const struct deed *d, int64_t from_us,
                               int64_t to_us) {
    int64_t lasts_us = (int64_t)d->amount * 1000000;
    if (d->acked_us < 0 || d->unsure || moderation_is_stepped(m, d->sent_us, to_us))
        return BAN_TIMEOUT | BAN_NONE;
    bool may_last = from_us <= d->acked_us + lasts_us + TIMEOUT_SLACK_US,
         may_end = to_us >= d->sent_us + lasts_us - TIMEOUT_SLACK_US;
    return (may_last ? BAN_TIMEOUT : 0) | (may_end ? BAN_NONE : 0);
}

static unsigned deed_values(const struct moderation *m, const struct deed *d, enum room_state state,
                            int64_t from_us, int64_t to_us) {
    return d->kind == DEED_TIMEOUT ? timeout_values(m, d, from_us, to_us) : deed_value(d, state);
}

// That of the last deed that was acknowledged before, and of all that came later. Those without an answer may
// be done at any time.
unsigned moderation_values(const struct moderation *m, enum room_state state, uint32_t video, uint32_t writer,
                           int64_t from_us, int64_t to_us) {
    unsigned values = STATE_OFF, late = 0, ever = STATE_OFF; // BAN_NONE is the same
    const struct deed *base = NULL;
    for (size_t i = 0; i < m->count && m->deeds[i].sent_us <= to_us; i++) {
        const struct deed *d = &m->deeds[i];
        if (d->video != video || (state == STATE_BAN && d->writer != writer) || !deed_value(d, state))
            continue;
        unsigned value = deed_values(m, d, state, from_us, to_us);
        bool is_done = d->acked_us >= 0 && d->acked_us <= from_us;
        if (is_done) base = d;
        values = is_done ? value : values | value;
        ever |= value;
        if (d->unsure) late |= value;
    }
    int64_t since_us = base ? base->sent_us : 0;
    return ever == STATE_OFF || !moderation_may_be_lost(m, video, since_us, to_us) ? values | late : ever;
}

static uint64_t moderation_amount(const struct moderation *m, enum deed_kind kind, uint32_t video,
                                  bool most) {
    uint64_t amount = 0;
    for (size_t i = 0; i < m->count; i++) {
        const struct deed *d = &m->deeds[i];
        if (d->kind != kind || d->video != video || !d->amount) continue;
        if (!amount || (most ? d->amount > amount : d->amount < amount)) amount = d->amount;
    }
    return amount;
}

uint64_t moderation_least(const struct moderation *m, enum deed_kind kind, uint32_t video) {
    return moderation_amount(m, kind, video, false);
}

uint64_t moderation_most(const struct moderation *m, enum deed_kind kind, uint32_t video) {
    return moderation_amount(m, kind, video, true);
}

int64_t moderation_last(const struct moderation *m, enum deed_kind kind, uint32_t video, int64_t by_us) {
    int64_t sent_us = -1;
    for (size_t i = 0; i < m->count && m->deeds[i].sent_us <= by_us; i++)
        if (m->deeds[i].kind == kind && m->deeds[i].video == video) sent_us = m->deeds[i].sent_us;
    return sent_us;
}

// What is deleted

bool moderation_may_have_removed(const struct moderation *m, uint32_t video, struct position at,
                                 uint32_t writer, int64_t by_us) {
    for (size_t i = 0; i < m->count && m->deeds[i].sent_us <= by_us; i++) {
        const struct deed *d = &m->deeds[i];
        if (d->video != video) continue;
        if (d->kind == DEED_PURGE && (!writer || d->writer == writer)) return true;
        if (d->kind == DEED_RETRACT && !position_compare(d->target, at)) return true;
    }
    return false;
}

const struct deed *moderation_has_removed(const struct moderation *m, uint32_t video, struct position at,
                                          uint32_t writer, int64_t acked_us, int64_t from_us, int64_t to_us) {
    for (size_t i = 0; i < m->count && m->deeds[i].sent_us <= from_us; i++) {
        const struct deed *d = &m->deeds[i];
        bool in_time = d->video == video && d->acked_us >= 0 && d->acked_us <= from_us && !d->gone;
        bool purges = d->kind == DEED_PURGE && d->writer == writer && acked_us >= 0 && acked_us <= d->sent_us,
             retracts = d->kind == DEED_RETRACT && !position_compare(d->target, at);
        if (in_time && (purges || retracts) && !deed_may_be_lost(m, d, to_us)) return d;
    }
    return NULL;
}

static bool entry_removes(const struct moderation *m, size_t i, const struct known *k) {
    const struct known *entry = &m->entries[i];
    if (entry->video != k->video || position_compare(entry->at, k->at) <= 0) return false;
    if (entry->number == DEED_PURGE) return entry->writer == k->writer;
    return entry->number == DEED_RETRACT && !position_compare(m->targets[i], k->at);
}

struct position moderation_removal(const struct moderation *m, const struct known *k,
                                   struct position newest) {
    for (size_t i = 0; i < m->entry_count; i++)
        if (entry_removes(m, i, k) && position_compare(m->entries[i].at, newest) <= 0)
            return m->entries[i].at;
    return (struct position){0};
}

bool moderation_is_told(const struct moderation *m, const struct known *k) {
    return position_is_set(moderation_removal(m, k, (struct position){UINT64_MAX, UINT64_MAX}));
}

const struct deed *moderation_of_answer(const struct moderation *m, const struct journal_event *e) {
    return deed_last(m, e);
}

const struct deed *moderation_find(const struct moderation *m, enum deed_kind kind, uint32_t video,
                                   uint32_t writer, uint64_t amount, int64_t by_us) {
    const struct deed *found = NULL;
    for (size_t i = 0; i < m->count && m->deeds[i].sent_us <= by_us; i++) {
        const struct deed *d = &m->deeds[i];
        if (d->kind != kind || d->video != video || d->writer != writer) continue;
        if ((kind != DEED_ALLOW && kind != DEED_DENY) || d->amount == amount) found = d;
    }
    return found;
}

bool moderation_explains(const struct moderation *m, const struct journal_event *e) {
    enum deed_kind kind = kind_of(e->word);
    for (size_t i = 0; i < m->count && m->deeds[i].sent_us <= e->at_us; i++) {
        const struct deed *d = &m->deeds[i];
        if (d->video != e->video || d->kind != kind) continue;
        bool targets = kind == DEED_RETRACT || kind == DEED_PIN;
        if (targets ? !position_compare(d->target, e->from) : kind != DEED_PURGE || d->writer == e->place)
            return true;
    }
    return false;
}
