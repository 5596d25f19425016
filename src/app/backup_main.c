#include "app/backup_main.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app/settings.h"
#include "base/clock.h"
#include "engine/embedded_files.h"

static volatile sig_atomic_t stop;

static void on_stop(int number) {
    (void)number;
    stop = 1;
}

static void stop_at_signals(void) {
    signal(SIGINT, on_stop);
    signal(SIGTERM, on_stop);
    signal(SIGXFSZ, SIG_IGN); // writing fails instead
}

static const char *plural(uint64_t count) {
    return count == 1 ? "" : "s";
}

static void print_contents(const struct embedded_contents *c) {
    char newest[CLOCK_ISO8601_SIZE];
    printf("%" PRIu64 " video%s, %" PRIu64 " entr%s in their logs, %" PRIu64 " comment%s ever, %" PRIu64
           " mapping%s",
           c->videos, plural(c->videos), c->entries, c->entries == 1 ? "y" : "ies", c->comments,
           plural(c->comments), c->mappings, plural(c->mappings));
    if (c->newest_ms) {
        clock_iso8601(c->newest_ms, newest);
        printf("; the newest of %s", newest);
    }
    puts(".");
}

// The work of a command: returns whether it was done, with a sentence in `why` if not.
struct file_command {
    enum command command;
    const char *takes; // what its operand is; NULL: it can do without
    bool (*run)(const struct settings *, const char *file, char *why, size_t why_size);
};

static int run_file_command(const struct file_command *c, int argc, char **argv) {
    struct settings set;
    struct options options;
    char why[2048] = "";
    const char *name = settings_command_name(c->command),
               *file = settings_take_operand(c->command, &argc, argv);
    if (!settings_begin(&set, &options, c->command, argc, argv)) return 2;
    if (!file && c->takes) {
        fprintf(stderr, "chorus %s: It needs %s. Try `chorus %s --help`.\n", name, c->takes, name);
        options_release(&options);
        return 2;
    }
    stop_at_signals();
    bool done = c->run(&set, file, why, sizeof why);
    if (!done && *why) fprintf(stderr, "chorus %s: %s.\n", name, why);
    options_release(&options);
    return done ? 0 : 1;
}

// Backup

static bool run_backup(const struct settings *set, const char *file, char *why, size_t why_size) {
    struct embedded_contents contents;
    if (!embedded_backup(set->data, file, set->force, &stop, &contents, why, why_size)) return false;
    printf("%s is written and checked: ", file);
    print_contents(&contents);
    return true;
}

int backup_main(int argc, char **argv) {
    static const struct file_command c = {COMMAND_BACKUP, "the file to write", run_backup};
    return run_file_command(&c, argc, argv);
}

// Restore

static bool run_restore(const struct settings *set, const char *file, char *why, size_t why_size) {
    struct embedded_contents contents;
    char aside[EMBEDDED_PATH_SIZE];
    bool done = embedded_restore(file, set->data, set->force, &stop, &contents, aside, why, why_size);
    if (done) {
        printf("%s has what %s holds: ", set->data, file);
        print_contents(&contents);
    }
    if (*aside) printf("What it had before is in %s.\n", aside);
    return done;
}

int restore_main(int argc, char **argv) {
    static const struct file_command c = {COMMAND_RESTORE, "the file to read", run_restore};
    return run_file_command(&c, argc, argv);
}

// Check

static void on_problem(void *arg, const char *sentence) {
    (void)arg;
    printf("%s\n", sentence);
}

static bool run_check(const struct settings *set, const char *file, char *why, size_t why_size) {
    struct embedded_contents contents;
    char path[EMBEDDED_PATH_SIZE];
    if (!file) {
        snprintf(path, sizeof path, "%s/chorus.db", set->data);
        file = path;
    }
    if (!embedded_check(file, &stop, on_problem, NULL, &contents, why, why_size)) return false;
    if (contents.problems) {
        snprintf(why, why_size, "%s is damaged: %" PRIu64 " problem%s", file, contents.problems,
                 plural(contents.problems));
        return false;
    }
    printf("%s is sound: ", file);
    print_contents(&contents);
    return true;
}

int check_main(int argc, char **argv) {
    static const struct file_command c = {COMMAND_CHECK, NULL, run_check};
    return run_file_command(&c, argc, argv);
}
