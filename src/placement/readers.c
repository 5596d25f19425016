#include "placement/readers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "engine/engine.h"

bool placement_url_is_plain(const char *url) {
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) return false;
    size_t len = strlen(url);
    for (size_t i = 0; i < len; i++)
        if (url[i] <= 0x20 || url[i] == 0x7f || strchr("\"\\<>", url[i])) return false;
    return len <= ENGINE_URL_MAX;
}

// Takes the next URL off a list; NULL after the last one. A trailing slash is not part of a name.
static char *next_url(const char **list) {
    *list += strspn(*list, ", ");
    size_t len = strcspn(*list, ", ");
    const char *at = *list;
    *list += len;
    while (len && at[len - 1] == '/') len--;
    return *list > at ? mem_strndup(at, len) : NULL;
}

bool placement_urls_are_plain(const char *list) {
    size_t plain = 0;
    for (char *url; (url = next_url(&list)); plain++) {
        bool is_plain = placement_url_is_plain(url);
        free(url);
        if (!is_plain) return false;
    }
    return plain > 0;
}

bool placement_url_is_at(const char *url, const char *host) {
    const char *at = strstr(url, "://");
    return at && !strcasecmp(at + 3, host);
}

static int rows_by_url(const void *a, const void *b) {
    return strcmp(((const struct reader_row *)a)->reader_url, ((const struct reader_row *)b)->reader_url);
}

static struct reader_row *readers_find_among(const struct readers *r, size_t count, const char *reader_url) {
    struct reader_row key = {.reader_url = (char *)reader_url};
    return count ? bsearch(&key, r->rows, count, sizeof *r->rows, rows_by_url) : NULL;
}

static struct reader_row *readers_append(struct readers *r, const char *reader_url) {
    if (r->count == r->room) {
        r->room = r->room ? 2 * r->room : 8;
        r->rows = mem_realloc(r->rows, r->room * sizeof *r->rows);
    }
    struct reader_row *row = &r->rows[r->count++];
    *row = (struct reader_row){.reader_url = mem_strdup(reader_url)};
    return row;
}

// Of what it can do, in millionths; its viewers where one of them does not say. Below a percent, how busy a
// reader is says little.
static uint64_t row_load(const struct reader_row *row, bool all_say) {
    enum { MILLION = 1000000, PERCENT = MILLION / 100 };
    if (!all_say) return row->viewers;
    uint64_t sends = row->load.used * MILLION / row->load.cores / PERCENT * PERCENT;
    uint64_t holds = row->load.most ? row->viewers * MILLION / row->load.most : 0;
    return sends > holds ? sends : holds;
}

static bool row_is_full(const struct reader_row *row) {
    return reader_load_is_full(&row->load, row->viewers);
}

// Without those that drain, and those that are full, as long as there are others.
static void readers_list_live(struct readers *r) {
    r->live = mem_realloc(r->live, (r->count + 1) * sizeof *r->live);
    bool has_room = false, stays = false, all_say = true;
    for (size_t i = 0; i < r->count; i++) {
        if (r->rows[i].state != READER_LIVE) continue;
        all_say &= r->rows[i].load.cores > 0;
        if (r->rows[i].load.draining) continue;
        stays = true;
        has_room |= !row_is_full(&r->rows[i]);
    }
    r->live_count = 0;
    r->drains = false;
    for (size_t i = 0; i < r->count; i++) {
        const struct reader_row *row = &r->rows[i];
        if (row->state != READER_LIVE) continue;
        if (stays && row->load.draining)
            r->drains = true;
        else if (!has_room || !row_is_full(row))
            r->live[r->live_count++] = policy_candidate(row->reader_url, row_load(row, all_say));
    }
}

void readers_init(struct readers *r, const char *static_readers, int grace_ms) {
    *r = (struct readers){.grace_ms = grace_ms};
    const char *list = static_readers ? static_readers : "";
    for (char *url; (url = next_url(&list)); free(url)) {
        if (!placement_url_is_plain(url) || readers_find_among(r, r->count, url)) continue;
        struct reader_row *row = readers_append(r, url);
        row->fixed = true;
        row->state = READER_LIVE;
        qsort(r->rows, r->count, sizeof *r->rows, rows_by_url);
    }
    readers_list_live(r);
}

static void row_release(struct reader_row *row) {
    free(row->reader_url);
    free(row->public_url);
    free(row->instance_id);
    free(row->load_text);
    reader_load_release(&row->load);
}

