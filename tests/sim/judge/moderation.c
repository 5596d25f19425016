#include "moderation.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SPLIT_S = 9 }; // after which two servers side by side are one again

const char *const deed_words[DEED_KINDS] = {
    [DEED_RETRACT] = "retract", [DEED_PURGE] = "purge",   [DEED_PIN] = "pin",   [DEED_BAN] = "ban",
    [DEED_LIFT] = "lift",       [DEED_FREEZE] = "freeze", [DEED_THAW] = "thaw", [DEED_RATE] = "rate",
    [DEED_END] = "end",         [DEED_START] = "start"};

static enum deed_kind kind_of(const char *word) {
    unsigned kind = 0;
    while (kind < DEED_KINDS && strcmp(word, deed_words[kind]) != 0) kind++;
    return (enum deed_kind)kind;
}

// A moderator does one thing after the other.
static struct deed *deed_last(struct moderation *m, uint32_t moderator) {
    for (size_t i = m->count; i-- > 0;)
        if (m->deeds[i].moderator == moderator) return &m->deeds[i];
    return NULL;
}

static void take_act(struct moderation *m, const struct journal_event *e) {
    enum deed_kind kind = kind_of(e->word);
    struct deed *last = deed_last(m, e->who);
    if (last && last->acked_us < 0) last->unsure = true;
    if (kind == DEED_KINDS) return;
    m->deeds = mem_realloc(m->deeds, (m->count + 1) * sizeof *m->deeds);
    m->deeds[m->count++] = (struct deed){.kind = kind,
                                         .moderator = e->who,
                                         .video = e->video,
                                         .writer = e->number,
                                         .target = e->at,
                                         .rate = e->count,
                                         .sent_us = e->at_us,
                                         .acked_us = -1};
}

static void take_done(struct moderation *m, const struct journal_event *e) {
    struct deed *d = deed_last(m, e->who);
    if (!d) return;
    d->acked_us = e->at_us;
    d->gone = !strcmp(e->word, "gone");
}

static void take_unsure(struct moderation *m, const struct journal_event *e) {
    struct deed *d = deed_last(m, e->who);
    if (d) d->unsure = true;
}

static struct known known_entry(const struct journal_event *e) {
    return (struct known){.video = e->video, .at = e->at, .writer = e->place, .number = kind_of(e->word)};
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
            break;
        }
    }
}

void moderation_release(struct moderation *m) {
    free(m->deeds);
    free(m->entries);
    free(m->targets);
    free(m->losses);
    *m = (struct moderation){0};
}

// What is in force

static bool deed_is_of(const struct deed *d, enum deed_kind kind, uint32_t video, uint32_t writer) {
    bool is_kind = d->kind == kind || (kind == DEED_BAN && d->kind == DEED_PURGE);
    return is_kind && d->video == video && d->writer == writer;
}

// The last one of `on` was acknowledged before from_us; nothing of `off` may have come after it.
static bool surely(const struct moderation *m, enum deed_kind on, enum deed_kind off, uint32_t video,
                   uint32_t writer, int64_t from_us, int64_t to_us) {
    const struct deed *last = NULL;
    bool undone = false;
    for (size_t i = 0; i < m->count && m->deeds[i].sent_us <= to_us; i++) {
        const struct deed *d = &m->deeds[i];
        if (deed_is_of(d, off, video, writer)) {
            undone |= d->unsure;
            last = NULL;
        } else if (deed_is_of(d, on, video, writer) && d->acked_us >= 0 && d->acked_us <= from_us && !last) {
            last = d;
        }
    }
    return last && !undone && !deed_may_be_lost(m, last, to_us);
}

bool moderation_surely_on(const struct moderation *m, enum deed_kind on, enum deed_kind off, uint32_t video,
                          uint32_t writer, int64_t from_us, int64_t to_us) {
    return surely(m, on, off, video, writer, from_us, to_us);
}

bool moderation_surely_off(const struct moderation *m, enum deed_kind on, enum deed_kind off, uint32_t video,
                           uint32_t writer, int64_t from_us, int64_t to_us) {
    bool ever = false;
    for (size_t i = 0; i < m->count && m->deeds[i].sent_us <= to_us; i++)
        ever |= deed_is_of(&m->deeds[i], on, video, writer);
    return !ever || surely(m, off, on, video, writer, from_us, to_us);
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
