#include "option_name.h"

#include <ctype.h>
#include <string.h>

static const char file_suffix[] = "-file";

enum { SUFFIX_LEN = sizeof file_suffix - 1 };

void option_environment(const struct option_row *row, char name[OPTION_NAME_SIZE]) {
    int len = snprintf(name, OPTION_NAME_SIZE, "CHORUS_%s", row->flag);
    for (int i = 0; i < len && i < OPTION_NAME_SIZE; i++)
        name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
}

bool option_has_file(const struct option_row *row) {
    return row->traits & (OPTION_SECRET | OPTION_PASSWORD);
}

static bool is_called(const struct option_row *row, const char *name, size_t len) {
    return strlen(row->flag) == len && !memcmp(row->flag, name, len);
}

const struct option_row *option_find(const struct option_table *t, unsigned commands, const char *name,
                                     size_t len, bool *by_file) {
    size_t stem =
        len > SUFFIX_LEN && !memcmp(name + len - SUFFIX_LEN, file_suffix, SUFFIX_LEN) ? len - SUFFIX_LEN : 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct option_row *row = &t->rows[i];
        if (!(row->commands & commands)) continue;
        *by_file = stem && option_has_file(row) && is_called(row, name, stem);
        if (*by_file || is_called(row, name, len)) return row;
    }
    return NULL;
}

const struct option_row *option_find_also(const struct option_table *t, unsigned commands, const char *name,
                                          size_t len) {
    for (size_t i = 0; i < t->count; i++) {
        const struct option_row *row = &t->rows[i];
        if (row->commands & commands && row->also && strlen(row->also) == len &&
            !memcmp(row->also, name, len))
            return row;
    }
    return NULL;
}

static char plain(char c) {
    return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

// Returns how many letters have to be added, left out, replaced or swapped with their neighbour (optimal
// string alignment). Both are shorter than OPTION_NAME_SIZE.
static unsigned edits(const char *a, size_t a_len, const char *b, size_t b_len) {
    unsigned rows[3][OPTION_NAME_SIZE + 1]; // the last two and this one
    for (unsigned j = 0; j <= b_len; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *now = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            bool same = plain(a[i - 1]) == plain(b[j - 1]);
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + !same);
            bool swapped =
                i > 1 && j > 1 && plain(a[i - 1]) == plain(b[j - 2]) && plain(a[i - 2]) == plain(b[j - 1]);
            if (swapped) now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

// An abbreviation is as near as one letter: heartbeat for heartbeat-ms.
static unsigned distance(const char *name, size_t len, const char *flag, bool strict) {
    size_t flag_len = strlen(flag), i = 0;
    while (i < len && i < flag_len && plain(name[i]) == plain(flag[i])) i++;
    if (!strict && i == len && len >= 3) return flag_len > len ? 1 : 0;
    return edits(name, len, flag, flag_len);
}

const char *option_nearest(const struct option_table *t, unsigned commands, const char *name, size_t len,
                           bool strict, char out[OPTION_NAME_SIZE]) {
    *out = 0;
    if (len >= OPTION_NAME_SIZE) return out;
    unsigned best = (unsigned)(strict ? len / 4 : (len + 2) / 3) + 1;
    for (size_t i = 0; i < t->count; i++) {
        const struct option_row *row = &t->rows[i];
        if (!(row->commands & commands)) continue;
        for (int file = 0; file <= (option_has_file(row) ? 1 : 0); file++) {
            char flag[OPTION_NAME_SIZE];
            snprintf(flag, sizeof flag, "%s%s", row->flag, file ? file_suffix : "");
            unsigned d = distance(name, len, flag, strict);
            if (d >= best) continue;
            best = d;
            memcpy(out, flag, sizeof flag);
        }
    }
    return out;
}

void option_commands(const struct option_table *t, unsigned commands, char *out, size_t size) {
    size_t len = 0, shown = 0;
    *out = 0;
    for (unsigned i = 0; t->commands[i] && shown < 3; i++) {
        if (!(commands & 1u << i)) continue;
        int n = snprintf(out + len, size - len, "%s%s", shown++ ? ", " : "", t->commands[i]);
        if (n < 0 || (size_t)n >= size - len) return;
        len += (size_t)n;
    }
}
