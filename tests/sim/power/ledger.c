#include "ledger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uthash.h"
#include "store_calls.h"

struct number_key {
    uint64_t video, epoch, seq;
};

struct ledger_number {
    struct number_key key;
    unsigned text;
    UT_hash_handle hh;
};

void ledger_wrong(struct ledger *l, const char *format, ...) {
    va_list args;
    if (*l->wrong) return;
    va_start(args, format);
    vsnprintf(l->wrong, sizeof l->wrong, format, args);
    va_end(args);
}

void ledger_release(struct ledger *l) {
    struct ledger_number *n, *next;
    HASH_ITER(hh, l->numbers, n, next) {
        HASH_DEL(l->numbers, n);
        free(n);
    }
}

unsigned ledger_add(struct ledger *l, unsigned video, bool has_token) {
    if (l->count + 1 == LEDGER_TEXTS) return 0;
    l->texts[++l->count] = (struct ledger_text){.video = video, .has_token = has_token};
    return l->count;
}

void ledger_saw(struct ledger *l, unsigned video, struct position at, unsigned text) {
    struct number_key key = {video, at.epoch, at.seq};
    struct ledger_number *n;
    HASH_FIND(hh, l->numbers, &key, sizeof key, n);
    if (n && n->text != text)
        ledger_wrong(l, "number %" PRIu64 "-%" PRIu64 " of video %u has two texts, %u and %u", at.epoch,
                     at.seq, video, n->text, text);
    if (n) return;
    n = calloc(1, sizeof *n);
    if (!n) abort();
    n->key = key;
    n->text = text;
    HASH_ADD(hh, l->numbers, key, sizeof n->key, n);
}

void ledger_answered(struct ledger *l, unsigned text, struct position at, bool repeated) {
    struct ledger_text *t = &l->texts[text];
    ledger_saw(l, t->video, at, text);
    if (t->answered && !t->lost && position_compare(t->at, at) != 0)
        ledger_wrong(l, "text %u was answered with two numbers%s", text, repeated ? ", in a repeat" : "");
    // A repeat was stored some time before.
    if (!repeated) t->order = ++l->answers;
    t->answered = true;
    t->lost = false;
    t->at = at;
}

// Comparing

// What the logs hold.
struct found {
    struct ledger *ledger;
    enum ledger_must must;
    unsigned video; // that is read
    bool is_there[LEDGER_TEXTS];
    struct position at[LEDGER_TEXTS];
    unsigned first_missing, last_there; // in the order of the answers
    struct position first[LEDGER_VIDEOS], last;
    uint64_t entries[LEDGER_VIDEOS];
};

static void on_found(void *arg, struct position at, unsigned text) {
    struct found *f = arg;
    struct ledger *l = f->ledger;
    const struct ledger_text *t = &l->texts[text];
    if (!f->entries[f->video]++)
        f->first[f->video] = at;
    else if (position_compare(f->last, at) >= 0)
        ledger_wrong(l, "the log of video %u is not in order", f->video);
    f->last = at;
    if (!text) return;
    ledger_saw(l, f->video, at, text);
    if (text > l->count || t->video != f->video) {
        ledger_wrong(l, "video %u has a text %u that it was never given", f->video, text);
    } else if (f->is_there[text]) {
        ledger_wrong(l, "text %u is there twice", text);
    } else if (f->must != LEDGER_BACKUP && t->answered && !t->lost && position_compare(t->at, at) != 0) {
        ledger_wrong(l,
                     "text %u was answered with %" PRIu64 "-%" PRIu64 " and is there as %" PRIu64 "-%" PRIu64,
                     text, t->at.epoch, t->at.seq, at.epoch, at.seq);
    } else {
        f->is_there[text] = true;
        f->at[text] = at;
    }
}

// Older than what the video keeps.
static bool has_expired(const struct found *f, const struct ledger_text *t) {
    return f->entries[t->video] >= f->ledger->log_entries && position_compare(t->at, f->first[t->video]) < 0;
}

static void compare_text(struct found *f, unsigned text) {
    struct ledger *l = f->ledger;
    const struct ledger_text *t = &l->texts[text];
    bool wanted = f->must == LEDGER_BACKUP ? t->in_backup : t->answered && !t->lost;
    if (!wanted || has_expired(f, t)) return;
    if (f->is_there[text]) {
        if (t->order > f->last_there) f->last_there = t->order;
        return;
    }
    if (f->must != LEDGER_OLDEST || t->is_safe)
        ledger_wrong(l, "text %u, %" PRIu64 "-%" PRIu64 " of video %u, was answered and is lost", text,
                     t->at.epoch, t->at.seq, t->video);
    if (!t->order) return;
    if (!f->first_missing || t->order < f->first_missing) f->first_missing = t->order;
}

// From now on what is missing is lost, and what a power cut has left is safe.
static void settle_text(const struct found *f, unsigned text) {
    struct ledger_text *t = &f->ledger->texts[text];
    bool is_there = f->is_there[text];
    if (t->answered && has_expired(f, t)) return;
    // What is there again, in a restored backup or because a repeat was stored that was not answered.
    if (is_there && (t->lost || f->must == LEDGER_BACKUP)) {
        t->answered = true;
        t->at = f->at[text];
        t->order = 0;
    }
    t->lost = t->answered && !is_there;
    if (f->must != LEDGER_ALL) t->is_safe = is_there;
}

void ledger_compare(struct ledger *l, struct store *s, enum ledger_must must) {
    struct found *f = calloc(1, sizeof *f);
    if (!f) abort();
    f->ledger = l;
    f->must = must;
    for (f->video = 0; f->video < LEDGER_VIDEOS; f->video++)
        if (!call_range(s, f->video, on_found, f)) ledger_wrong(l, "video %u cannot be read", f->video);
    for (unsigned i = 1; i <= l->count; i++) compare_text(f, i);
    if (must == LEDGER_OLDEST && f->first_missing && f->first_missing < f->last_there)
        ledger_wrong(l, "answer %u is lost, but answer %u, which came later, is there", f->first_missing,
                     f->last_there);
    for (unsigned i = 1; i <= l->count; i++) settle_text(f, i);
    free(f);
}
