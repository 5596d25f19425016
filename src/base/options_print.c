#include <string.h>

#include "base/options.h"
#include "option_name.h"

enum { WIDTH = 100, ORIGIN_COLUMN = 40 };

static void write_usage(const struct option_row *row, char *out, size_t size) {
    if (row->type == OPTION_BOOL)
        snprintf(out, size, "--%s", row->flag);
    else
        snprintf(out, size, "--%s %s", row->flag, row->value ? row->value : "N");
}

static bool has_default(const struct option_row *row) {
    return row->fallback && *row->fallback && row->type != OPTION_BOOL;
}

void options_help(const struct option_table *t, unsigned command, FILE *out) {
    for (const struct option_row *row = t->rows; row < t->rows + t->count; row++) {
        char usage[80];
        if (!(row->commands & command)) continue;
        write_usage(row, usage, sizeof usage);
        fprintf(out, "  %-32s %s", usage, row->help);
        if (has_default(row)) fprintf(out, " (default %s)", row->fallback);
        if (row->environment) fprintf(out, " [%s]", row->environment);
        fputc('\n', out);
        if (!option_has_file(row)) continue;
        snprintf(usage, sizeof usage, "--%s-file PATH", row->flag);
        fprintf(out, "  %-32s the same, read from a file\n", usage);
    }
    fputs(
        "\nEach can be set in the environment too: --an-option as CHORUS_AN_OPTION, or by the name in []; and in the\n"
        "file of --config, as `an-option = value`. The command line counts before the environment, that before the file.\n",
        out);
}

static void write_names(const struct option_row *row, FILE *out) {
    char name[OPTION_NAME_SIZE];
    option_environment(row, name);
    fprintf(out, "`%s`", name);
    if (row->environment) fprintf(out, ", `%s`", row->environment);
    if (option_has_file(row)) fprintf(out, ", `%s_FILE`", name);
}

static void write_commands(const struct option_table *t, const struct option_row *row, FILE *out) {
    const char *comma = "";
    for (unsigned i = 0; t->commands[i]; i++) {
        if (!(row->commands & 1u << i)) continue;
        fprintf(out, "%s%s", comma, t->commands[i]);
        comma = ", ";
    }
}

void options_markdown(const struct option_table *t, FILE *out) {
    fputs(
        "| option | environment | default | what it does | SIGHUP | commands |\n| --- | --- | --- | --- | --- | --- |\n",
        out);
    for (const struct option_row *row = t->rows; row < t->rows + t->count; row++) {
        char usage[80];
        write_usage(row, usage, sizeof usage);
        fprintf(out, "| `%s` | ", usage);
        write_names(row, out);
        fprintf(out, " | %s | %s | %s | ", has_default(row) ? row->fallback : "", row->help,
                row->traits & OPTION_RELOADS ? "yes" : "");
        write_commands(t, row, out);
        fputs(" |\n", out);
    }
}

// As comments of at most WIDTH columns.
static void write_wrapped(const char *text, FILE *out) {
    while (*text) {
        size_t len = strlen(text);
        if (len > WIDTH - 2)
            for (len = WIDTH - 2; len && text[len] != ' ';) len--;
        if (!len) len = strcspn(text, " ");
        fprintf(out, "# %.*s\n", (int)len, text);
        text += len;
        text += *text == ' ';
    }
}

static bool is_repeated(const struct option_table *t, unsigned commands, const struct option_row *row) {
    const struct option_row *first = t->rows;
    while (!(first->commands & commands) || strcmp(first->flag, row->flag) != 0) first++;
    return first < row;
}

static const char *value_in_file(const struct option_row *row) {
    if (row->type == OPTION_BOOL) return "false";
    return has_default(row) ? row->fallback : row->value ? row->value : "N";
}

// All rows of a flag together, as a name can stand in a file only once.
static void write_example(const struct option_table *t, unsigned commands, const struct option_row *first,
                          FILE *out) {
    const char *help = NULL;
    fputc('\n', out);
    for (const struct option_row *row = first; row < t->rows + t->count; row++) {
        if (!(row->commands & commands) || strcmp(row->flag, first->flag) != 0) continue;
        if (!help || strcmp(help, row->help) != 0) write_wrapped(row->help, out);
        help = row->help;
        fputs("# For ", out);
        write_commands(t, row, out);
        if (row != first && has_default(row)) fprintf(out, ": %s", row->fallback);
        fputs(row->traits & OPTION_RELOADS ? "; read again at SIGHUP\n" : "\n", out);
    }
    fprintf(out, "#%s = %s\n", first->flag, value_in_file(first));
    if (option_has_file(first)) fprintf(out, "#%s-file = PATH\n", first->flag);
}

