#include "tally_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"

// More viewers than VIEWERS_DIGITS have are none, so that sums of them stay exact numbers everywhere.
enum { WORDS = 4, VIEWERS_DIGITS = 12, GENERATION_DIGITS = 19 };

static const char magic[] = "viewers", version[] = "1";
static const char kinds[] = {[TALLY_PART] = 'c', [TALLY_TOTAL] = 't'};

struct word {
    const char *at;
    size_t len;
};

void tally_text_add_sender(struct buf *b, const struct tally_sender *s) {
    buf_printf(b, "%s %s %s %" PRIu64 "\n", magic, version, s->reader_url, s->generation);
}

void tally_text_add_line(struct buf *b, enum tally_kind kind, const char *video, uint64_t viewers) {
    buf_printf(b, "%c %s %" PRIu64 "\n", kinds[kind], video, viewers);
}

// Splits the next line. Returns the number of its words; further ones are ignored.
static size_t reading_split(struct tally_reading *r, struct word words[WORDS]) {
    const char *line_end = memchr(r->at, '\n', (size_t)(r->end - r->at));
    size_t count = 0;
    if (!line_end) line_end = r->end;
    for (const char *at = r->at; at < line_end && count < WORDS; count++) {
        const char *space = memchr(at, ' ', (size_t)(line_end - at)), *end = space ? space : line_end;
        words[count] = (struct word){at, (size_t)(end - at)};
        at = end + 1;
    }
    r->at = line_end < r->end ? line_end + 1 : r->end;
    return count;
}

static bool word_is(const struct word *w, const char *text) {
    return w->len == strlen(text) && !memcmp(w->at, text, w->len);
}

static bool word_number(const struct word *w, size_t digits_max, uint64_t *number) {
    *number = 0;
    if (!w->len || w->len > digits_max) return false;
    for (size_t i = 0; i < w->len; i++) {
        if (w->at[i] < '0' || w->at[i] > '9') return false;
        *number = *number * 10 + (uint64_t)(w->at[i] - '0');
    }
    return true;
}

static bool word_copy(const struct word *w, char *to, size_t size) {
    if (!w->len || w->len >= size || memchr(w->at, 0, w->len)) return false;
    memcpy(to, w->at, w->len);
    to[w->len] = 0;
    return true;
}

bool tally_text_begin(struct tally_reading *r, const char *text, size_t len, struct tally_sender *s) {
    struct word words[WORDS];
    r->at = text;
    r->end = text + len;
    s->reader_url = r->url;
    return reading_split(r, words) == WORDS && word_is(&words[0], magic) && word_is(&words[1], version) &&
           word_copy(&words[2], r->url, sizeof r->url) &&
           word_number(&words[3], GENERATION_DIGITS, &s->generation);
}

bool tally_text_next(struct tally_reading *r, struct tally_line *line) {
    struct word words[WORDS];
    while (r->at < r->end) {
        bool whole = reading_split(r, words) >= 3 && words[0].len == 1;
        const char *kind = whole ? memchr(kinds, words[0].at[0], sizeof kinds) : NULL;
        if (!kind || !word_copy(&words[1], r->video, sizeof r->video) ||
            !word_number(&words[2], VIEWERS_DIGITS, &line->viewers))
            continue;
        line->kind = (enum tally_kind)(kind - kinds);
        line->video = r->video;
        return true;
    }
    return false;
}
