#include "option_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { AMOUNT_SIZE = 24 };

static bool read_bool(const char *text, union option_field *field, char *wanted) {
    static const char *const yes[] = {"1", "true", "yes"}, *const no[] = {"0", "false", "no", ""};
    field->flag = true;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!strcmp(text, yes[i])) return true;
    field->flag = false;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (!strcmp(text, no[i])) return true;
    snprintf(wanted, OPTION_WANTED_SIZE, "true or false");
    return false;
}

static int64_t unit_factor(const char *suffix) {
    if (!*suffix) return 1;
    if (suffix[1]) return 0;
    switch (*suffix | 0x20) {
    case 'k': return 1 << 10;
    case 'm': return 1 << 20;
    case 'g': return 1 << 30;
    default: return 0;
    }
}

// Writes an amount as one would type it: 65536 bytes as 64k.
static void write_amount(const struct option_row *row, int64_t n, char out[AMOUNT_SIZE]) {
    static const char units[] = {'k', 'm', 'g'};
    char suffix = 0;
    for (size_t i = 0; row->type == OPTION_BYTES && n && i < sizeof units && n % 1024 == 0; i++) {
        n /= 1024;
        suffix = units[i];
    }
    snprintf(out, AMOUNT_SIZE, "%" PRId64 "%c", n, suffix);
}

static bool read_number(const struct option_row *row, const char *text, union option_field *field,
                        char *wanted) {
    char *end, least[AMOUNT_SIZE], most[AMOUNT_SIZE];
    errno = 0;
    long long n = strtoll(text, &end, 10);
    int64_t times = row->type == OPTION_BYTES ? unit_factor(end) : !*end;
    if (end != text && !errno && times && !__builtin_mul_overflow(n, times, &field->number) &&
        field->number >= row->min && field->number <= row->max)
        return true;
    write_amount(row, row->min, least);
    write_amount(row, row->max, most);
    snprintf(wanted, OPTION_WANTED_SIZE, "a %s from %s to %s",
             row->type == OPTION_BYTES ? "size" : "whole number", least, most);
    return false;
}

static bool read_choice(const struct option_row *row, const char *text, union option_field *field,
                        char *wanted) {
    field->number = 0;
    for (const char *at = row->choices; *at; field->number++) {
        size_t len = strcspn(at, "|");
        if (strlen(text) == len && !memcmp(at, text, len)) return true;
        at += len + (at[len] == '|');
    }
    snprintf(wanted, OPTION_WANTED_SIZE, "one of %s", row->choices);
    return false;
}

static bool read_string(const struct option_row *row, const char *text, union option_field *field,
                        char *wanted) {
    const char *must_be = !*text ? "given" : row->check ? row->check(text) : NULL;
    field->text = text;
    if (must_be) snprintf(wanted, OPTION_WANTED_SIZE, "%s", must_be);
    return !must_be;
}

bool option_value_read(const struct option_row *row, const char *text, union option_field *field,
                       char wanted[OPTION_WANTED_SIZE]) {
    switch (row->type) {
    case OPTION_BOOL: return read_bool(text, field, wanted);
    case OPTION_INT:
    case OPTION_BYTES: return read_number(row, text, field, wanted);
    case OPTION_CHOICE: return read_choice(row, text, field, wanted);
    case OPTION_STRING: break;
    }
    return read_string(row, text, field, wanted);
}

union option_field option_field_get(const struct option_row *row, const void *settings) {
    const char *at = (const char *)settings + row->offset;
    union option_field field = {.number = 0};
    if (row->type == OPTION_BOOL)
        field.flag = *(const bool *)at;
    else if (row->type == OPTION_STRING)
        field.text = *(const char *const *)(const void *)at;
    else
        field.number = *(const int64_t *)(const void *)at;
    return field;
}

void option_field_set(const struct option_row *row, void *settings, union option_field field) {
    char *at = (char *)settings + row->offset;
    if (row->type == OPTION_BOOL)
        *(bool *)at = field.flag;
    else if (row->type == OPTION_STRING)
        *(const char **)(void *)at = field.text;
    else
        *(int64_t *)(void *)at = field.number;
}
