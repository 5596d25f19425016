#include "start_box.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/settings.h"
#include "base/terminal.h"
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

// As wide as the box, or as the terminal.
static void print_rule(void) {
    static const char rule[] = "----------------------------------------------------------------------";
    int width = sizeof rule - 1;
    if (terminal_is(STDOUT_FILENO) && terminal_size(STDOUT_FILENO).columns <= (unsigned)width)
        width = (int)terminal_size(STDOUT_FILENO).columns - 1;
    printf("%.*s\n", width, rule);
}

static void print_pages(const struct system *s, const struct settings *set) {
    const char *here = system_url(s, "comment");
    printf("  Open       %s  in two windows, and comment in one\n", set->public_url ? set->public_url : here);
    if (set->public_url) printf("             once a proxy passes that on to %s\n", here);
    printf("  Moderate   %s/moderate/VIDEO\n", set->public_url ? set->public_url : here);
    printf("  Dashboard  %s%s  what happens%s\n", system_url(s, "statistics"),
           set->single_port ? "/dashboard" : "", set->demo ? "; there you can kill a reader" : "");
}

static void print_users(const struct settings *set) {
    if (set->jwt_keys || set->jwks_url)
        printf("  Users      need a token, signed with a key in %s\n",
               set->jwt_keys ? set->jwt_keys : set->jwks_url);
    else
        printf("  Users      anyone can post as anyone; --jwt-keys demands tokens\n");
}

// A process that dies leaves all its viewers to others.
static void print_limit(const struct settings *set) {
    printf("  Viewers    %lld at most in this process; --max-viewers\n", (long long)set->max_viewers);
}

static void print_commands_with_token(const struct system *s) {
    printf("  By hand, with a token of your server or of `chorus token`:\n"
           "  curl -NL -H \"Authorization: Bearer $TOKEN\" '%s/connect?videoid=launch'\n"
           "  curl -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d "
           "'{\"videoid\":\"launch\",\"comment\":\"Hello!\"}' %s/comment\n",
           system_url(s, "reader-1"), system_url(s, "comment"));
}

static void print_commands(const struct system *s) {
    printf(
        "  By hand:\n"
        "  curl -NL '%s/connect?userid=ann&videoid=launch'\n"
        "  curl -H 'Content-Type: application/json' -d '{\"userid\":\"bob\",\"videoid\":\"launch\",\"comment\":\"Hello!\"}' %s/comment\n",
        system_url(s, "reader-1"), system_url(s, "comment"));
}

void start_box_print(const struct system *s, const struct settings *set, bool quiet) {
    size_t count;
    const struct system_part *parts = system_parts(s, &count);
    print_rule();
    printf("  Chorus " CHORUS_VERSION "   ");
    print_engine(set);
    printf("\n\n");
    print_pages(s, set);
    print_users(set);
    print_limit(set);
    printf("\n");
    print_parts(parts, count);
    printf("\n");
    if (set->jwt_keys || set->jwks_url)
        print_commands_with_token(s);
    else
        print_commands(s);
    if (quiet) printf("\n  Ctrl-C ends it. --log-level info shows each comment on its way.\n");
    print_rule();
    fflush(stdout);
}

void start_line_print(const struct system *s, const struct settings *set, enum command command) {
    size_t count;
    const struct system_part *parts = system_parts(s, &count);
    printf("Chorus " CHORUS_VERSION ", ");
    print_engine(set);
    printf("\n");
    print_parts(parts, count);
    print_users(set);
    if (command == COMMAND_READER) print_limit(set);
    fflush(stdout);
}