void options_example(const struct option_table *t, unsigned commands, FILE *out) {
    fputs("# A configuration of Chorus: every option, at its default. Remove the # in front of a name to\n"
          "# set it. The environment (CHORUS_AN_OPTION) and the command line (--an-option) count before\n"
          "# this file. One file may serve all commands: a command ignores the names of others.\n",
          out);
    for (const struct option_row *row = t->rows; row < t->rows + t->count; row++)
        if (row->commands & commands && !(row->traits & OPTION_FILE) && !is_repeated(t, commands, row))
            write_example(t, commands, row, out);
}

// The values in force

static void show_url(const char *text, struct buf *out) {
    const char *scheme = strstr(text, "://"), *begin = scheme ? scheme + 3 : text;
    const char *at = strrchr(begin, '@'), *colon = at ? memchr(begin, ':', (size_t)(at - begin)) : NULL;
    if (!at)
        buf_add_string(out, text);
    else if (colon)
        buf_printf(out, "%.*s:(secret)%s", (int)(colon - text), text, at);
    else
        buf_printf(out, "%.*s(secret)%s", (int)(begin - text), text, at);
}

void option_show(const struct option_row *row, const char *text, struct buf *out) {
    if (row->traits & OPTION_SECRET)
        buf_add_string(out, "(secret)");
    else if (row->traits & OPTION_PASSWORD)
        show_url(text, out);
    else
        buf_add_string(out, text);
}

static bool is_control(char c) {
    return (unsigned char)c < ' ' && c != '\t';
}

static void add_quoted(const char *text, struct buf *out) {
    buf_add_string(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') buf_add_string(out, "\\");
        if (is_control(*text))
            buf_printf(out, "\\x%02x", (unsigned char)*text);
        else
            buf_add(out, text, 1);
    }
    buf_add_string(out, "\"");
}

// Which a value of the environment may have, and a line of a file cannot.
static bool has_controls(const char *text) {
    while (*text && !is_control(*text)) text++;
    return *text;
}

static bool needs_quotes(const char *text) {
    size_t len = strlen(text);
    return has_controls(text) || strpbrk(text, "#\"'") ||
           (len && (strchr(" \t", text[0]) || strchr(" \t", text[len - 1])));
}

static void add_origin(const struct options *o, const struct option_row *row, const struct option_value *v,
                       struct buf *out) {
    static const char *const kinds[] = {"default", "", "environment ", ""};
    if (!v->text && row->type != OPTION_BOOL)
        buf_add_string(out, "not set");
    else if (v->source == OPTION_IN_FILE)
        buf_printf(out, "%s:%u", o->file, v->line);
    else
        buf_printf(out, "%s%s", kinds[v->source], v->name ? v->name : "");
    if (v->path) buf_printf(out, ", from %s", v->path);
}

// A value that is not shown as it is, or not set, is a comment: the output can be used as a file.
static void print_value(const struct options *o, const struct option_row *row, const struct option_value *v,
                        struct buf *line) {
    struct buf shown = {0};
    const char *value = v->text ? v->text : row->type == OPTION_BOOL ? "false" : NULL;
    if (value) option_show(row, value, &shown);
    const char *text = buf_string(&shown);
    bool hidden = value && (strcmp(text, value) != 0 || has_controls(text));
    if (!value || hidden || row->traits & OPTION_FILE) buf_add_string(line, "#");
    buf_printf(line, "%s = ", row->flag);
    if (needs_quotes(text))
        add_quoted(text, line);
    else
        buf_add_string(line, text);
    do buf_add_string(line, " ");
    while (line->len < ORIGIN_COLUMN);
    buf_add_string(line, "# ");
    add_origin(o, row, v, line);
    buf_release(&shown);
}

void options_print(const struct options *o, FILE *out) {
    for (size_t i = 0; i < o->table->count; i++) {
        const struct option_row *row = &o->table->rows[i];
        struct buf line = {0};
        if (!(row->commands & o->command)) continue;
        print_value(o, row, &o->values[i], &line);
        fprintf(out, "%s\n", buf_string(&line));
        buf_release(&line);
    }
}
