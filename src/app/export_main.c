// A page is asked for after the last line of the one before, so it can be asked for again when it was cut. In
// the end the log is read on from where it was at the start: what has been deleted meanwhile may have been
// written before.
#include "app/export_main.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "ask.h"
#include "base/buf.h"
#include "export_line.h"

enum {
    PAGE = 200,              // lines, beside gaps
    PAGE_BYTES = PAGE << 15, // a text of 2,000 bytes may be six times as long in JSON
    TIMEOUT_MS = 60000,      // of a page
    ATTEMPTS = 5,            // to get the next page,
    PAUSE_MS = 1000,         // and between them
    TAG_SIZE = 128
};

enum export_state {
    EXPORT_RUNS,
    EXPORT_DONE,
    EXPORT_CUT,      // which has been said, but for where
    EXPORT_UNWRITTEN // as errno says
};

struct export {
    struct ask ask;
    const struct export_settings *set;
    const char *video, *address;
    enum export_state state;
    bool checks;                  // has written all, and looks at what has come meanwhile
    struct position first, after; // lines that were read; not set: none
    struct position last;         // line that was written
    unsigned lines, failures;     // of the page; in a row
    char tag[TAG_SIZE];           // of the first page: `head-rest"`
    struct position head;
    uint64_t missed;
    bool has_gaps, is_outdated;
};

// Lines

static bool export_has_written(const struct export *x, const struct export_line *deletes) {
    return !position_is_set(deletes->target) || (position_compare(deletes->target, x->first) >= 0 &&
                                                 position_compare(deletes->target, x->last) <= 0);
}

static void export_take_line(struct export *x, const struct export_line *line) {
    if (x->checks && line->kind == EXPORT_DELETES) x->is_outdated |= export_has_written(x, line);
    if (!x->checks && line->kind == EXPORT_GAP) {
        x->has_gaps = true;
        if (line->missed > 0) x->missed += (uint64_t)line->missed;
    }
    if (line->kind == EXPORT_GAP) return;
    if (!position_is_set(x->first)) x->first = line->at;
    x->after = line->at;
    x->lines++;
}

// Returns false if that is no replay.
static bool export_take_page(struct export *x, const char *body, size_t len) {
    struct buf out = {0};
    bool ok = true;
    x->lines = 0;
    for (const char *at = body, *end = body + len, *line_end; ok && at < end; at = line_end + 1) {
        struct export_line line;
        line_end = memchr(at, '\n', (size_t)(end - at));
        ok = line_end &&
             export_line_read(&line, at, (size_t)(line_end - at), (enum export_format)x->set->format, &out);
        if (!ok) break;
        export_take_line(x, &line);
    }
    if (ok && !x->checks && out.len && fwrite(out.data, out.len, 1, stdout) < 1) x->state = EXPORT_UNWRITTEN;
    buf_release(&out);
    return ok;
}

// A tag has the newest position, and what else a replay depends on: when the video was started, and whether
// an archive has deleted something that is in no log.
static void export_take_tag(struct export *x, const char *etag) {
    const char *id = strncmp(etag, "W/\"", 3) ? "" : etag + 3;
    size_t epoch = strcspn(id, "-"), len = id[epoch] ? epoch + 1 + strspn(id + epoch + 1, "0123456789") : 0;
    if (!x->checks && !x->tag[0] && position_parse(id, len, &x->head))
        snprintf(x->tag, sizeof x->tag, "%s", id + len);
    else if (x->checks)
        x->is_outdated |= strcmp(x->tag, id + len) != 0;
}

// Pages

// What a service that restarts, or is busy, answers once it is there again.
static bool export_may_repeat(const struct export *x, const struct http_client_response *answer) {
    return position_is_set(x->after) && x->failures < ATTEMPTS && (answer->error || answer->status == 503);
}

