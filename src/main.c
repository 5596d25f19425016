// The table of commands.
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/backup_main.h"
#include "app/bench_main.h"
#include "app/canary_main.h"
#include "app/clients_main.h"
#include "app/config_main.h"
#include "app/ctl_main.h"
#include "app/doctor_main.h"
#include "app/erase_main.h"
#include "app/export_main.h"
#include "app/ledger_main.h"
#include "app/metrics_main.h"
#include "app/probe.h"
#include "app/settings.h"
#include "app/simulate_main.h"
#include "app/token_main.h"
#include "app/top_main.h"
#include "app/up.h"
#include "service/json_start.h"
#include "version.h"

static int options_main(int argc, char **argv) {
    if (argc != 1 || strcmp(argv[0], "--markdown") != 0) {
        fputs("usage: chorus options --markdown\n", stderr);
        return 2;
    }
    options_markdown(&settings_table, stdout);
    return 0;
}

extern const char chorus_license[], chorus_notice[]; // the files LICENSE and NOTICE

static int license_main(int argc, char **argv) {
    (void)argv;
    if (argc) {
        fputs("usage: chorus license\n", stderr);
        return 2;
    }
    printf("%s\n\n%s", chorus_license, chorus_notice);
    return 0;
}

static const struct command_row {
    const char *name;
    int (*run)(int argc, char **argv);
    enum command command; // selects the options that --help lists; 0: none
    const char *takes;
    const char *help;
} commands[] = {
    {"up", up_main, COMMAND_UP, "[OPTIONS]", "run everything in one process; nothing else is needed"},
    {"manager", manager_main, COMMAND_MANAGER, "[OPTIONS]", "run only the manager, on Redis"},
    {"comment", comment_main, COMMAND_COMMENT, "[OPTIONS]", "run only the comment API, on Redis"},
    {"reader", reader_main, COMMAND_READER, "[OPTIONS]", "run only one reader, on Redis"},
    {"statistics", statistics_main, COMMAND_STATISTICS, "[OPTIONS]",
     "run only the statistics service, on Redis"},
    {"archive", archive_main, COMMAND_ARCHIVE, "[OPTIONS]",
     "run an archive of all comments on Redis, for replays"},
    {"clients", clients_main, COMMAND_CLIENTS, "[OPTIONS]",
     "simulate viewers and posters against a running system"},
    {"bench", bench_main, COMMAND_BENCH, "[OPTIONS]",
     "load and measure a running server: deliveries, losses, latency, CPU, memory"},
    {"simulate", simulate_main, COMMAND_SIMULATE, "[OPTIONS]",
     "calculate in memory how evenly videos and viewers spread over readers"},
    {"top", top_main, COMMAND_TOP, "[OPTIONS]",
     "show a running system in the terminal: viewers, rates, delays, readers, what happened"},
    {"backup", backup_main, COMMAND_BACKUP, "FILE [OPTIONS]",
     "copy the data of `chorus up` into a file, also while it runs"},
    {"restore", restore_main, COMMAND_RESTORE, "FILE [OPTIONS]",
     "make a backup the data of `chorus up`, which must not run"},
    {"check", check_main, COMMAND_CHECK, "[FILE] [OPTIONS]",
     "check the data of `chorus up`, also while it runs, or a backup: exit code 0 if it is sound"},
    {"canary", canary_main, COMMAND_CANARY, "URL [OPTIONS]",
     "post a comment and read it back, for monitoring: exit code 0 if it came back in time"},
    {"ledger", ledger_main, COMMAND_LEDGER, "VIDEO [OPTIONS]",
     "show what became of a video's comments at each reader: exit code 0 if no delivery is missing"},
    {"export", export_main, COMMAND_EXPORT, "VIDEO [OPTIONS]",
     "print all comments of a video: exit code 0 if none is missing, 3 if some are gone"},
    {"erase", erase_main, COMMAND_ERASE, "USER [OPTIONS]",
     "take all comments of a user out of all videos, for good: exit code 0 if that is done everywhere"},
    {"ctl", ctl_main, COMMAND_CTL, ctl_usage,
     "drain readers, move videos, even readers out: orders to a running system, at its control socket"},
    {"token", token_main, COMMAND_TOKEN, token_usage,
     "make a token for a user, say what is wrong with one, or make keys to sign with"},
    {"doctor", doctor_main, 0, doctor_usage,
     "check what a deployment that faces the public should be like: exit code 0, 1 for warnings, 3 for faults"},
    {"config", config_main, 0, config_usage,
     "check a configuration file, print the values in force, or write an example"},
    {"probe", probe_main, 0, "URL", "request a URL, for health checks: exit code 0 if it returns 2xx"},
    {"license", license_main, 0, "", "print the licence, and the notices of what is compiled in"},
    {"options", options_main, 0, "--markdown", "print the option table of docs/configuration.md"},
    {"metrics", metrics_main, 0, "--markdown", "print the tables of metrics of docs/monitoring.md"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out) {
    fputs("Chorus " CHORUS_VERSION ": live comments for live video.\n\nusage: chorus COMMAND [OPTIONS]\n\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++) fprintf(out, "  %-11s %s\n", commands[i].name, commands[i].help);
    fputs("\n`chorus COMMAND --help` lists a command's options.\n", out);
}

static int print_help(const struct command_row *c) {
    printf("usage: chorus %s %s\n\n%s\n", c->name, c->takes, c->help);
    if (!c->command) return 0;
    puts("");
    options_help(&settings_table, c->command, stdout);
    return 0;
}

static bool asks_for_help(const char *arg) {
    return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

// Where one is closed, the next file or socket would have its number, and get what is meant for the log.
static void open_standard_descriptors(void) {
    int fd;
    do fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) close(fd);
}

int main(int argc, char **argv) {
    open_standard_descriptors();
    json_start(0);
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "--version")) return puts("chorus " CHORUS_VERSION) < 0;
    if (asks_for_help(name)) {
        print_usage(stdout);
        return 0;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) != 0) continue;
        for (int a = 2; a < argc; a++)
            if (asks_for_help(argv[a])) return print_help(&commands[i]);
        return commands[i].run(argc - 2, argv + 2);
    }
    if (*name)
        fprintf(stderr, "chorus: There is no command \"%s\". Try `chorus --help`.\n", name);
    else
        print_usage(stderr);
    return 2;
}
