// The sources are read from the strongest to the weakest, because the command line or the environment names
// the file. Each offers its texts; one that is wrong is an error, one that a stronger source has given
// already is dropped. Only at the end the fields are set.
#include "base/options.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/options_file.h"
#include "base/small_file.h"
#include "option_name.h"
#include "option_value.h"

enum { SECRET_MAX = 8192, ALL = ~0u };

static const char environment_prefix[] = "CHORUS_", environment_suffix[] = "_FILE";

// What stands somewhere for an option.
struct offer {
    enum option_source source;
    unsigned line;
    const char *name; // "--port"
    const char *text;
    bool by_file; // the text is the path of a file
};

// Adds where something stands, and as what: the beginning of a sentence.
static void say_where(const struct options *o, struct buf *out, enum option_source source, unsigned line) {
    if (source == OPTION_IN_FILE) buf_printf(out, "%s:%u: ", o->file, line);
}

static void say(const struct options *o, struct buf *out, const struct offer *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(const struct options *o, struct buf *out, const struct offer *at, const char *format, ...) {
    char sentence[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    say_where(o, out, at->source, at->line);
    buf_printf(out, "%s\n", sentence);
}

static struct option_value *value_of(const struct options *o, const struct option_row *row) {
    return &o->values[row - o->table->rows];
}

static void refuse_value(struct options *o, const struct option_row *row, const struct offer *at,
                         const char *wanted) {
    if (!*at->text && (row->type == OPTION_STRING || at->by_file))
        say(o, &o->errors, at, "%s must not be empty.", at->name);
    else if (option_has_file(row))
        say(o, &o->errors, at, "%s must be %s.", at->name, wanted);
    else
        say(o, &o->errors, at, "%s is \"%s\", but must be %s.", at->name, at->text, wanted);
}

static void keep(struct option_value *v, const struct offer *at) {
    free(v->text);
    free(v->name);
    free(v->path);
    *v = (struct option_value){.source = at->source, .line = at->line, .name = mem_strdup(at->name)};
    *(at->by_file ? &v->path : &v->text) = mem_strdup(at->text);
}

// Of one source: a name in the file may not be repeated; a secret is given directly or by a file.
static bool is_contradiction(struct options *o, const struct option_value *v, const struct offer *at) {
    if (!v->name || v->source != at->source) return false;
    if (at->by_file != (v->path != NULL))
        say(o, &o->errors, at, "%s and %s are both given: one of them must go.", v->name, at->name);
    else if (at->source == OPTION_IN_FILE)
        say(o, &o->errors, at, "%s stands in line %u already.", at->name, v->line);
    else
        return false;
    return true;
}

static void take(struct options *o, const struct option_row *row, const struct offer *at) {
    union option_field unused;
    char wanted[OPTION_WANTED_SIZE] = "";
    struct option_value *v = value_of(o, row);
    bool valid = at->by_file ? *at->text : option_value_read(row, at->text, &unused, wanted);
    if (!valid)
        refuse_value(o, row, at, wanted);
    else if (!is_contradiction(o, v, at) && (!v->name || at->source >= v->source))
        keep(v, at);
}

// The command line

static void refuse_flag(struct options *o, const struct offer *at, const char *name, size_t len) {
    char near[OPTION_NAME_SIZE], owners[OPTION_NAME_SIZE];
    bool by_file;
    unsigned others = 0;
    for (unsigned i = 0; o->table->commands[i]; i++)
        if (option_find(o->table, 1u << i, name, len, &by_file)) others |= 1u << i;
    option_commands(o->table, others, owners, sizeof owners);
    if (others)
        say(o, &o->errors, at, "There is no option --%.*s here: it is one of %s.", (int)len, name, owners);
    else if (*option_nearest(o->table, o->command, name, len, false, near))
        say(o, &o->errors, at, "There is no option --%.*s; did you mean --%s?", (int)len, name, near);
    else
        say(o, &o->errors, at, "There is no option --%.*s.", (int)len, name);
}

// Returns how many arguments were used, 1 or 2.
static int read_argument(struct options *o, int argc, char *const *argv) {
    struct offer at = {.source = OPTION_ON_COMMAND_LINE};
    const char *arg = argv[0];
    if (arg[0] != '-' || arg[1] != '-' || !arg[2])
        return say(o, &o->errors, &at, "\"%s\" is not an option.", arg), 1;
    size_t len = strcspn(arg + 2, "=");
    const struct option_row *row = option_find(o->table, o->command, arg + 2, len, &at.by_file);
    if (!row) row = option_find_also(o->table, o->command, arg + 2, len);
    if (!row) return refuse_flag(o, &at, arg + 2, len), 1;
    char name[OPTION_NAME_SIZE];
    snprintf(name, sizeof name, "--%.*s", (int)len, arg + 2);
    at.name = name;
    at.text = arg[2 + len] == '=' ? arg + 3 + len : NULL;
    if (!at.text && row->type == OPTION_BOOL) at.text = "true";
    int used = at.text ? 1 : 2;
    if (used == 2 && argc > 1) at.text = argv[1];
    if (at.text)
        take(o, row, &at);
    else
        say(o, &o->errors, &at, "%s needs a value.", name);
    return used;
}

// The environment

// Kubernetes sets CHORUS_PORT=tcp://10.0.0.1:3000 in every pod beside a Service named chorus, and
// CHORUS_MANAGER_PORT for one named chorus-manager.
static bool is_service_link(const struct option_row *row, const char *text) {
    return row->type == OPTION_INT && (!strncmp(text, "tcp://", 6) || !strncmp(text, "udp://", 6));
}

static void take_variable(struct options *o, const struct option_row *row, const char *name, bool by_file) {
    const char *text = name ? getenv(name) : NULL;
    if (!text || !*text || is_service_link(row, text)) return;
    take(o, row,
         &(struct offer){.source = OPTION_IN_ENVIRONMENT, .name = name, .text = text, .by_file = by_file});
}

// And those that it sets with it: CHORUS_SERVICE_HOST, CHORUS_SERVICE_PORT_HTTP, CHORUS_PORT_3000_TCP_ADDR.
static bool is_of_kubernetes(const char *name) {
    return strstr(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") || strstr(name, "_TCP") ||
           strstr(name, "_UDP");
}

// Of any command, as services may share an environment.
static void warn_unknown_variable(struct options *o, const char *name, size_t len) {
    char flag[OPTION_NAME_SIZE], near[OPTION_NAME_SIZE], meant[OPTION_NAME_SIZE];
    bool by_file;
    if (len >= sizeof flag || is_of_kubernetes(name - sizeof environment_prefix + 1)) return;
    for (size_t i = 0; i <= len; i++) flag[i] = i == len ? 0 : name[i] == '_' ? '-' : (char)(name[i] | 0x20);
    if (option_find(o->table, ALL, flag, len, &by_file)) return;
    if (!*option_nearest(o->table, ALL, flag, len, true, near)) return;
    option_environment(&(struct option_row){.flag = near}, meant);
    say(o, &o->warnings, &(struct offer){.source = OPTION_IN_ENVIRONMENT},
        "CHORUS_%.*s in the environment is the name of no option; did you mean %s?", (int)len, name, meant);
}

static void read_environment(struct options *o) {
    for (size_t i = 0; i < o->table->count; i++) {
        const struct option_row *row = &o->table->rows[i];
        char name[OPTION_NAME_SIZE], file[OPTION_NAME_SIZE + sizeof environment_suffix];
        if (!(row->commands & o->command)) continue;
        option_environment(row, name);
        take_variable(o, row, row->environment, false);
        take_variable(o, row, name, false);
        if (!option_has_file(row)) continue;
        snprintf(file, sizeof file, "%s%s", name, environment_suffix);
        take_variable(o, row, file, true);
    }
    for (char **at = environ; at && *at; at++)
        if (!strncmp(*at, environment_prefix, sizeof environment_prefix - 1)) {
            const char *name = *at + sizeof environment_prefix - 1;
            warn_unknown_variable(o, name, strcspn(name, "="));
        }
}

// The file

// A name of another command is accepted, and ignored: one file may serve all services.
static void read_line(struct options *o, const struct options_line *line) {
    struct offer at = {
        .source = OPTION_IN_FILE, .line = line->number, .name = line->name, .text = line->value};
    size_t len = strlen(line->name);
    bool by_file;
    const struct option_row *any = option_find(o->table, ALL, line->name, len, &by_file);
    const struct option_row *row = option_find(o->table, o->command, line->name, len, &at.by_file);
    char near[OPTION_NAME_SIZE];
    if (any && any->traits & OPTION_FILE)
        say(o, &o->errors, &at, "%s cannot stand in the file itself.", line->name);
    else if (!any && *option_nearest(o->table, ALL, line->name, len, false, near))
        say(o, &o->errors, &at, "There is no option %s; did you mean %s?", line->name, near);
    else if (!any)
        say(o, &o->errors, &at, "There is no option %s.", line->name);
    else if (!line->value)
        say(o, &o->errors, &at, "%s needs a value: %s = %s.", line->name, line->name,
            any->type == OPTION_BOOL ? "true"
            : any->value             ? any->value
                                     : "N");
    else if (!*line->value)
        say(o, &o->errors, &at, "%s must not be empty.", line->name);
    else if (row)
        take(o, row, &at);
}

static void read_file(struct options *o) {
    char why[256];
    struct small_file read;
    if (!small_file_read(o->file, OPTIONS_FILE_MAX, &read, why, sizeof why)) {
        buf_printf(&o->errors, "%s %s.\n", o->file, why);
        return;
    }
    struct options_file file = {.text = read.text, .len = read.len};
    struct options_line line;
    for (;;) {
        enum options_file_found found = options_file_next(&file, &line, why, sizeof why);
        if (found == OPTIONS_FILE_END) break;
        if (found == OPTIONS_FILE_LINE)
            read_line(o, &line);
        else
            say(o, &o->errors, &(struct offer){.source = OPTION_IN_FILE, .line = line.number}, "%s", why);
    }
    explicit_bzero(read.text, read.len);
    free(read.text);
}

// Secrets

// Docker mounts secrets readable for all there, in the container.
static bool should_be_private(const char *path) {
    return strncmp(path, "/run/secrets/", strlen("/run/secrets/")) != 0;
}

// Returns what is wrong with a secret, as a clause, or NULL.
static const char *wrong_secret(const char *text, size_t len) {
    if (!len) return "is empty";
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return "contains a control character or more than one line";
    return NULL;
}

static void read_secret(struct options *o, const struct option_row *row, struct option_value *v) {
    char why[256], wanted[OPTION_WANTED_SIZE];
    union option_field unused;
    struct small_file file;
    struct offer at = {.source = v->source, .line = v->line};
    if (!small_file_read(v->path, SECRET_MAX, &file, why, sizeof why)) {
        say(o, &o->errors, &at, "%s: %s %s.", v->name, v->path, why);
        return;
    }
    while (file.len && strchr("\r\n", file.text[file.len - 1])) file.text[--file.len] = 0;
    const char *wrong = wrong_secret(file.text, file.len);
    if (wrong)
        say(o, &o->errors, &at, "%s: %s %s.", v->name, v->path, wrong);
    else if (!option_value_read(row, file.text, &unused, wanted))
        say(o, &o->errors, &at, "%s: the content of %s must be %s.", v->name, v->path, wanted);
    if (file.is_public && should_be_private(v->path))
        say(o, &o->warnings, &at, "%s: all users of this machine may read %s (chmod o= %s).", v->name,
            v->path, v->path);
    v->text = mem_strdup(file.text);
    explicit_bzero(file.text, file.len);
    free(file.text);
}

// All together

static void options_init(struct options *o, const struct option_table *table, unsigned command) {
    *o = (struct options){.table = table, .command = command};
    o->values = mem_zalloc(table->count * sizeof *o->values);
}

// Reads secrets and sets the fields. What is wrong keeps its default.
static bool options_finish(struct options *o, void *settings) {
    for (size_t i = 0; i < o->table->count; i++) {
        const struct option_row *row = &o->table->rows[i];
        struct option_value *v = &o->values[i];
        char wanted[OPTION_WANTED_SIZE];
        union option_field field;
        if (!(row->commands & o->command)) continue;
        if (v->path) read_secret(o, row, v);
        if (!v->name && row->fallback) v->text = mem_strdup(row->fallback);
        if (v->text && option_value_read(row, v->text, &field, wanted))
            option_field_set(row, settings, field);
    }
    return !o->errors.len;
}

static void find_file(struct options *o) {
    for (size_t i = 0; i < o->table->count; i++) {
        const struct option_row *row = &o->table->rows[i];
        const char *path = o->values[i].text;
        if (row->commands & o->command && row->traits & OPTION_FILE && path) o->file = mem_strdup(path);
    }
}

bool options_read(struct options *o, const struct option_table *table, unsigned command, int argc,
                  char *const *argv, void *settings) {
    options_init(o, table, command);
    for (int i = 0; i < argc;) i += read_argument(o, argc - i, argv + i);
    read_environment(o);
    find_file(o);
    if (o->file) read_file(o);
    return options_finish(o, settings);
}

bool options_read_file(struct options *o, const struct option_table *table, unsigned command,
                       const char *path, void *settings) {
    options_init(o, table, command);
    o->file = mem_strdup(path);
    read_file(o);
    return options_finish(o, settings);
}

void options_release(struct options *o) {
    for (size_t i = 0; o->values && i < o->table->count; i++) {
        free(o->values[i].text);
        free(o->values[i].name);
        free(o->values[i].path);
    }
    free(o->values);
    free(o->file);
    buf_release(&o->errors);
    buf_release(&o->warnings);
    *o = (struct options){0};
}

static const struct option_row *row_at(const struct options *o, size_t offset) {
    const struct option_row *row = o->table->rows;
    while (!(row->commands & o->command && row->offset == offset)) row++;
    return row;
}

const struct option_value *options_value(const struct options *o, size_t offset) {
    return value_of(o, row_at(o, offset));
}

void options_error(struct options *o, size_t offset, const char *format, ...) {
    const struct option_row *row = row_at(o, offset);
    const struct option_value *v = value_of(o, row);
    say_where(o, &o->errors, v->source, v->line);
    if (v->name)
        buf_add_string(&o->errors, v->name);
    else
        buf_printf(&o->errors, "--%s", row->flag);
    char rest[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    buf_printf(&o->errors, " %s\n", rest);
}

bool options_agree(const struct options *a, const struct options *b, const struct option_row *row) {
    const char *one = value_of(a, row)->text, *other = value_of(b, row)->text;
    char wanted[OPTION_WANTED_SIZE];
    union option_field of_one = {.number = 0}, of_other = {.number = 0};
    if (!one || !other) return one == other;
    if (row->type == OPTION_STRING) return !strcmp(one, other);
    option_value_read(row, one, &of_one, wanted);
    option_value_read(row, other, &of_other, wanted);
    return row->type == OPTION_BOOL ? of_one.flag == of_other.flag : of_one.number == of_other.number;
}

void options_exchange(struct options *a, void *settings_of_a, struct options *b, void *settings_of_b,
                      const struct option_row *row) {
    struct option_value *in_a = value_of(a, row), *in_b = value_of(b, row), value = *in_a;
    union option_field field = option_field_get(row, settings_of_a);
    option_field_set(row, settings_of_a, option_field_get(row, settings_of_b));
    option_field_set(row, settings_of_b, field);
    *in_a = *in_b;
    *in_b = value;
}
