// The readers placement may choose from: leases as last listed, and the static list. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "placement/policy.h"

struct engine_lease;

// Whether it is an http(s) URL of printable characters without quotes: what may stand in JSON and in a header
// as it is. Any thread.
bool reader_url_is_plain(const char *url);

// Whether a comma-separated list holds nothing but such URLs, and at least one. Any thread.
bool readers_list_is_plain(const char *list);

// Whether `host` (a Host header) names just this URL: one with a path may share its host with other readers.
bool reader_url_is_at(const char *url, const char *host);

enum reader_state {
    READER_UNKNOWN, // never had a lease, not on the list
    READER_LIVE,
    READER_GONE // its lease has expired
};

struct reader_row {
    char *reader_url;
    char *public_url; // NULL: none
    enum reader_state state;
    uint64_t viewers;
    bool leased;         // has or had a lease
    int64_t vanished_ms; // since when its lease, last seen live, is not listed any more; 0: it is
};

enum { READERS_VANISHED_MS = 3000 }; // for so long it counts as live

struct readers {
    struct reader_row *rows; // leases and static ones, by URL
    size_t count;
    struct policy_candidate *live;
    size_t live_count;
    char **fixed; // the static list
    size_t fixed_count;
    void (*on_change)(const char *reader_url, bool live); // somebody came or went; NULL: nobody wants to know
};

void readers_init(struct readers *, const char *static_readers);
void readers_release(struct readers *);

// Takes over a new listing. A lease that ends stays listed for long; one that was live and is not there at
// all was not given up, the store has been emptied: its reader has a moment to write it again.
void readers_update(struct readers *, const struct engine_lease *, size_t count, int64_t now_ms);

const struct reader_row *readers_find(const struct readers *, const char *reader_url); // or NULL
enum reader_state readers_state(const struct readers *, const char *reader_url);