static void on_export_page(void *arg, const struct http_client_response *answer) {
    struct export *x = arg;
    if (!answer->error && answer->status == 200) {
        x->failures = 0;
        export_take_tag(x, answer->etag);
        if (!export_take_page(x, answer->body, answer->body_len)) {
            fprintf(stderr, "chorus export: %s answers, but not with a replay: is it Chorus?\n", x->address);
            x->state = EXPORT_CUT;
        } else if (x->lines < PAGE && x->state == EXPORT_RUNS) {
            x->state = EXPORT_DONE;
        }
    } else if (export_may_repeat(x, answer)) {
        x->failures++;
    } else {
        ask_say_failed(&x->ask, x->address, answer);
        x->state = EXPORT_CUT;
    }
}

static void export_add_window(const struct export *x, char *url) {
    size_t len = strlen(url);
    if (x->set->from_ms >= 0)
        len += (size_t)snprintf(url + len, ASK_URL_SIZE - len, "&from_ms=%" PRId64, x->set->from_ms);
    if (x->set->to_ms >= 0) snprintf(url + len, ASK_URL_SIZE - len, "&to_ms=%" PRId64, x->set->to_ms);
}

static void export_read(struct export *x) {
    char url[ASK_URL_SIZE], after[POSITION_TEXT_SIZE];
    for (x->state = EXPORT_RUNS; x->state == EXPORT_RUNS;) {
        position_format(x->after, after);
        ask_url(url, x->address, "/videos/%s/replay?limit=%d%s%s", x->video, PAGE,
                position_is_set(x->after) ? "&after=" : "", position_is_set(x->after) ? after : "");
        if (!x->checks) export_add_window(x, url);
        if (x->failures) ask_pause(&x->ask, PAUSE_MS);
        ask_request(&x->ask,
                    &(struct http_client_request){
                        .method = "GET", .url = url, .timeout_ms = TIMEOUT_MS, .response_max = PAGE_BYTES},
                    on_export_page, x);
    }
}

// The end

static int export_say_cut(const struct export *x) {
    char after[POSITION_TEXT_SIZE];
    position_format(x->last, after);
    if (x->checks)
        fputs("chorus export: So it is not known whether something was deleted meanwhile: export it again.\n",
              stderr);
    else if (position_is_set(x->last))
        fprintf(stderr, "chorus export: Cut short. To go on: --after %s\n", after);
    return 1;
}

static int export_end(const struct export *x) {
    if (x->state == EXPORT_CUT) return export_say_cut(x);
    if (x->state == EXPORT_UNWRITTEN || fflush(stdout)) {
        fprintf(stderr, "chorus export: The output cannot be written: %s.\n", strerror(errno));
        return 1;
    }
    if (x->is_outdated) {
        fputs("chorus export: Something that is in it may have been deleted meanwhile: export it again.\n",
              stderr);
        return 1;
    }
    if (!x->has_gaps) return 0;
    fprintf(stderr,
            "chorus export: %" PRIu64
            " entries are missing, and more where a gap says null: %s does not have them.\n",
            x->missed, x->address);
    return 3;
}

static int run_export(const struct settings *set, const char *video) {
    const char *address = set->archive_url ? set->archive_url : set->comment_url;
    struct export x = {.set = &set->export, .video = video, .address = address};
    if (set->export.after) position_parse(set->export.after, strlen(set->export.after), &x.after);
    if (!ask_begin(&x.ask, COMMAND_EXPORT, set->bearer)) return 1;
    signal(SIGPIPE, SIG_IGN); // writing fails instead
    signal(SIGXFSZ, SIG_IGN);
    if (set->export.format == EXPORT_CSV && !set->export.after) fputs(export_csv_head, stdout);
    export_read(&x);
    x.last = x.after;
    if (x.state == EXPORT_DONE && position_is_set(x.head)) {
        x.checks = true;
        x.after = x.head;
        export_read(&x);
    }
    ask_end(&x.ask);
    return export_end(&x);
}

int export_main(int argc, char **argv) {
    return ask_main(COMMAND_EXPORT, "a video", argc, argv, run_export);
}
