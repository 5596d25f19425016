#include "word_list.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/uthash.h"

enum { LINE_MAX_BYTES = 256 };

// A word or a phrase of the list, or the first word of one.
struct listed {
    bool is_listed;
    uint32_t lengths; // bit n: phrases of n words begin with this word
    UT_hash_handle hh;
    char text[];
};

struct word_list {
    struct listed *all;
    size_t count;
};

static struct listed *list_find(const struct word_list *l, const char *text, size_t len) {
    struct listed *found;
    HASH_FIND(hh, l->all, text, len, found);
    return found;
}

static struct listed *list_get(struct word_list *l, const char *text, size_t len) {
    struct listed *found = list_find(l, text, len);
    if (found) return found;
    found = mem_zalloc(sizeof *found + len);
    memcpy(found->text, text, len);
    HASH_ADD_KEYPTR(hh, l->all, found->text, len, found);
    return found;
}

static bool list_add(struct word_list *l, const char *line, size_t len) {
    const struct folded *f = len <= LINE_MAX_BYTES ? folded_text(line, len) : NULL;
    if (!f || !f->word_count || f->word_count > WORD_LIST_PHRASE_MAX) return false;
    struct listed *whole = list_get(l, f->words, f->words_len);
    if (!whole->is_listed) l->count++;
    whole->is_listed = true;
    if (f->word_count > 1) list_get(l, f->words, f->word[0].end)->lengths |= 1u << f->word_count;
    return true;
}

struct word_list *word_list_new(const char *text, size_t len, size_t *skipped) {
    struct word_list *l = mem_zalloc(sizeof *l);
    *skipped = 0;
    for (const char *at = text, *end = text + len; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        size_t blank = strspn(at, " \t\r"), line = (size_t)(stop - at);
        if (blank < line && at[blank] != '#' && !list_add(l, at, line)) ++*skipped;
        at = stop + 1;
    }
    return l;
}

void word_list_free(struct word_list *l) {
    if (!l) return;
    struct listed *one, *next;
    HASH_ITER(hh, l->all, one, next) {
        HASH_DEL(l->all, one);
        free(one);
    }
    free(l);
}

size_t word_list_count(const struct word_list *l) {
    return l->count;
}

// Whether a phrase begins with the word at `i`.
static bool phrase_matches(const struct word_list *l, const struct folded *f, size_t i, uint32_t lengths) {
    for (size_t n = 2; n <= WORD_LIST_PHRASE_MAX && i + n <= f->word_count; n++) {
        if (!(lengths & 1u << n)) continue;
        const struct folded_word *first = &f->word[i], *last = &f->word[i + n - 1];
        const struct listed *found = list_find(l, f->words + first->at, (size_t)(last->end - first->at));
        if (found && found->is_listed) return true;
    }
    return false;
}

bool word_list_matches(const struct word_list *l, const struct folded *f) {
    for (size_t i = 0; i < f->word_count; i++) {
        const struct listed *found =
            list_find(l, f->words + f->word[i].at, (size_t)(f->word[i].end - f->word[i].at));
        if (found && (found->is_listed || phrase_matches(l, f, i, found->lengths))) return true;
    }
    return false;
}
