#include "placement/readers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "engine/engine.h"

bool reader_url_is_plain(const char *url) {
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) return false;
    size_t len = strlen(url);
    for (size_t i = 0; i < len; i++)
        if (url[i] <= 0x20 || url[i] == 0x7f || strchr("\"\\<>", url[i])) return false;
    return len <= ENGINE_URL_MAX;
}

// Takes the next URL off a list; NULL behind the last one. A slash at its end is not part of a name.
static char *next_url(const char **list) {
    *list += strspn(*list, ", ");
    size_t len = strcspn(*list, ", ");
    const char *at = *list;
    *list += len;
    while (len && at[len - 1] == '/') len--;
    return *list > at ? mem_strndup(at, len) : NULL;
}

bool readers_list_is_plain(const char *list) {
    size_t plain = 0;
    for (char *url; (url = next_url(&list)); plain++) {
        bool is_plain = reader_url_is_plain(url);
        free(url);
        if (!is_plain) return false;
    }
    return plain > 0;
}

bool reader_url_is_at(const char *url, const char *host) {
    const char *at = strstr(url, "://");
    return at && !strcasecmp(at + 3, host);
}

void readers_init(struct readers *r, const char *static_readers) {
    *r = (struct readers){0};
    const char *list = static_readers ? static_readers : "";
    for (char *url; (url = next_url(&list));) {
        if (!reader_url_is_plain(url)) {
            free(url);
            continue;
        }
        r->fixed = mem_realloc(r->fixed, (r->fixed_count + 1) * sizeof *r->fixed);
        r->fixed[r->fixed_count++] = url;
    }
    readers_update(r, NULL, 0, 0);
}

static void clear(struct readers *r) {
    for (size_t i = 0; i < r->count; i++) {
        free(r->rows[i].reader_url);
        free(r->rows[i].public_url);
    }
    free(r->rows);
    free(r->live);
    r->rows = NULL;
    r->live = NULL;
    r->count = r->live_count = 0;
}

void readers_release(struct readers *r) {
    clear(r);
    for (size_t i = 0; i < r->fixed_count; i++) free(r->fixed[i]);
    free(r->fixed);
    *r = (struct readers){0};
}

static int by_url(const void *a, const void *b) {
    return strcmp(((const struct reader_row *)a)->reader_url, ((const struct reader_row *)b)->reader_url);
}

static bool has(const struct readers *r, const char *url) {
    for (size_t i = 0; i < r->count; i++)
        if (!strcmp(r->rows[i].reader_url, url)) return true;
    return false;
}

static void add(struct readers *r, const struct reader_row *row) {
    struct reader_row *added = &r->rows[r->count++];
    *added = *row;
    added->reader_url = mem_strdup(row->reader_url);
    added->public_url = row->public_url ? mem_strdup(row->public_url) : NULL;
}

static void add_lease(struct readers *r, const struct engine_lease *l) {
    if (!reader_url_is_plain(l->reader_url)) return;
    bool has_public = l->public_url && reader_url_is_plain(l->public_url);
    add(r, &(struct reader_row){.reader_url = (char *)l->reader_url,
                                .public_url = has_public ? (char *)l->public_url : NULL,
                                .state = l->live ? READER_LIVE : READER_GONE,
                                .viewers = l->viewers,
                                .leased = true});
}

static void add_vanished(struct readers *r, const struct reader_row *before, int64_t now_ms) {
    if (!before->leased || before->state != READER_LIVE || has(r, before->reader_url)) return;
    struct reader_row row = *before;
    if (!row.vanished_ms) row.vanished_ms = now_ms;
    if (now_ms - row.vanished_ms < READERS_VANISHED_MS) add(r, &row);
}

static bool is_live(const struct readers *r, const char *url) {
    const struct reader_row *row = readers_find(r, url);
    return row && row->state == READER_LIVE;
}

static void tell_changes(const struct readers *now, const struct readers *before) {
    if (!now->on_change) return;
    for (size_t i = 0; i < now->count; i++) {
        bool live = now->rows[i].state == READER_LIVE;
        if (live != is_live(before, now->rows[i].reader_url)) now->on_change(now->rows[i].reader_url, live);
    }
    for (size_t i = 0; i < before->count; i++) {
        const struct reader_row *row = &before->rows[i];
        if (row->state == READER_LIVE && !readers_find(now, row->reader_url))
            now->on_change(row->reader_url, false);
    }
}

void readers_update(struct readers *r, const struct engine_lease *leases, size_t count, int64_t now_ms) {
    struct readers before = *r;
    size_t room = count + before.count + r->fixed_count;
    r->rows = mem_zalloc(room * sizeof *r->rows);
    r->live = mem_zalloc(room * sizeof *r->live);
    r->count = r->live_count = 0;
    for (size_t i = 0; i < count; i++) add_lease(r, &leases[i]);
    for (size_t i = 0; i < before.count; i++) add_vanished(r, &before.rows[i], now_ms);
    for (size_t i = 0; i < r->fixed_count; i++)
        if (!has(r, r->fixed[i]))
            add(r, &(struct reader_row){.reader_url = r->fixed[i], .state = READER_LIVE});
    qsort(r->rows, r->count, sizeof *r->rows, by_url);
    tell_changes(r, &before);
    clear(&before);
    for (size_t i = 0; i < r->count; i++)
        if (r->rows[i].state == READER_LIVE)
            r->live[r->live_count++] = policy_candidate(r->rows[i].reader_url, r->rows[i].viewers);
}

const struct reader_row *readers_find(const struct readers *r, const char *reader_url) {
    if (!r->count) return NULL;
    struct reader_row key = {.reader_url = (char *)reader_url};
    return bsearch(&key, r->rows, r->count, sizeof *r->rows, by_url);
}

enum reader_state readers_state(const struct readers *r, const char *reader_url) {
    const struct reader_row *row = readers_find(r, reader_url);
    if (row) return row->state;
    return reader_url_is_plain(reader_url) ? READER_UNKNOWN : READER_GONE; // what is no URL is no reader
}
