#include "engine/hub.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

// Callbacks may subscribe, unsubscribe, and free the hub. So while any of them runs (`depth` counts how many
// deep), nothing is freed and no list loses a member: an ended subscription is only marked, and reaped when
// the outermost call comes back. New members go to a list's end, behind where a walk stops.

struct engine_subscription {
    struct engine_subscriber who;
    struct topic *topic;
    bool ended;
    bool told;                               // on_subscribed() was said
    uint64_t round;                          // of hub_say_subscribed_new(), in which it came
    struct engine_subscription *prev, *next; // among the topic's, in the order of subscribing
    struct engine_subscription *prev_new, *next_new;
};

struct topic {
    struct hub *hub;
    struct engine_subscription *subscriptions; // with ended ones, until they are reaped
    size_t live;
    bool to_reap;
    struct topic *next_to_reap;
    UT_hash_handle hh;
    char video[];
};

struct hub {
    struct topic *topics;
    struct topic *to_reap;
    struct engine_subscription *untold; // oldest first
    uint64_t round;
    unsigned depth;
    bool freed; // hub_free() was called from inside a callback
};

struct hub *hub_new(void) {
    return mem_zalloc(sizeof(struct hub));
}

static struct topic *find_topic(struct hub *h, const char *video) {
    struct topic *t;
    HASH_FIND_STR(h->topics, video, t);
    return t;
}

static struct topic *add_topic(struct hub *h, const char *video) {
    size_t len = strlen(video);
    struct topic *t = mem_zalloc(sizeof *t + len + 1);
    memcpy(t->video, video, len + 1);
    t->hub = h;
    HASH_ADD_KEYPTR(hh, h->topics, t->video, len, t);
    return t;
}

static void mark_to_reap(struct hub *h, struct topic *t) {
    if (t->to_reap) return;
    t->to_reap = true;
    t->next_to_reap = h->to_reap;
    h->to_reap = t;
}

static void reap_topic(struct hub *h, struct topic *t) {
    struct engine_subscription *s, *next;
    DL_FOREACH_SAFE(t->subscriptions, s, next) {
        if (!s->ended) continue;
        DL_DELETE(t->subscriptions, s);
        free(s);
    }
    if (t->subscriptions) return;
    assert(h->topics); // this one at least
    HASH_DEL(h->topics, t);
    free(t);
}

static void reap(struct hub *h) {
    while (h->to_reap) {
        struct topic *t = h->to_reap;
        h->to_reap = t->next_to_reap;
        t->to_reap = false;
        reap_topic(h, t);
    }
}

static void enter(struct hub *h) {
    h->depth++;
}

static void leave(struct hub *h) {
    assert(h->depth);
    if (--h->depth) return;
    if (h->freed)
        hub_free(h);
    else
        reap(h);
}

static void end(struct engine_subscription *s) {
    struct hub *h = s->topic->hub;
    assert(!s->ended);
    s->ended = true;
    if (!s->told) DL_DELETE2(h->untold, s, prev_new, next_new);
    s->topic->live--;
    mark_to_reap(h, s->topic);
}

static void end_all(struct hub *h) {
    struct topic *t, *next;
    HASH_ITER(hh, h->topics, t, next) {
        struct engine_subscription *s;
        DL_FOREACH(t->subscriptions, s) {
            if (!s->ended) end(s);
        }
    }
}

void hub_free(struct hub *h) {
    if (!h) return;
    end_all(h);
    h->freed = true;
    if (h->depth) return; // leave() comes here again
    reap(h);
    free(h);
}

struct engine_subscription *hub_subscribe(struct hub *h, const char *video,
                                          const struct engine_subscriber *who, bool *first) {
    struct topic *t = find_topic(h, video);
    if (!t) t = add_topic(h, video);
    struct engine_subscription *s = mem_zalloc(sizeof *s);
    s->who = *who;
    s->topic = t;
    s->round = h->round;
    DL_APPEND(t->subscriptions, s);
    DL_APPEND2(h->untold, s, prev_new, next_new);
    if (first) *first = t->live == 0;
    t->live++;
    return s;
}

bool hub_unsubscribe(struct hub *h, struct engine_subscription *s) {
    end(s);
    bool last = s->topic->live == 0;
    if (!h->depth) reap(h);
    return last;
}

const char *hub_video_of(const struct engine_subscription *s) {
    return s->topic->video;
}

// Calls every subscription that was there at the beginning and has not ended meanwhile. Inside enter() and
// leave().
static size_t walk(struct topic *t, void (*visit)(struct engine_subscription *, const void *),
                   const void *what) {
    size_t visited = 0;
    struct engine_subscription *last =
        t->subscriptions ? t->subscriptions->prev : NULL; // a head's prev is the tail
    for (struct engine_subscription *s = t->subscriptions; s; s = s == last ? NULL : s->next) {
        if (s->ended) continue;
        visit(s, what);
        visited++;
    }
    return visited;
}

static void give(struct engine_subscription *s, const void *entry) {
    s->who.on_entry(s->who.arg, entry);
}

size_t hub_publish(struct hub *h, const char *video, const struct engine_entry *entry) {
    struct topic *t = find_topic(h, video);
    if (!t) return 0;
    enter(h);
    size_t visited = walk(t, give, entry);
    leave(h);
    return visited;
}

static void say(struct engine_subscription *s, const void *unused) {
    (void)unused;
    if (!s->told) DL_DELETE2(s->topic->hub->untold, s, prev_new, next_new);
    s->told = true;
    if (s->who.on_subscribed) s->who.on_subscribed(s->who.arg);
}

void hub_say_subscribed_all(struct hub *h, const char *video) {
    enter(h);
    if (video) {
        struct topic *t = find_topic(h, video);
        if (t) walk(t, say, NULL);
    } else {
        struct topic *t, *next;
        HASH_ITER(hh, h->topics, t, next) walk(t, say, NULL);
    }
    leave(h);
}

void hub_say_subscribed_new(struct hub *h) {
    enter(h);
    // Those that come meanwhile wait for the next time: whoever subscribes anew in each on_subscribed() ends
    // too.
    uint64_t round = ++h->round;
    while (h->untold && h->untold->round < round) say(h->untold, NULL);
    leave(h);
}

void hub_each_video(struct hub *h, void (*visit)(void *arg, const char *video), void *arg) {
    enter(h);
    struct topic *t, *next;
    HASH_ITER(hh, h->topics, t, next) {
        if (t->live) visit(arg, t->video);
    }
    leave(h);
}
