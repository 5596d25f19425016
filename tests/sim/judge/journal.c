#include "journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// A line is a time, a name, and these fields: w(ho), v(ideo), n(umber), p(lace), i(d), f(rom), c(ount),
// k(eyed), r(edirects followed), s(hown), t(ext).
static const struct {
    const char *name, *fields;
} journal_lines[JOURNAL_KINDS] = {
    [JOURNAL_POST] = {"post", "wvnkp"},      [JOURNAL_STORED] = {"stored", "wnip"},
    [JOURNAL_UNKNOWN] = {"unknown", "wnp"},  [JOURNAL_REFUSED] = {"refused", "wnpt"},
    [JOURNAL_WAITS] = {"waits", "wnp"},      [JOURNAL_HIDDEN] = {"hidden", "wnp"},
    [JOURNAL_REACT] = {"react", "wv"},       [JOURNAL_WANTS] = {"wants", "wt"},
    [JOURNAL_ROOM] = {"room", "wni"},        [JOURNAL_REACTED] = {"reacted", "wc"},
    [JOURNAL_ALLOWED] = {"allowed", "wnip"}, [JOURNAL_JOIN] = {"join", "wvtcr"},
    [JOURNAL_ASK] = {"ask", "wi"},           [JOURNAL_REDIRECT] = {"redirect", "wt"},
    [JOURNAL_BEGIN] = {"begin", "wit"},      [JOURNAL_COMMENT] = {"comment", "wipn"},
    [JOURNAL_GAP] = {"gap", "wfict"},        [JOURNAL_NEWEST] = {"newest", "wi"},
    [JOURNAL_ENTRY] = {"entry", "wvitfp"},   [JOURNAL_PASSED] = {"passed", "wi"},
    [JOURNAL_MORE] = {"more", "wc"},         [JOURNAL_ACT] = {"act", "wvtinc"},
    [JOURNAL_UNSURE] = {"unsure", "w"},      [JOURNAL_DONE] = {"done", "wt"},
    [JOURNAL_LOOK] = {"look", "wvin"},       [JOURNAL_LISTED] = {"listed", "ws"},
    [JOURNAL_CUT] = {"cut", "wt"},           [JOURNAL_DENIED] = {"denied", "wc"},
    [JOURNAL_BROKEN] = {"broken", "wt"},     [JOURNAL_LEAVE] = {"leave", "w"},
    [JOURNAL_ORDER] = {"order", "tvn"},      [JOURNAL_OBEYED] = {"obeyed", "tvnc"},
    [JOURNAL_PLACED] = {"placed", "vpnc"},   [JOURNAL_MOST] = {"most", "c"},
    [JOURNAL_KEPT] = {"kept", "c"},          [JOURNAL_LOST] = {"lost", "vfi"},
    [JOURNAL_FAULT] = {"fault", "t"},        [JOURNAL_CALM] = {"calm", ""},
    [JOURNAL_COUNT] = {"count", "v"},        [JOURNAL_TOTAL] = {"total", "c"},
    [JOURNAL_LEDGER] = {"ledger", "vnk"},    [JOURNAL_END] = {"end", ""},
};

void journal_add(struct journal *j, const struct journal_event *e) {
    if (j->count == j->room) {
        // Not mem_realloc(): in the simulation that memory is a process's.
        j->room = j->room ? 2 * j->room : 4096;
        j->events = realloc(j->events, j->room * sizeof *j->events);
        if (!j->events) mem_abort("journal");
    }
    struct journal_event *added = &j->events[j->count++];
    *added = *e;
    if (j->now_us) added->at_us = j->now_us();
    if (j->on_event) j->on_event(j->arg, added);
}

void journal_release(struct journal *j) {
    free(j->events);
    j->events = NULL;
    j->count = j->room = 0;
}

static void write_position(struct buf *b, struct position p) {
    char text[POSITION_TEXT_SIZE];
    position_format(p, text);
    buf_add_string(b, position_is_set(p) ? text : "-");
}

static void write_word(struct buf *b, const char *word) {
    if (!*word) buf_add_string(b, "-");
    for (size_t n; *word; word += n) {
        n = strcspn(word, " ");
        if (n)
            buf_add(b, word, n);
        else
            buf_add(b, "_", n = 1);
    }
}

// Most of a simulation's lines: without printf.
static void write_number(struct buf *b, char letter, uint32_t n) {
    char text[12], *at = text + sizeof text;
    do *--at = (char)('0' + n % 10);
    while (n /= 10);
    *--at = letter;
    buf_add(b, at, (size_t)(text + sizeof text - at));
}

