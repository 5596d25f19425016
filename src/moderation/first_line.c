#include "moderation/first_line.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/loop.h"
#include "repeats.h"
#include "strikes.h"
#include "text_signs.h"
#include "word_file.h"
#include "word_list.h"

struct first_line {
    struct loop *loop;
    struct word_file *words; // NULL: none
    struct first_line_rules rules;
    struct repeats *repeats;
    struct strikes *strikes;
};

struct first_line *first_line_new(struct loop *loop, const char *words, const struct first_line_rules *rules,
                                  char *why, size_t why_size) {
    struct first_line *f = mem_zalloc(sizeof *f);
    f->loop = loop;
    f->rules = *rules;
    f->repeats = repeats_new();
    f->strikes = strikes_new();
    if (words && !(f->words = word_file_new(loop, words, why, why_size))) {
        first_line_free(f);
        return NULL;
    }
    return f;
}

void first_line_free(struct first_line *f) {
    if (!f) return;
    word_file_free(f->words);
    repeats_free(f->repeats);
    strikes_free(f->strikes);
    free(f);
}

void first_line_set(struct first_line *f, const struct first_line_rules *rules) {
    f->rules = *rules;
}

bool first_line_is_on(const struct first_line *f) {
    const struct first_line_rules *r = &f->rules;
    return f->words || r->links_refused || r->capitals_percent < 100 || r->repeat_ms;
}

bool first_line_read_words(struct first_line *f) {
    return !f->words || word_file_read(f->words);
}

static bool has_listed_word(const struct first_line *f, const char *text, size_t len) {
    const struct folded *folded = len ? folded_text(text, len) : NULL;
    return folded && word_list_matches(word_file_list(f->words), folded);
}

static bool is_repeated(struct first_line *f, const struct first_line_comment *c, const struct folded *folded,
                        int64_t now_ms) {
    struct repeat_mark mark = repeat_mark_of(c->user, folded, c->text, c->text_len);
    return !repeats_note(f->repeats, &mark, c->key, now_ms, f->rules.repeat_ms);
}

enum first_finding first_line_check(struct first_line *f, const struct first_line_comment *c,
                                    int64_t now_ms) {
    const struct first_line_rules *rules = &f->rules;
    if (f->words && has_listed_word(f, c->name, c->name_len)) return FIRST_WORD;
    bool folds = f->words || rules->links_refused || rules->repeat_ms;
    const struct folded *folded = folds ? folded_text(c->text, c->text_len) : NULL;
    if (f->words && folded && word_list_matches(word_file_list(f->words), folded)) return FIRST_WORD;
    if (rules->links_refused && folded && folded_has_link(folded)) return FIRST_LINK;
    if (rules->capitals_percent < 100 &&
        text_shouts(c->text, c->text_len, rules->capitals_percent, rules->capitals_from))
        return FIRST_CAPITALS;
    return rules->repeat_ms && folded && is_repeated(f, c, folded, now_ms) ? FIRST_REPEATED : FIRST_FINE;
}

void first_line_forget(struct first_line *f, const char *user, const char *text, size_t len) {
    const struct folded *folded = f->rules.repeat_ms ? folded_text(text, len) : NULL;
    if (!folded) return;
    struct repeat_mark mark = repeat_mark_of(user, folded, text, len);
    repeats_forget(f->repeats, &mark);
}

int64_t first_line_strike(struct first_line *f, const char *user, const char *video, int64_t now_ms) {
    const struct first_line_rules *r = &f->rules;
    if (!r->strikes || !strikes_note(f->strikes, user, video, r->strikes, r->strikes_within_ms, now_ms))
        return 0;
    return r->time_out_ms;
}

const char *first_finding_code(enum first_finding finding) {
    static const char *const codes[] = {[FIRST_WORD] = "blocked_word",
                                        [FIRST_LINK] = "link_not_allowed",
                                        [FIRST_CAPITALS] = "too_many_capitals",
                                        [FIRST_REPEATED] = "repeated_comment"};
    return codes[finding];
}

const char *first_finding_sentence(enum first_finding finding) {
    static const char *const sentences[] = {
        [FIRST_WORD] = "The comment or the name has a word that is not allowed here.",
        [FIRST_LINK] = "Links are not allowed here.",
        [FIRST_CAPITALS] = "The comment is mostly capitals; write it in small letters.",
        [FIRST_REPEATED] = "You have just written the same; say something else."};
    return sentences[finding];
}