void readers_release(struct readers *r) {
    for (size_t i = 0; i < r->count; i++) row_release(&r->rows[i]);
    free(r->rows);
    free(r->live);
    *r = (struct readers){0};
}

static void row_set_state(const struct readers *r, struct reader_row *row, enum reader_state state) {
    bool changes = (row->state == READER_LIVE) != (state == READER_LIVE);
    row->state = state;
    if (changes && r->on_change) r->on_change(row->reader_url, state == READER_LIVE);
}

static int64_t clamp_ms(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

// The times that a listing is judged by.
struct judging {
    int64_t now_ms;
    int64_t step_ms; // since the last listing, while the store answered
    int64_t away_ms; // and while it did not
    bool follows;    // the last listing is recent: a lease that it did not have was written since
};

// A new lease was written just now. At the first listing, and after the store was away, only its clock can
// tell: if a lease ends later than a lease lasts, it was written before that clock was set back.
static void row_judge_new(const struct readers *r, struct reader_row *row, const struct engine_lease *l,
                          const struct judging *j) {
    bool lasts = j->follows || (l->left_ms > 0 && l->left_ms <= READERS_LEASE_MS);
    bool live = lasts && !l->given_up;
    row->unchanged_ms = j->follows ? 0 : READERS_LEASE_MS - clamp_ms(l->left_ms, 0, READERS_LEASE_MS);
    row->silent_ms = row->unchanged_ms;
    row->may_return_ms = live ? 0 : j->follows ? r->grace_until_ms : j->now_ms + r->grace_ms;
    row_set_state(r, row, live ? READER_LIVE : READER_GONE);
}

static void row_judge_changed(const struct readers *r, struct reader_row *row, const struct engine_lease *l,
                              const struct judging *j) {
    // An older Chorus does not mark a lease that it gives up, but makes it end earlier.
    bool given_up = l->given_up || (l->left_ms <= 0 && l->stamp < row->stamp);
    row->unchanged_ms = clamp_ms(READERS_LEASE_MS - l->left_ms, 0, j->step_ms);
    row->silent_ms = clamp_ms(READERS_LEASE_MS - l->left_ms, 0, j->step_ms + j->away_ms);
    row->refuses = false;
    if (row->generation != l->generation) row->answers = false, row->tries = 0;
    row->may_return_ms = given_up ? r->grace_until_ms : 0;
    row_set_state(r, row, given_up ? READER_GONE : READER_LIVE);
}

static void row_judge_unchanged(const struct readers *r, struct reader_row *row, const struct judging *j) {
    if (row->state != READER_LIVE) return;
    row->unchanged_ms += j->step_ms;
    row->silent_ms += j->step_ms + j->away_ms;
    bool ended = row->unchanged_ms >= READERS_LEASE_MS && j->now_ms >= r->recovered_ms;
    bool dead = row->silent_ms >= READERS_LEASE_MS && row->refuses &&
                j->now_ms - r->answering_ms >= READERS_RENEWED_MS;
    if (ended || dead) row_set_state(r, row, READER_GONE);
}

static void row_set_public_url(struct reader_row *row, const char *url) {
    if (url && !placement_url_is_plain(url)) url = NULL;
    if (url && row->public_url && !strcmp(url, row->public_url)) return;
    free(row->public_url);
    row->public_url = url ? mem_strdup(url) : NULL;
}

static void row_set_instance_id(struct reader_row *row, const char *id) {
    if (!id || (row->instance_id && !strcmp(id, row->instance_id))) return;
    free(row->instance_id);
    row->instance_id = mem_strdup(id);
}

// Few change between two listings.
static void row_set_load(struct reader_row *row, const char *text) {
    if (text && row->load_text && !strcmp(text, row->load_text)) return;
    free(row->load_text);
    row->load_text = text ? mem_strdup(text) : NULL;
    reader_load_release(&row->load);
    reader_load_read(&row->load, text);
}

static void readers_take_lease(struct readers *r, size_t known, const struct engine_lease *l,
                               const struct judging *j) {
    if (!placement_url_is_plain(l->reader_url)) return;
    struct reader_row *row = readers_find_among(r, known, l->reader_url);
    if (!row) row = readers_append(r, l->reader_url);
    if (!row->leased)
        row_judge_new(r, row, l, j);
    else if (row->stamp != l->stamp || row->generation != l->generation)
        row_judge_changed(r, row, l, j);
    else
        row_judge_unchanged(r, row, j);
    row_set_public_url(row, l->public_url);
    row_set_instance_id(row, l->instance_id);
    row_set_load(row, l->load);
    row->given_up = l->given_up;
    row->viewers = l->viewers;
    row->stamp = l->stamp;
    row->generation = l->generation;
    row->leased = row->listed = true;
    row->vanished_ms = 0;
}

// Returns whether the row stays. One whose lease the store has lost stays for as long as mappings do: without
// it, a mapping to a reader that has died meanwhile would count as one to a reader that never had a lease.
static bool row_keep_unlisted(const struct readers *r, struct reader_row *row, int64_t now_ms) {
    if (!row->leased || row->listed) return true;
    if (!row->vanished_ms) row->vanished_ms = now_ms;
    int64_t since_ms = now_ms - row->vanished_ms;
    if (row->state == READER_LIVE && since_ms < READERS_VANISHED_MS) return true;
    row_set_state(r, row, row->fixed ? READER_LIVE : READER_GONE);
    row->leased = !row->fixed;
    row->viewers = 0;
    row_set_load(row, NULL);
    row_set_public_url(row, NULL);
    return row->fixed || since_ms < READERS_FORGOTTEN_MS;
}

static void readers_drop_unlisted(struct readers *r, int64_t now_ms) {
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (row_keep_unlisted(r, &r->rows[i], now_ms))
            r->rows[kept++] = r->rows[i];
        else
            row_release(&r->rows[i]);
    }
    r->count = kept;
}

