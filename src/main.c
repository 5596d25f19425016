// The table of commands.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "app/clients_main.h"
#include "app/probe.h"
#include "app/settings.h"
#include "app/simulate_main.h"
#include "app/up.h"
#include "version.h"

static int options_main(int argc, char **argv) {
    if (argc != 1 || strcmp(argv[0], "--markdown") != 0) {
        fputs("usage: chorus options --markdown\n", stderr);
        return 2;
    }
    options_markdown(settings_rows, settings_row_count, settings_commands, stdout);
    return 0;
}

static const struct command_row {
    const char *name;
    int (*run)(int argc, char **argv);
    enum command command; // whose options --help shows; 0: none
    const char *help;
} commands[] = {
    {"up", up_main, COMMAND_UP, "everything in one process, nothing else needed"},
    {"manager", manager_main, COMMAND_MANAGER, "the manager on its own, on a Redis"},
    {"comment", comment_main, COMMAND_COMMENT, "the comment API on its own, on a Redis"},
    {"reader", reader_main, COMMAND_READER, "one reader on its own, on a Redis"},
    {"statistics", statistics_main, COMMAND_STATISTICS, "the statistics service on its own, on a Redis"},
    {"clients", clients_main, COMMAND_CLIENTS, "simulated viewers and posters, against a running system"},
    {"simulate", simulate_main, COMMAND_SIMULATE,
     "how evenly videos and viewers spread over readers, calculated in memory"},
    {"probe", probe_main, 0, "ask a URL, for health checks (probe URL); exit code 0 if the answer is 2xx"},
    {"options", options_main, 0, "print the table of options (--markdown)"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out) {
    fputs("Chorus " CHORUS_VERSION ": live comments for live video.\n\nusage: chorus COMMAND [OPTIONS]\n\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++) fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    fputs("\n`chorus COMMAND --help` lists a command's options.\n", out);
}

static int print_help(const struct command_row *c) {
    printf("usage: chorus %s [OPTIONS]\n\n%s\n\n", c->name, c->help);
    if (c->command) options_help(settings_rows, settings_row_count, c->command, stdout);
    return 0;
}

int main(int argc, char **argv) {
    json_object_seed(0); // before there are threads
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "--version")) return puts("chorus " CHORUS_VERSION) < 0;
    if (!strcmp(name, "--help")) {
        print_usage(stdout);
        return 0;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) != 0) continue;
        for (int a = 2; a < argc; a++)
            if (!strcmp(argv[a], "--help")) return print_help(&commands[i]);
        return commands[i].run(argc - 2, argv + 2);
    }
    if (*name) fprintf(stderr, "chorus: there is no command \"%s\".\n\n", name);
    print_usage(stderr);
    return 2;
}
