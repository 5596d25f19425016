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
#include "start_box.h"
#include "system.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/random.h"
#include "base/terminal.h"
#include "net/loop.h"

enum { TOKEN_BYTES = 16 };

struct ending {
    struct loop_fd signals;
    struct system *system;
};

static void on_up_signal(struct loop_fd *f, uint32_t events) {
    struct ending *e = container_of(f, struct ending, signals);
    (void)events;
    int number = process_next_signal(f->fd);
    if (!number) return;
    if (number == SIGHUP) {
        log_info("chorus", "hangup_ignored", "why=\"settings are read once, at the start\"");
        return;
    }
    log_info("chorus", "ending", "signal=%d", number);
    system_quit(e->system);
}

static bool has_live_line(const struct settings *set) {
    return set->demo && terminal_is(STDOUT_FILENO);
}

// In a terminal the box of a demo stays in sight: 20 lines a second would push it out.
static bool is_quiet(const struct settings *set) {
    return set->log_level == LOG_LEVEL_NOT_GIVEN && has_live_line(set) && terminal_is(STDERR_FILENO);
}

static void set_up_log(const struct settings *set) {
    enum log_level usual = is_quiet(set) ? LOG_WARN : LOG_INFO;
    log_set_level(set->log_level == LOG_LEVEL_NOT_GIVEN ? usual : (enum log_level)set->log_level);
    log_set_format_for_stderr((enum log_format)set->log_format);
    if (has_live_line(set) && terminal_is(STDERR_FILENO)) log_set_line_start(live_line_clear);
}

static int serve_until_signal(struct system *s, const struct settings *set, enum command command,
                              int signals) {
    struct ending ending = {.signals.on_event = on_up_signal, .system = s};
    loop_fd_add(system_loop(s), &ending.signals, signals, EPOLLIN);
    if (command == COMMAND_UP)
        start_box_print(s, set, is_quiet(set));
    else
        start_line_print(s, set);
    struct demo *demo = set->demo ? demo_start(s, set) : NULL;
    struct live_line *line = has_live_line(set) ? live_line_start(s) : NULL;
    struct notifier *notifier = notifier_start(s);
    int error = system_run(s);
    notifier_free(notifier);
    live_line_free(line);
    demo_free(demo);
    loop_fd_remove(system_loop(s), &ending.signals);
    if (error) log_error("chorus", "loop_failed", "error=%d", -error);
    return error ? 1 : 0;
}

static int start_and_serve(struct settings *set, enum command command, const char *name) {
    char why[512], token[TOKEN_BYTES * 2 + 1];
    set_up_log(set);
    // Parts of one process recognise each other by a token, whatever address their requests seem to come
    // from.
    unsigned char bytes[TOKEN_BYTES];
    if (command == COMMAND_UP && !set->internal_token && random_bytes(bytes, sizeof bytes)) {
        for (size_t i = 0; i < sizeof bytes; i++) snprintf(token + 2 * i, 3, "%02x", bytes[i]);
        set->internal_token = token;
    }
    int signals = process_take_signals();
    if (signals >= 0) process_take_hangup(signals);
    process_raise_descriptor_limit();
    struct outages *outages = set->demo ? outages_new(set) : NULL;
    struct system *s =
        signals < 0 ? NULL
                    : system_start(set, command, outages ? outages_commands(outages) : NULL, why, sizeof why);
    if (!s) {
        fprintf(stderr, "chorus %s: %s\n", name, signals < 0 ? "There is no file descriptor left." : why);
        outages_free(outages);
        return 1;
    }
    if (outages) outages_set_system(outages, s);
    int code = serve_until_signal(s, set, command, signals);
    outages_stop(outages);
    system_free(s);
    outages_free(outages);
    process_release_signals(signals);
    return code;
}

static int run_command(enum command command, int argc, char **argv) {
    struct settings set;
    struct options options;
    if (!settings_begin(&set, &options, command, argc, argv)) return 2;
    int code = start_and_serve(&set, command, settings_command_name(command));
    options_release(&options);
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
