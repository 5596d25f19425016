// A text as it is compared: NFKC with full case folding (Unicode, 3.13), without what cannot be seen
// (Default_Ignorable_Code_Point), by utf8proc. So full-width, circled and mathematical letters, ligatures and
// compositions are what they stand for, and a joiner within a word hides nothing. Letters that only look
// alike, as a Cyrillic and a Latin one, stay different, and so do accents.
//
// And its words: runs of letters, marks and digits, all else separates. Scripts that are written without
// spaces (Han, Kana, Thai, Lao, Khmer, Myanmar) and symbols have a word for each character, so that a word of
// several characters is found wherever it stands. Pure, but for memory that is kept for the next text.
// Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FOLDED_TEXT_MAX = 2000, // bytes of a text; what is longer is cut
    FOLDED_MAX = 12000,     // U+FDFA, of 3 bytes, becomes 18 characters
    FOLDED_BYTES = 4 * FOLDED_MAX
};

struct folded_word {
    uint16_t at, end; // in `words`
};

struct folded {
    int32_t character[FOLDED_MAX];
    size_t count;
    char words[FOLDED_BYTES]; // in UTF-8, with one space between
    size_t words_len;
    struct folded_word word[FOLDED_MAX];
    size_t word_count;
};

// Returns the text, valid until the next call; NULL if it is no UTF-8.
const struct folded *folded_text(const char *text, size_t len);