void readers_update(struct readers *r, const struct engine_lease *leases, size_t count, int64_t now_ms,
                    int64_t away_ms) {
    int64_t since_ms = now_ms - r->listed_ms;
    bool usual = r->listed_ms && !away_ms;
    struct judging j = {.now_ms = now_ms,
                        .away_ms = r->listed_ms && !usual ? clamp_ms(since_ms, 0, INT64_MAX) : 0,
                        .step_ms = usual ? clamp_ms(since_ms, 0, READERS_OUTAGE_MS) : 0,
                        .follows = usual && since_ms < READERS_LEASE_MS};
    if (r->listed_ms && away_ms >= READERS_OUTAGE_MS) r->recovered_ms = now_ms + READERS_RECOVERY_MS;
    if (!usual) r->answering_ms = now_ms;
    if (!r->listed_ms) r->grace_until_ms = now_ms + r->grace_ms;
    r->listed_ms = now_ms;
    size_t known = r->count;
    for (size_t i = 0; i < known; i++) r->rows[i].listed = false;
    for (size_t i = 0; i < count; i++) readers_take_lease(r, known, &leases[i], &j);
    readers_drop_unlisted(r, now_ms);
    if (r->count) qsort(r->rows, r->count, sizeof *r->rows, rows_by_url);
    readers_list_live(r);
}

void readers_note_presence(struct readers *r, const struct engine_lease *asked,
                           enum reader_presence presence) {
    struct reader_row *row = readers_find_among(r, r->count, asked->reader_url);
    if (!row) return;
    row->asked = false;
    if (row->generation != asked->generation) return;
    row->refuses = presence == PRESENCE_REFUSES && row->answers && row->stamp == asked->stamp;
    row->answers |= presence == PRESENCE_ANSWERS;
}

const struct reader_row *readers_find(const struct readers *r, const char *reader_url) {
    return readers_find_among(r, r->count, reader_url);
}

bool readers_is_full(const struct readers *r, const char *reader_url) {
    const struct reader_row *row = readers_find(r, reader_url);
    return row && row_is_full(row);
}

bool readers_is_draining(const struct readers *r, const char *reader_url) {
    const struct reader_row *row = r->drains ? readers_find(r, reader_url) : NULL;
    return row && row->state == READER_LIVE && row->load.draining;
}

bool readers_has_gone(const struct readers *r, const char *reader_url, int64_t now_ms) {
    if (readers_is_draining(r, reader_url)) return true;
    if (readers_state(r, reader_url) != READER_GONE) return false;
    const struct reader_row *row = readers_find(r, reader_url);
    return !row || now_ms >= row->may_return_ms;
}

enum reader_state readers_state(const struct readers *r, const char *reader_url) {
    const struct reader_row *row = readers_find(r, reader_url);
    if (row) return row->state;
    return placement_url_is_plain(reader_url) ? READER_UNKNOWN : READER_GONE; // not a URL, so not a reader
}
