// A file is checked as each of the services and the clients would read it, or the one command that is named;
// without the environment and the command line.
#include "app/config_main.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"

const char config_usage[] = "check FILE [--command COMMAND]\n"
                            "       chorus config print [--command COMMAND] [OPTIONS OF THE COMMAND]\n"
                            "       chorus config example [--command COMMAND]";

enum {
    WRONG = 2,
    FLEET = COMMAND_UP | COMMAND_MANAGER | COMMAND_COMMENT | COMMAND_READER | COMMAND_STATISTICS |
            COMMAND_ARCHIVE | COMMAND_CLIENTS
};

static int say_usage(void) {
    fprintf(stderr, "usage: chorus config %s\n", config_usage);
    return WRONG;
}

// Takes --command out of the arguments. Returns false, with a message, if there is no such command.
static bool take_command(int *argc, char **argv, enum command *command) {
    const char *name = settings_take_value(argc, argv, "--command");
    if (!name) return true;
    *command = settings_command_named(name);
    if (!*command) fprintf(stderr, "chorus config: There is no command \"%s\" with options.\n", name);
    return *command;
}

// Adds the sentences that are not there yet: most errors are those of several commands.
static void add_new(struct buf *all, const struct buf *some) {
    for (const char *at = some->data, *end = at + some->len; at < end;) {
        size_t len = strcspn(at, "\n") + 1, known = 0;
        bool is_new = true;
        while (is_new && known < all->len) {
            size_t known_len = strcspn(all->data + known, "\n") + 1;
            is_new = known_len != len || memcmp(all->data + known, at, len) != 0;
            known += known_len;
        }
        if (is_new) buf_add(all, at, len);
        at += len;
    }
}

static long line_of(const char *sentence, const char *path) {
    size_t len = strlen(path);
    return strncmp(sentence, path, len) == 0 && sentence[len] == ':' ? strtol(sentence + len + 1, NULL, 10)
                                                                     : 0;
}

// Writes the sentences in the order of the file's lines.
static void say_in_order(const struct buf *sentences, const char *path) {
    long written = -1;
    for (;;) {
        long next = LONG_MAX;
        for (const char *at = sentences->data, *end = at + sentences->len; at < end;
             at += strcspn(at, "\n") + 1) {
            long line = line_of(at, path);
            if (line == written) fprintf(stderr, "%.*s\n", (int)strcspn(at, "\n"), at);
            if (line > written && line < next) next = line;
        }
        if (next == LONG_MAX) return;
        written = next;
    }
}

static int check(const char *path, enum command only) {
    struct buf errors = {0}, warnings = {0};
    for (unsigned i = 0; settings_table.commands[i]; i++) {
        enum command command = (enum command)(1u << i);
        struct options read;
        if (!(command & (only ? (unsigned)only : FLEET))) continue;
        settings_read_file(&read, command, path);
        add_new(&errors, &read.errors);
        add_new(&warnings, &read.warnings);
        options_release(&read);
    }
    bool ok = !errors.len;
    say_in_order(&errors, path);
    say_in_order(&warnings, path);
    if (ok) printf("%s is fine.\n", path);
    buf_release(&errors);
    buf_release(&warnings);
    return ok ? 0 : WRONG;
}

static int print(enum command command, int argc, char **argv) {
    struct settings set;
    struct options read;
    if (!command) command = COMMAND_UP;
    settings_read(&set, &read, command, argc, argv, NULL);
    bool ok = !read.errors.len;
    settings_say(&read.warnings, command);
    settings_say(&read.errors, command);
    if (ok) options_print(&read, stdout);
    options_release(&read);
    return ok ? 0 : WRONG;
}

int config_main(int argc, char **argv) {
    enum command command = (enum command)0; // all
    if (!argc) return say_usage();
    const char *verb = *argv++;
    argc--;
    if (!take_command(&argc, argv, &command)) return WRONG;
    int code = WRONG;
    if (!strcmp(verb, "check") && argc == 1)
        code = check(argv[0], command);
    else if (!strcmp(verb, "print"))
        code = print(command, argc, argv);
    else if (!strcmp(verb, "example") && !argc)
        code = (options_example(&settings_table, command ? command : ~0u, stdout), 0);
    else
        return say_usage();
    return fflush(stdout) || ferror(stdout) ? 1 : code;
}
