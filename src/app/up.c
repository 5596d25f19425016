#include "app/up.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "demo.h"
#include "live_line.h"
#include "notifier.h"
#include "outages.h"
#include "process.h"
#include "reload.h"
#include "start_box.h"
#include "system.h"
#include "base/container_of.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/random.h"
#include "base/terminal.h"
#include "net/loop.h"

enum { TOKEN_BYTES = 16 };

// A command that runs until a signal ends it.
struct run {
    struct settings settings;
    struct options options;
    struct reload reload;
    char token[TOKEN_BYTES * 2 + 1]; // where none is given
    int signals;                     // descriptor
    struct loop_fd on_signals;
    struct system *system;
    struct outages *outages; // NULL: no demo
    struct demo *demo;
    struct notifier *notifier;
    bool departing; // a second signal ends it at once
};

static void on_up_signal(struct loop_fd *f, uint32_t events) {
    struct run *run = container_of(f, struct run, on_signals);
    (void)events;
    int number = process_next_signal(f->fd);
    if (!number) return;
    if (number == SIGHUP) {
        notifier_reloading(run->notifier);
        bool has_files = system_read_files(run->system);
        system_note_reload(run->system, reload_run(&run->reload) && has_files);
        notifier_reloaded(run->notifier);
        return;
    }
    log_info("chorus", "ending", "signal=%d", number);
    if (number == SIGTERM && !run->departing)
        system_depart(run->system);
    else
        system_quit(run->system);
    run->departing = true;
}

static bool has_live_line(const struct settings *set) {
    return set->demo && terminal_is(STDOUT_FILENO);
}

// In a terminal the box of a demo stays in sight: 20 lines a second would push it out.
static bool is_quiet(const struct settings *set) {
    return set->log_level == LOG_LEVEL_NOT_GIVEN && has_live_line(set) && terminal_is(STDERR_FILENO);
}

static void set_log_level(const struct settings *set) {
    enum log_level usual = is_quiet(set) ? LOG_WARN : LOG_INFO;
    log_set_level(set->log_level == LOG_LEVEL_NOT_GIVEN ? usual : (enum log_level)set->log_level);
}

static void set_up_log(const struct settings *set) {
    set_log_level(set);
    log_set_format_for_stderr((enum log_format)set->log_format);
    if (has_live_line(set) && terminal_is(STDERR_FILENO)) log_set_line_start(live_line_clear);
}

// Parts of one process recognise each other by a token, whatever address their requests seem to come from.
static void give_token(struct run *run) {
    if (run->reload.command == COMMAND_UP && !run->settings.internal_token && run->token[0])
        run->settings.internal_token = run->token;
}

static void make_token(struct run *run) {
    unsigned char bytes[TOKEN_BYTES];
    if (!random_bytes(bytes, sizeof bytes)) return;
    hex_write(run->token, bytes, sizeof bytes);
}

static void on_reloaded(void *arg) {
    struct run *run = arg;
    const struct settings *set = &run->settings;
    set_log_level(set);
    give_token(run);
    system_configure(run->system);
    if (run->demo) demo_set_token(run->demo, set->internal_token);
    if (run->outages) outages_set_restart(run->outages, (int)set->demo_restart_ms);
}

static int serve_until_signal(struct run *run) {
    struct system *s = run->system;
    const struct settings *set = &run->settings;
    run->on_signals.on_event = on_up_signal;
    loop_fd_add(system_loop(s), &run->on_signals, run->signals, EPOLLIN);
    if (run->reload.command == COMMAND_UP)
        start_box_print(s, set, is_quiet(set));
    else
        start_line_print(s, set, run->reload.command);
    run->demo = set->demo ? demo_start(s, set) : NULL;
    struct live_line *line = has_live_line(set) ? live_line_start(s, set) : NULL;
    run->notifier = notifier_start(s);
    int error = system_run(s);
    notifier_free(run->notifier);
    live_line_free(line);
    demo_free(run->demo);
    loop_fd_remove(system_loop(s), &run->on_signals);
    if (error) log_error("chorus", "loop_failed", "error=%d", -error);
    return error ? 1 : 0;
}

static int start_and_serve(struct run *run) {
    char why[512];
    const struct settings *set = &run->settings;
    make_token(run);
    give_token(run);
    run->signals = process_take_signals();
    if (run->signals >= 0) process_take_hangup(run->signals);
    process_raise_descriptor_limit();
    run->outages = set->demo ? outages_new(set) : NULL;
    const struct statistics_demo *commands = run->outages ? outages_commands(run->outages) : NULL;
    if (run->signals >= 0) run->system = system_start(set, run->reload.command, commands, why, sizeof why);
    if (!run->system) {
        fprintf(stderr, "chorus %s: %s\n", settings_command_name(run->reload.command),
                run->signals < 0 ? "There is no file descriptor left." : why);
        outages_free(run->outages);
        return 1;
    }
    if (run->outages) outages_set_system(run->outages, run->system);
    int code = serve_until_signal(run);
    outages_stop(run->outages);
    system_free(run->system);
    outages_free(run->outages);
    process_release_signals(run->signals);
    return code;
}

static int run_command(enum command command, int argc, char **argv) {
    struct run run = {.signals = -1};
    run.reload = (struct reload){.command = command,
                                 .argc = argc,
                                 .argv = argv,
                                 .settings = &run.settings,
                                 .options = &run.options,
                                 .apply = on_reloaded,
                                 .arg = &run};
    bool ok = settings_read(&run.settings, &run.options, command, argc, argv, NULL);
    if (ok) {
        set_up_log(&run.settings);
        reload_log_warnings(&run.options.warnings);
    } else {
        settings_refuse(&run.options, command);
    }
    int code = ok ? start_and_serve(&run) : 2;
    options_release(&run.options);
    return code;
}

int up_main(int argc, char **argv) {
    return run_command(COMMAND_UP, argc, argv);
}

int manager_main(int argc, char **argv) {
    return run_command(COMMAND_MANAGER, argc, argv);
}

int comment_main(int argc, char **argv) {
    return run_command(COMMAND_COMMENT, argc, argv);
}

int reader_main(int argc, char **argv) {
    return run_command(COMMAND_READER, argc, argv);
}

int statistics_main(int argc, char **argv) {
    return run_command(COMMAND_STATISTICS, argc, argv);
}

int archive_main(int argc, char **argv) {
    return run_command(COMMAND_ARCHIVE, argc, argv);
}
