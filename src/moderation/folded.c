#include "folded.h"

#include <string.h>
#include <utf8proc.h>

_Static_assert(FOLDED_BYTES <= UINT16_MAX, "a place in the words fits");

static bool is_ascii(const char *text, size_t len) {
    unsigned char bits = 0;
    for (size_t i = 0; i < len; i++) bits |= (unsigned char)text[i];
    return bits < 0x80;
}

static void fold_ascii(struct folded *f, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        int32_t c = (unsigned char)text[i];
        f->character[i] = c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }
    f->count = len;
}

static bool fold_unicode(struct folded *f, const char *text, size_t len) {
    static const utf8proc_option_t options =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    utf8proc_ssize_t count = utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len,
                                                f->character, FOLDED_MAX, options);
    if (count < 0 || count > FOLDED_MAX) return false;
    count = utf8proc_normalize_utf32(f->character, count, options);
    f->count = count > 0 ? (size_t)count : 0;
    return count >= 0;
}

static bool stands_alone(int32_t c) {
    return (c >= 0x0e00 && c <= 0x0eff) || (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff) ||
           (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
           (c >= 0x20000 && c <= 0x3ffff);
}

enum letter { LETTER_NONE, LETTER_PART, LETTER_MARK, LETTER_ALONE };

static enum letter letter_of(int32_t c) {
    if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? LETTER_PART : LETTER_NONE;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return stands_alone(c) ? LETTER_ALONE : LETTER_PART;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return LETTER_MARK;
    case UTF8PROC_CATEGORY_SO: return LETTER_ALONE;
    default: return LETTER_NONE;
    }
}

static void begin_word(struct folded *f) {
    if (f->word_count) f->words[f->words_len++] = ' ';
    f->word[f->word_count++] = (struct folded_word){.at = (uint16_t)f->words_len};
}

static void split_words(struct folded *f) {
    enum letter before = LETTER_NONE;
    f->words_len = f->word_count = 0;
    for (size_t i = 0; i < f->count; i++) {
        int32_t c = f->character[i];
        enum letter letter = letter_of(c);
        bool begins = letter == LETTER_ALONE ||
                      (letter != LETTER_NONE && (before == LETTER_NONE || before == LETTER_ALONE) &&
                       !(letter == LETTER_MARK && before == LETTER_ALONE));
        // A separator and a word take as much room as a character may: there is one for each word.
        if (letter != LETTER_NONE && f->words_len + 5 > FOLDED_BYTES) return;
        if (begins) begin_word(f);
        if (letter != LETTER_NONE) {
            if (c < 0x80)
                f->words[f->words_len++] = (char)c;
            else
                f->words_len += (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)f->words + f->words_len);
            f->word[f->word_count - 1].end = (uint16_t)f->words_len;
        }
        if (letter != LETTER_MARK || before == LETTER_NONE) before = letter;
    }
}

const struct folded *folded_text(const char *text, size_t len) {
    static struct folded f; // control loop only
    if (len > FOLDED_TEXT_MAX) len = FOLDED_TEXT_MAX;
    if (is_ascii(text, len))
        fold_ascii(&f, text, len);
    else if (!fold_unicode(&f, text, len))
        return NULL;
    split_words(&f);
    return &f;
}
