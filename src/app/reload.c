#include "reload.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum { SENTENCE_MAX = 1000, SHOWN_MAX = 300 };

static void log_sentences(const struct buf *sentences, enum log_level level, const char *event) {
    for (const char *at = sentences->data, *end = at + sentences->len; at < end;) {
        char sentence[SENTENCE_MAX];
        size_t len = strcspn(at, "\n");
        snprintf(sentence, sizeof sentence, "%.*s", (int)len, at);
        log_line(level, "chorus", event, "why=\"%s\"", sentence);
        at += len + 1;
    }
}

void reload_log_warnings(const struct buf *sentences) {
    log_sentences(sentences, LOG_WARN, "configuration");
}

// Writes a value as it may be shown; nothing for one that is not set.
static const char *shown(const struct options *o, const struct option_row *row, char out[SHOWN_MAX]) {
    const char *text = options_value(o, row->offset)->text;
    struct buf b = {0};
    if (!text && row->type == OPTION_BOOL) text = "false";
    if (text) option_show(row, text, &b);
    snprintf(out, SHOWN_MAX, "%s", buf_string(&b));
    buf_release(&b);
    return out;
}

static void log_difference(const struct reload *r, const struct options *read, const struct option_row *row) {
    char from[SHOWN_MAX], to[SHOWN_MAX];
    bool reloads = row->traits & OPTION_RELOADS;
    log_line(reloads ? LOG_INFO : LOG_WARN, "chorus", reloads ? "option_changed" : "needs_restart",
             "option=%s from=%s to=%s", row->flag, shown(r->options, row, from), shown(read, row, to));
}

static void log_reloaded(unsigned changed, unsigned waiting) {
    log_info("chorus", "reloaded", "changed=%u needs_restart=%u", changed, waiting);
}

// Takes over what can change, and logs what differs.
static void reload_take(const struct reload *r, struct options *read, struct settings *next) {
    const struct option_table *t = &settings_table;
    unsigned changed = 0, waiting = 0;
    for (const struct option_row *row = t->rows; row < t->rows + t->count; row++) {
        if (!(row->commands & r->command) || options_agree(r->options, read, row)) continue;
        log_difference(r, read, row);
        if (row->traits & OPTION_RELOADS) {
            options_exchange(r->options, r->settings, read, next, row);
            changed++;
        } else {
            waiting++;
        }
    }
    // A level that hides it may come with it, or go.
    bool is_shown = log_enabled(LOG_INFO);
    if (is_shown) log_reloaded(changed, waiting);
    if (changed) r->apply(r->arg);
    if (!is_shown) log_reloaded(changed, waiting);
}

bool reload_run(const struct reload *r) {
    struct settings next;
    struct options read;
    bool ok = settings_read(&next, &read, r->command, r->argc, r->argv, r->settings);
    reload_log_warnings(&read.warnings);
    if (ok)
        reload_take(r, &read, &next);
    else
        log_sentences(&read.errors, LOG_ERROR, "reload_failed");
    options_release(&read);
    return ok;
}
