#include "base/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { AMOUNT_SIZE = 24 };

struct option_context {
    char *settings;
    char *error;
    size_t error_size;
};

#define OPTION_ERROR(c, ...) (snprintf((c)->error, (c)->error_size, __VA_ARGS__), false)

static bool option_parse_bool(const struct option_row *row, const char *text, const char *from,
                              struct option_context *c) {
    static const char *const yes[] = {"1", "true", "yes"}, *const no[] = {"0", "false", "no", ""};
    bool *out = (bool *)(c->settings + row->offset);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!strcmp(text, yes[i])) return *out = true;
    *out = false;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (!strcmp(text, no[i])) return true;
    return OPTION_ERROR(c, "%s is \"%s\", but must be true or false.", from, text);
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

static bool number_error(const struct option_row *row, const char *text, const char *from,
                         struct option_context *c) {
    char least[AMOUNT_SIZE], most[AMOUNT_SIZE];
    write_amount(row, row->min, least);
    write_amount(row, row->max, most);
    return OPTION_ERROR(c, "%s is \"%s\", but must be a %s from %s to %s.", from, text,
                        row->type == OPTION_BYTES ? "size" : "whole number", least, most);
}

static bool option_parse_number(const struct option_row *row, const char *text, const char *from,
                                struct option_context *c) {
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    int64_t value, times = row->type == OPTION_BYTES ? unit_factor(end) : !*end;
    if (end == text || errno || !times || __builtin_mul_overflow(n, times, &value) || value < row->min ||
        value > row->max)
        return number_error(row, text, from, c);
    *(int64_t *)(void *)(c->settings + row->offset) = value;
    return true;
}

static bool option_parse_choice(const struct option_row *row, const char *text, const char *from,
                                struct option_context *c) {
    int64_t index = 0;
    for (const char *at = row->choices; *at; index++) {
        size_t len = strcspn(at, "|");
        if (strlen(text) == len && !memcmp(at, text, len)) {
            *(int64_t *)(void *)(c->settings + row->offset) = index;
            return true;
        }
        at += len + (at[len] == '|');
    }
    return OPTION_ERROR(c, "%s is \"%s\", but must be one of %s.", from, text, row->choices);
}

static bool option_set(const struct option_row *row, const char *text, const char *from,
                       struct option_context *c) {
    switch (row->type) {
    case OPTION_BOOL: return option_parse_bool(row, text, from, c);
    case OPTION_INT:
    case OPTION_BYTES: return option_parse_number(row, text, from, c);
    case OPTION_CHOICE: return option_parse_choice(row, text, from, c);
    case OPTION_STRING:
        if (!*text) return OPTION_ERROR(c, "%s must not be empty.", from);
        *(const char **)(void *)(c->settings + row->offset) = text;
        return true;
    }
    return false;
}

void option_environment(const struct option_row *row, char name[OPTION_NAME_SIZE]) {
    int len = snprintf(name, OPTION_NAME_SIZE, "CHORUS_%s", row->flag);
    for (int i = 0; i < len && i < OPTION_NAME_SIZE; i++)
        name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
}

// Kubernetes sets CHORUS_PORT=tcp://10.0.0.1:3000 in every pod beside a Service named chorus, and
// CHORUS_MANAGER_PORT for one named chorus-manager.
static bool is_service_link(const struct option_row *row, const char *text) {
    return row->type == OPTION_INT && (!strncmp(text, "tcp://", 6) || !strncmp(text, "udp://", 6));
}

static bool option_set_from(const struct option_row *row, const char *name, struct option_context *c) {
    const char *text = name ? getenv(name) : NULL;
    return !text || !*text || is_service_link(row, text) || option_set(row, text, name, c);
}

static bool options_set_defaults(const struct option_row *rows, size_t count, unsigned command,
                                 struct option_context *c) {
    for (const struct option_row *row = rows; row < rows + count; row++) {
        if (!(row->commands & command)) continue;
        char name[OPTION_NAME_SIZE];
        option_environment(row, name);
        if (row->fallback && !option_set(row, row->fallback, row->flag, c)) return false;
        if (!option_set_from(row, row->environment, c) || !option_set_from(row, name, c)) return false;
    }
    return true;
}

static const struct option_row *option_find(const struct option_row *rows, size_t count, unsigned command,
                                            const char *name, size_t len) {
    for (const struct option_row *row = rows; row < rows + count; row++)
        if (row->commands & command && strlen(row->flag) == len && !memcmp(row->flag, name, len)) return row;
    return NULL;
}

bool options_parse(const struct option_row *rows, size_t count, unsigned command, int argc, char *const *argv,
                   void *settings, char *error, size_t error_size) {
    struct option_context c = {settings, error, error_size};
    if (!options_set_defaults(rows, count, command, &c)) return false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (arg[0] != '-' || arg[1] != '-' || !arg[2])
            return OPTION_ERROR(&c, "\"%s\" is not an option.", arg);
        size_t len = strcspn(arg + 2, "=");
        const struct option_row *row = option_find(rows, count, command, arg + 2, len);
        if (!row) return OPTION_ERROR(&c, "There is no option --%.*s.", (int)len, arg + 2);
        const char *text = arg[2 + len] == '=' ? arg + 3 + len : NULL;
        if (!text && row->type == OPTION_BOOL) text = "true";
        if (!text && i + 1 < argc) text = argv[++i];
        char from[64];
        snprintf(from, sizeof from, "--%s", row->flag);
        if (!text) return OPTION_ERROR(&c, "%s needs a value.", from);
        if (!option_set(row, text, from, &c)) return false;
    }
    return true;
}

static void write_usage(const struct option_row *row, char *out, size_t size) {
    if (row->type == OPTION_BOOL)
        snprintf(out, size, "--%s", row->flag);
    else
        snprintf(out, size, "--%s %s", row->flag, row->value ? row->value : "N");
}

void options_help(const struct option_row *rows, size_t count, unsigned command, FILE *out) {
    for (const struct option_row *row = rows; row < rows + count; row++) {
        char usage[80];
        if (!(row->commands & command)) continue;
        write_usage(row, usage, sizeof usage);
        fprintf(out, "  %-32s %s", usage, row->help);
        if (row->fallback && *row->fallback && row->type != OPTION_BOOL)
            fprintf(out, " (default %s)", row->fallback);
        if (row->environment) fprintf(out, " [%s]", row->environment);
        fputc('\n', out);
    }
    fputs(
        "\nEach can be set in the environment too: --an-option as CHORUS_AN_OPTION, or by the name in [].\n",
        out);
}

static void write_commands(const struct option_row *row, const char *const *commands, FILE *out) {
    const char *comma = "";
    for (unsigned i = 0; commands[i]; i++) {
        if (!(row->commands & 1u << i)) continue;
        fprintf(out, "%s%s", comma, commands[i]);
        comma = ", ";
    }
}

void options_markdown(const struct option_row *rows, size_t count, const char *const *commands, FILE *out) {
    fputs("| option | environment | default | what it does | commands |\n| --- | --- | --- | --- | --- |\n",
          out);
    for (const struct option_row *row = rows; row < rows + count; row++) {
        char usage[80], name[OPTION_NAME_SIZE];
        write_usage(row, usage, sizeof usage);
        option_environment(row, name);
        fprintf(out, "| `%s` | `%s`%s%s%s | %s | %s | ", usage, name, row->environment ? ", `" : "",
                row->environment ? row->environment : "", row->environment ? "`" : "",
                row->fallback && row->type != OPTION_BOOL ? row->fallback : "", row->help);
        write_commands(row, commands, out);
        fputs(" |\n", out);
    }
}
