#include "reader/reader_front.h"

#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "reader_core.h"
#include "watched.h"

static bool front_may_use(const struct reader *r) {
    return r && !r->stopping;
}

struct reader *reader_front_owner(const struct reader_front *f, const char *video, const char *reader_url) {
    for (size_t i = 0; i < f->count; i++) {
        struct reader *r = f->readers[i];
        if (front_may_use(r) && reader_owns_url(r, watched_find(r, video), reader_url)) return r;
    }
    return NULL;
}

// One that drains only where all do.
static struct reader *front_any(const struct reader_front *f, const char *video, bool drains) {
    size_t usable = 0;
    for (size_t i = 0; i < f->count; i++)
        usable += front_may_use(f->readers[i]) && f->readers[i]->draining == drains;
    if (!usable) return NULL;
    size_t number = (size_t)(hash_bytes(video, strlen(video)) % usable);
    for (size_t i = 0;; i++)
        if (front_may_use(f->readers[i]) && f->readers[i]->draining == drains && !number--)
            return f->readers[i];
}

struct reader *reader_front_any(const struct reader_front *f, const char *video) {
    struct reader *r = front_any(f, video, false);
    return r ? r : front_any(f, video, true);
}