// Seconds, and six digits behind the point.
static void write_time(struct buf *b, int64_t us) {
    char text[32], *end = text + sizeof text, *at = end;
    *--at = ' ';
    for (int digits = 0; digits < 7 || us; digits++) {
        if (digits == 6) *--at = '.';
        *--at = (char)('0' + us % 10);
        us /= 10;
    }
    buf_add(b, at, (size_t)(end - at));
}

static void write_field(struct buf *b, const struct journal_event *e, char field) {
    buf_add_string(b, " ");
    switch (field) {
    case 'w': write_number(b, field, e->who); break;
    case 'v': write_number(b, field, e->video); break;
    case 'n': write_number(b, field, e->number); break;
    case 'p': write_number(b, field, e->place); break;
    case 'i': write_position(b, e->at); break;
    case 'f': write_position(b, e->from); break;
    case 'c':
        if (e->count == JOURNAL_NULL)
            buf_add_string(b, "null");
        else
            buf_printf(b, "%" PRIu64, e->count);
        break;
    case 'k': buf_add_string(b, e->flag ? "keyed" : "once"); break;
    case 'r': buf_add_string(b, e->flag ? "follows" : "stays"); break;
    case 's': buf_add_string(b, e->flag ? "shown" : "absent"); break;
    default: write_word(b, e->word); break;
    }
}

void journal_write(struct buf *b, const struct journal_event *e) {
    write_time(b, e->at_us);
    buf_add_string(b, journal_lines[e->kind].name);
    for (const char *field = journal_lines[e->kind].fields; *field; field++) write_field(b, e, *field);
}

// Reads the digits behind a letter.
static bool read_number(const char *word, char letter, uint32_t *out) {
    char *end;
    if (*word != letter) return false;
    unsigned long n = strtoul(word + 1, &end, 10);
    *out = (uint32_t)n;
    return end != word + 1 && !*end && n <= UINT32_MAX;
}

static bool read_position(const char *word, struct position *out) {
    *out = (struct position){0};
    return !strcmp(word, "-") || position_parse(word, strlen(word), out);
}

static bool read_count(const char *word, uint64_t *out) {
    char *end;
    *out = JOURNAL_NULL;
    if (!strcmp(word, "null")) return true;
    *out = strtoull(word, &end, 10);
    return end != word && !*end;
}

static bool read_flag(const char *word, const char *yes, const char *no, bool *out) {
    *out = !strcmp(word, yes);
    return *out || !strcmp(word, no);
}

static bool read_field(struct journal_event *e, char field, const char *word) {
    switch (field) {
    case 'w': return read_number(word, 'w', &e->who);
    case 'v': return read_number(word, 'v', &e->video);
    case 'n': return read_number(word, 'n', &e->number);
    case 'p': return read_number(word, 'p', &e->place);
    case 'i': return read_position(word, &e->at);
    case 'f': return read_position(word, &e->from);
    case 'c': return read_count(word, &e->count);
    case 'k': return read_flag(word, "keyed", "once", &e->flag);
    case 'r': return read_flag(word, "follows", "stays", &e->flag);
    case 's': return read_flag(word, "shown", "absent", &e->flag);
    default: snprintf(e->word, sizeof e->word, "%s", word); return true;
    }
}

static bool read_time(const char *word, int64_t *us) {
    char *end;
    double seconds = strtod(word, &end);
    *us = (int64_t)(seconds * 1e6 + 0.5);
    return end != word && !*end;
}

static bool read_line(struct journal_event *e, char *line) {
    char *rest, *time = strtok_r(line, " ", &rest), *name = strtok_r(NULL, " ", &rest);
    int kind = 0;
    if (!name || !read_time(time, &e->at_us)) return false;
    while (kind < JOURNAL_KINDS && strcmp(name, journal_lines[kind].name) != 0) kind++;
    if (kind == JOURNAL_KINDS) return false;
    e->kind = (enum journal_kind)kind;
    for (const char *field = journal_lines[kind].fields; *field; field++) {
        const char *word = strtok_r(NULL, " ", &rest);
        if (!word || !read_field(e, *field, word)) return false;
    }
    return !strtok_r(NULL, " ", &rest);
}

size_t journal_read(struct journal *j, const char *text) {
    size_t number = 1;
    for (; *text; number++) {
        size_t len = strcspn(text, "\n");
        struct journal_event e = {0};
        char *line = mem_strndup(text, len);
        const char *first = line + strspn(line, " ");
        bool skip = !*first || *first == '#', fine = skip || read_line(&e, line);
        free(line);
        if (!fine) return number;
        if (!skip) journal_add(j, &e);
        text += len + (text[len] == '\n');
    }
    return 0;
}
