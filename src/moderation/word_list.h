// A list of words, and of phrases of several words. A text in UTF-8 has one a line; lines that begin with #
// are comments. Words are compared as folded.h has them, whole: "ass" is not in "class". A text is looked
// through in one pass, with a look-up for each of its words and for each phrase that begins with one. Control
// loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "folded.h"

enum { WORD_LIST_PHRASE_MAX = 16 }; // words of a phrase

struct word_list;

// Never fails. `skipped`: lines without a word, with too many words, too long or not in UTF-8.
struct word_list *word_list_new(const char *text, size_t len, size_t *skipped);
void word_list_free(struct word_list *); // NULL is fine

size_t word_list_count(const struct word_list *);
bool word_list_matches(const struct word_list *, const struct folded *);
