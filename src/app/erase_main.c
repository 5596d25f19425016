#include "app/erase_main.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/settings.h"
#include "ask.h"

enum {
    TIMEOUT_MS = 6 * 3600 * 1000, // it reads all that there is
    ANSWER_BYTES = 64 << 20       // a line for each video with comments of the user
};

struct erased {
    struct ask ask;
    const char *part, *address;
    bool done;
};

static long long number_of(const json_t *o, const char *name) {
    return (long long)json_integer_value(json_object_get(o, name));
}

// The last line says that it is done, and what that was.
static const char *last_line(const char *body, size_t len, size_t *line_len) {
    while (len && body[len - 1] == '\n') len--;
    const char *before = len ? memrchr(body, '\n', len) : NULL, *line = before ? before + 1 : body;
    *line_len = len - (size_t)(line - body);
    return line;
}

static void on_erased(void *arg, const struct http_client_response *answer) {
    struct erased *e = arg;
    size_t len;
    if (answer->error || answer->status != 200) {
        ask_say_failed(&e->ask, e->address, answer);
        return;
    }
    const char *line = last_line(answer->body, answer->body_len, &len);
    json_t *last = json_loadb(line, len, 0, NULL);
    e->done = json_is_true(json_object_get(last, "done"));
    if (!e->done)
        fprintf(stderr, "chorus erase: %s answers, but not that it is done: is it Chorus?\n", e->address);
    else if (json_object_get(last, "comments"))
        printf("%s %s: erased. Comments: %lld, held ones: %lld, videos: %lld.\n", e->part, e->address,
               number_of(last, "comments"), number_of(last, "held"), number_of(last, "videos"));
    else
        printf("%s %s: erased.\n", e->part, e->address);
    fflush(stdout);
    json_decref(last);
}

static bool erase_at(const struct settings *set, const char *part, const char *address, const char *user) {
    struct erased e = {.part = part, .address = address};
    char url[ASK_URL_SIZE];
    if (!ask_begin(&e.ask, COMMAND_ERASE, set->bearer)) return false;
    ask_url(url, address, "/users/%s/comments", user);
    ask_request(&e.ask,
                &(struct http_client_request){
                    .method = "DELETE", .url = url, .timeout_ms = TIMEOUT_MS, .response_max = ANSWER_BYTES},
                on_erased, &e);
    ask_end(&e.ask);
    return e.done;
}

// Where there is nobody to ask, --yes has to be given.
static bool erase_is_meant(const struct settings *set, const char *user) {
    char answer[8];
    if (set->erase.yes) return true;
    if (!isatty(STDIN_FILENO)) {
        fputs("chorus erase: This cannot be undone. Give --yes where no terminal can be asked.\n", stderr);
        return false;
    }
    fprintf(stderr,
            "All comments of %s, of all videos, will be gone. This cannot be undone. Erase them? [y/N] ",
            user);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

// The comment API first: what it appends, the archive takes out as well.
static int run_erase(const struct settings *set, const char *user) {
    if (!erase_is_meant(set, user)) return 2;
    bool done = erase_at(set, "Comment API", set->comment_url, user);
    if (!set->archive_url)
        puts("Archive: none was named. Where a Redis has one beside it, ask it too (--archive URL).");
    else if (!erase_at(set, "Archive", set->archive_url, user))
        done = false;
    if (!done) fprintf(stderr, "chorus erase: Not all of it is done. What is, stays done: ask again.\n");
    return done ? 0 : 1;
}

int erase_main(int argc, char **argv) {
    return ask_main(COMMAND_ERASE, "a user", argc, argv, run_erase);
}
