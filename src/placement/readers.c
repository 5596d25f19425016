#include "placement/readers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/engine.h"

void readers_init(struct readers *r, const char *static_readers) {
    *r = (struct readers){0};
    const char *at = static_readers ? static_readers : "";
    while (*at) {
        at += strspn(at, ", ");
        size_t len = strcspn(at, ", ");
        if (!len) break;
        r->fixed = mem_realloc(r->fixed, (r->fixed_count + 1) * sizeof *r->fixed);
        r->fixed[r->fixed_count++] = mem_strndup(at, len);
        at += len;
    }
    readers_update(r, NULL, 0);
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

static bool has(const struct engine_lease *leases, size_t count, const char *url) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(leases[i].reader_url, url)) return true;
    return false;
}

void readers_update(struct readers *r, const struct engine_lease *leases, size_t count) {
    clear(r);
    r->rows = mem_zalloc((count + r->fixed_count) * sizeof *r->rows);
    r->live = mem_zalloc((count + r->fixed_count) * sizeof *r->live);
    for (size_t i = 0; i < count; i++)
        r->rows[r->count++] =
            (struct reader_row){.reader_url = mem_strdup(leases[i].reader_url),
                                .public_url = leases[i].public_url ? mem_strdup(leases[i].public_url) : NULL,
                                .state = leases[i].live ? READER_LIVE : READER_GONE,
                                .viewers = leases[i].viewers};
    for (size_t i = 0; i < r->fixed_count; i++)
        if (!has(leases, count, r->fixed[i]))
            r->rows[r->count++] =
                (struct reader_row){.reader_url = mem_strdup(r->fixed[i]), .state = READER_LIVE};
    qsort(r->rows, r->count, sizeof *r->rows, by_url);
    for (size_t i = 0; i < r->count; i++)
        if (r->rows[i].state == READER_LIVE)
            r->live[r->live_count++] = (struct policy_candidate){r->rows[i].reader_url, r->rows[i].viewers};
}

const struct reader_row *readers_find(const struct readers *r, const char *reader_url) {
    if (!r->count) return NULL;
    struct reader_row key = {.reader_url = (char *)reader_url};
    return bsearch(&key, r->rows, r->count, sizeof *r->rows, by_url);
}

enum reader_state readers_state(const struct readers *r, const char *reader_url) {
    const struct reader_row *row = readers_find(r, reader_url);
    return row ? row->state : READER_UNKNOWN;
}
