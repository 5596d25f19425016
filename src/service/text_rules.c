#include "service/text_rules.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

// The rules need two properties of all of Unicode, Default_Ignorable_Code_Point and the general category. Of
// the libraries in Debian that have them, utf8proc is 340 KB without further dependencies or locales, MIT,
// and updated with each version of Unicode; libunistring is five times as large, ICU a hundred times.

enum {
    DELETE = 0x7f,
    NEXT_LINE = 0x85,
    LINE_SEPARATOR = 0x2028,
    PARAGRAPH_SEPARATOR = 0x2029,
    BRAILLE_BLANK = 0x2800, // a symbol by its category, and nothing to see
    // UAX #9, BD2: deeper levels overflow, so what closes them is no more known.
    MAX_DEPTH = 125
};

// What one pass over a text finds.
struct text_scan {
    const struct text_rules *rules;
    char open[MAX_DEPTH]; // 'e' or 'i': embeddings (or overrides) and isolates that are not closed
    size_t depth;
    bool reaches_out; // by what it opens or closes
    unsigned breaks, marks, most_marks;
    bool after_cr, shows;
};

// UAX #9, BD9 and X5a to X7: PDI ends its isolate, with the embeddings within; PDF ends an embedding that no
// isolate separates it from. What has no partner in the text would find one around it.
static void scan_bidi(struct text_scan *s, int32_t c) {
    bool closes_isolate = c == 0x2069, closes_embedding = c == 0x202c;
    bool isolates = c >= 0x2066 && c <= 0x2068, embeds = c >= 0x202a && c <= 0x202e && !closes_embedding;
    if (isolates || embeds) {
        if (s->depth == MAX_DEPTH)
            s->reaches_out = true;
        else
            s->open[s->depth++] = isolates ? 'i' : 'e';
    } else if (closes_isolate) {
        while (s->depth && s->open[s->depth - 1] == 'e') s->depth--;
        if (s->depth)
            s->depth--;
        else
            s->reaches_out = true;
    } else if (closes_embedding) {
        if (!s->depth)
            s->reaches_out = true;
        else if (s->open[s->depth - 1] == 'e')
            s->depth--;
    }
}

static bool breaks_line(int32_t c) {
    return c == '\n' || c == '\r' || c == NEXT_LINE || c == LINE_SEPARATOR || c == PARAGRAPH_SEPARATOR;
}

// Marks that take no room of their own pile up on a letter (Mn, Me). What cannot be seen (joiners) and marks
// with room (Mc) stand among them in honest texts, and neither add to the pile nor end it.
static void scan_marks(struct text_scan *s, const utf8proc_property_t *p) {
    if (p->category == UTF8PROC_CATEGORY_MN || p->category == UTF8PROC_CATEGORY_ME) {
        s->marks++;
        if (s->marks > s->most_marks) s->most_marks = s->marks;
    } else if (!p->ignorable && p->category != UTF8PROC_CATEGORY_MC) {
        s->marks = 0;
    }
}

static bool is_seen(int32_t c, const utf8proc_property_t *p) {
    switch (p->category) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return !p->ignorable && c != BRAILLE_BLANK;
    }
}

static void scan_character(struct text_scan *s, int32_t c) {
    if (breaks_line(c) && !(c == '\n' && s->after_cr)) s->breaks++;
    s->after_cr = c == '\r';
    if (c < 0x80) {
        s->marks = 0;
        s->shows = s->shows || (c > ' ' && c != DELETE);
        return;
    }
    const utf8proc_property_t *p = utf8proc_get_property(c);
    scan_bidi(s, c);
    scan_marks(s, p);
    s->shows = s->shows || is_seen(c, p);
}

static void text_scan(struct text_scan *s, const char *text, size_t len) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text, *end = at + len;
    while (at < end) {
        utf8proc_int32_t c;
        utf8proc_ssize_t step = utf8proc_iterate(at, end - at, &c);
        assert(step > 0);
        scan_character(s, c);
        at += step;
    }
    if (s->depth) s->reaches_out = true;
}

static bool has_rule(const struct text_rules *rules, enum text_rule rule) {
    return rules->on & 1u << rule;
}

static enum text_rule check_both(const struct text_rules *rules, const struct text_scan *s) {
    if (has_rule(rules, TEXT_BIDI) && s->reaches_out) return TEXT_BIDI;
    if (rules->marks && s->most_marks > rules->marks) return TEXT_MARKS;
    return TEXT_FINE;
}

enum text_rule text_rules_check_name(const struct text_rules *rules, const char *text, size_t len) {
    struct text_scan s = {0};
    text_scan(&s, text, len);
    if (has_rule(rules, TEXT_NAME_LINES) && s.breaks) return TEXT_NAME_LINES;
    return check_both(rules, &s);
}

enum text_rule text_rules_check_comment(const struct text_rules *rules, const char *text, size_t len) {
    struct text_scan s = {0};
    text_scan(&s, text, len);
    if (rules->lines && s.breaks >= rules->lines) return TEXT_LINES;
    enum text_rule broken = check_both(rules, &s);
    if (broken) return broken;
    return has_rule(rules, TEXT_BLANK) && !s.shows ? TEXT_BLANK : TEXT_FINE;
}

bool text_rules_parse(const char *names, unsigned *on) {
    static const struct {
        const char *name;
        unsigned bits;
    } known[] = {{"names", 1u << TEXT_NAME_LINES},
                 {"bidi", 1u << TEXT_BIDI},
                 {"blank", 1u << TEXT_BLANK},
                 {"none", 0}};
    *on = 0;
    for (const char *at = names;; at++) {
        size_t len = strcspn(at, ","), i = 0, count = sizeof known / sizeof *known;
        while (i < count && (strlen(known[i].name) != len || strncmp(known[i].name, at, len) != 0)) i++;
        if (i == count) return false;
        *on |= known[i].bits;
        at += len;
        if (!*at) return true;
    }
}

const char *text_rule_code(enum text_rule rule) {
    static const char *const codes[] = {[TEXT_NAME_LINES] = "name_has_lines",
                                        [TEXT_LINES] = "too_many_lines",
                                        [TEXT_BIDI] = "unbalanced_bidi",
                                        [TEXT_MARKS] = "too_many_marks",
                                        [TEXT_BLANK] = "blank_comment"};
    return codes[rule];
}

void text_rule_sentence(enum text_rule rule, const struct text_rules *rules, char *sentence, size_t size) {
    switch (rule) {
    case TEXT_NAME_LINES: snprintf(sentence, size, "A name must be one line."); break;
    case TEXT_LINES: snprintf(sentence, size, "A comment may have %u lines at most.", rules->lines); break;
    case TEXT_BIDI:
        snprintf(sentence, size,
                 "The text changes the direction of writing beyond its end: each embedding, override and "
                 "isolate must be closed, and nothing else.");
        break;
    case TEXT_MARKS: snprintf(sentence, size, "A letter may have %u marks at most.", rules->marks); break;
    default: snprintf(sentence, size, "The comment shows nothing but white space."); break;
    }
}
