#include "start_box.h"

#include <stdio.h>
#include <string.h>

#include "app/settings.h"
#include "system.h"
#include "version.h"

static void print_engine(const struct settings *set) {
    char url[SETTINGS_REDIS_URL_SIZE];
    if (!settings_redis_url(set, url, sizeof url)) {
        printf("embedded engine, data in %s", set->data);
        return;
    }
    const char *user_end = strrchr(url, '@'), *host = user_end ? user_end + 1 : strstr(url, "://") + 3;
    printf("on Redis at %s", host); // without user and password
}

static void print_parts(const struct system_part *parts, size_t count) {
    for (size_t i = 0; i < count; i++) printf("  %-12s %s\n", parts[i].name, parts[i].url);
}

void start_box_print(const struct system *s, const struct settings *set) {
    static const char rule[] = "----------------------------------------------------------------------";
    size_t count;
    const struct system_part *parts = system_parts(s, &count);
    const char *comment = system_url(s, "comment");
    printf("%s\n  Chorus " CHORUS_VERSION "   ", rule);
    print_engine(set);
    printf("\n\n");
    print_parts(parts, count);
    printf(
        "\n  Open %s in a browser, or watch a video and comment on it by hand:\n"
        "  curl -NL '%s/connect?userid=ann&videoid=video1'\n"
        "  curl -H 'Content-Type: application/json' -d '{\"userid\":\"bob\",\"videoid\":\"video1\",\"comment\":\"Hello!\"}' %s/comment\n"
        "%s\n",
        comment, system_url(s, "reader-1"), comment, rule);
    fflush(stdout);
}

void start_line_print(const struct system *s, const struct settings *set) {
    size_t count;
    const struct system_part *parts = system_parts(s, &count);
    printf("Chorus " CHORUS_VERSION ", ");
    print_engine(set);
    printf("\n");
    print_parts(parts, count);
    fflush(stdout);
}
