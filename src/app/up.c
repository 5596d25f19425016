#include "app/up.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/demo.h"
#include "app/process.h"
#include "app/system.h"
#include "base/log.h"
#include "net/loop.h"
#include "version.h"

struct ending {
    struct loop_fd signals;
    struct system *system;
};

static void on_signal(struct loop_fd *f, uint32_t events) {
    struct ending *e = (struct ending *)((char *)f - offsetof(struct ending, signals));
    struct signalfd_siginfo info;
    (void)events;
    if (read(f->fd, &info, sizeof info) != (ssize_t)sizeof info) return;
    log_info("chorus", "ending", "signal=%u", info.ssi_signo);
    system_quit(e->system);
}

static const char *url_of(const struct system_part *parts, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(parts[i].name, name)) return parts[i].url;
    return "";
}

static void print_box(const struct system *s, const struct settings *set) {
    static const char rule[] = "----------------------------------------------------------------------";
    size_t count;
    const struct system_part *parts = system_parts(s, &count);
    const char *comment = url_of(parts, count, "comment");
    printf("%s\n  Chorus " CHORUS_VERSION "   embedded engine, data in %s\n\n", rule, set->data);
    for (size_t i = 0; i < count; i++) printf("  %-12s %s\n", parts[i].name, parts[i].url);
    printf(
        "\n  Open %s in a browser, or watch a video and comment on it by hand:\n"
        "  curl -NL '%s/connect?userid=ann&videoid=video1'\n"
        "  curl -H 'Content-Type: application/json' -d '{\"userid\":\"bob\",\"videoid\":\"video1\",\"comment\":\"Hello!\"}' %s/comment\n"
        "%s\n",
        comment, url_of(parts, count, "reader-1"), comment, rule);
    fflush(stdout);
}

static int serve(struct system *s, const struct settings *set, int signals) {
    struct ending ending = {.signals.on_event = on_signal, .system = s};
    loop_fd_add(system_loop(s), &ending.signals, signals, EPOLLIN);
    print_box(s, set);
    struct demo *demo = set->demo ? demo_start(s, set) : NULL;
    int error = system_run(s);
    demo_free(demo);
    loop_fd_remove(system_loop(s), &ending.signals);
    if (error) log_error("chorus", "loop_failed", "error=%d", -error);
    return error ? 1 : 0;
}

int up_main(int argc, char **argv) {
    struct settings set = {0};
    char why[512];
    if (!options_parse(settings_rows, settings_row_count, COMMAND_UP, argc, argv, &set, why, sizeof why) ||
        !settings_check(&set, why, sizeof why)) {
        fprintf(stderr, "chorus up: %s Try `chorus up --help`.\n", why);
        return 2;
    }
    log_set_level((enum log_level)set.log_level);
    int signals = process_take_signals();
    process_raise_descriptor_limit();
    struct system *s = signals < 0 ? NULL : system_start(&set, why, sizeof why);
    if (!s) {
        fprintf(stderr, "chorus up: %s\n", signals < 0 ? "There is no file descriptor left." : why);
        return 1;
    }
    int code = serve(s, &set, signals);
    system_free(s);
    close(signals);
    return code;
}
