// Callbacks may subscribe, unsubscribe, and free the hub. So whoever calls several of them in a row has a
// `walk` that the hub knows, and a subscription that goes is taken out of all walks. New ones go to the end
// of their video's list, behind where a walk stops.
#include "engine/hub.h"

#include <assert.h>
#include <stdlib.h>

#include "base/container_of.h"
#include "base/uthash.h"
#include "base/name_table.h"

struct engine_subscription {
    struct name_entry entry; // in the table if it is its video's first
    const struct engine_subscriber *who;
    void *arg;
    struct engine_subscription *next; // of the same video, in the order of subscribing
    struct notice *notice;            // hub_tell_now() is to say on_subscribed(); NULL: no need
};

struct notice {
    struct engine_subscription *subscription; // NULL: it has been told, or has ended
    struct notice *next;
};

// Somebody on the way along a video's subscriptions, innermost first.
struct walk {
    struct engine_subscription *next, *last;
    struct walk *outer;
};

struct hub {
    struct name_table videos;
    struct notice *notices, **notices_end;
    struct walk *walks;
    bool freed; // from inside a walk, whose end it outlives
};

static struct engine_subscription *of(struct name_entry *e) {
    return e ? container_of(e, struct engine_subscription, entry) : NULL;
}

static struct engine_subscription *first_of(const struct hub *h, const char *video) {
    return of(name_table_find(&h->videos, video));
}

struct hub *hub_new(void) {
    struct hub *h = mem_zalloc(sizeof *h);
    h->notices_end = &h->notices;
    return h;
}

struct engine_subscription *hub_subscribe(struct hub *h, const char *video,
                                          const struct engine_subscriber *who, void *arg) {
    struct engine_subscription *s = mem_zalloc(sizeof *s), *first = first_of(h, video);
    s->entry.name = video;
    s->who = who;
    s->arg = arg;
    if (first)
        LL_APPEND(first, s);
    else
        name_table_add(&h->videos, &s->entry);
    return s;
}

static void drop_notice(struct engine_subscription *s) {
    if (s->notice) s->notice->subscription = NULL;
    s->notice = NULL;
}

// `before`: the one before it in its video's list, NULL if it is the first.
static void leave_walks(const struct hub *h, const struct engine_subscription *s,
                        struct engine_subscription *before) {
    for (struct walk *w = h->walks; w; w = w->outer) {
        if (w->next == s)
            w->next = s == w->last ? NULL : s->next;
        else if (w->last == s)
            w->last = before;
    }
}

bool hub_unsubscribe(struct hub *h, struct engine_subscription *s) {
    struct engine_subscription *first = first_of(h, s->entry.name), *before = NULL;
    if (s != first)
        for (before = first; before->next != s;) before = before->next;
    leave_walks(h, s, before);
    drop_notice(s);
    if (before) {
        before->next = s->next;
    } else {
        name_table_remove(&h->videos, &s->entry);
        if (s->next) name_table_add(&h->videos, &s->next->entry);
    }
    bool last = !before && !s->next;
    free(s);
    return last;
}

static void free_all(struct hub *h) {
    for (struct name_entry *e = name_table_next(&h->videos, NULL), *after; e; e = after) {
        struct engine_subscription *s, *later;
        after = name_table_next(&h->videos, e);
        for (s = of(e); s; s = later) {
            later = s->next;
            drop_notice(s);
            free(s);
        }
    }
    name_table_release(&h->videos);
}

void hub_free(struct hub *h) {
    if (!h) return;
    for (struct walk *w = h->walks; w; w = w->outer) w->next = NULL;
    free_all(h);
    struct notice *n, *next;
    LL_FOREACH_SAFE(h->notices, n, next) free(n);
    h->freed = true;
    if (!h->walks) free(h);
}

const char *hub_video_of(const struct engine_subscription *s) {
    return s->entry.name;
}

// Calls every subscription of the list that was there at the beginning and has not ended meanwhile.
static size_t walk(struct hub *h, struct engine_subscription *first,
                   void (*visit)(struct engine_subscription *, const void *), const void *what) {
    size_t visited = 0;
    struct walk w = {.next = first, .last = first, .outer = h->walks};
    while (w.last && w.last->next) w.last = w.last->next;
    h->walks = &w;
    while (w.next) {
        struct engine_subscription *s = w.next;
        w.next = s == w.last ? NULL : s->next;
        visit(s, what);
        visited++;
    }
    h->walks = w.outer;
    if (h->freed && !h->walks) free(h);
    return visited;
}

static void give(struct engine_subscription *s, const void *entry) {
    s->who->on_entry(s->arg, entry);
}

size_t hub_publish(struct hub *h, const char *video, const struct engine_entry *entry) {
    return walk(h, first_of(h, video), give, entry);
}

struct position hub_position(const struct hub *h, const char *video) {
    struct position highest = {0};
    for (const struct engine_subscription *s = first_of(h, video); s; s = s->next) {
        struct position p = s->who->position ? s->who->position(s->arg) : (struct position){0};
        if (position_compare(p, highest) > 0) highest = p;
    }
    return highest;
}

bool hub_is_shared(const struct hub *h, const char *video) {
    const struct engine_subscription *s = first_of(h, video);
    return s && s->next;
}

static void say(struct engine_subscription *s, const void *unused) {
    (void)unused;
    drop_notice(s);
    if (s->who->on_subscribed) s->who->on_subscribed(s->arg);
}

void hub_say_subscribed(struct hub *h, const char *video) {
    walk(h, first_of(h, video), say, NULL);
}

void hub_tell_later(struct hub *h, struct engine_subscription *s) {
    assert(!s->notice);
    struct notice *n = mem_zalloc(sizeof *n);
    n->subscription = s;
    s->notice = n;
    *h->notices_end = n;
    h->notices_end = &n->next;
}

// What comes meanwhile waits for the next time: whoever subscribes anew in each on_subscribed() ends too.
void hub_tell_now(struct hub *h) {
    struct notice *n = h->notices, *next;
    h->notices = NULL;
    h->notices_end = &h->notices;
    for (; n; n = next) {
        if (n->subscription) say(n->subscription, NULL);
        next = n->next;
        free(n);
    }
}

void hub_each_video(struct hub *h, void (*visit)(void *arg, const char *video), void *arg) {
    for (struct name_entry *e = name_table_next(&h->videos, NULL); e; e = name_table_next(&h->videos, e))
        visit(arg, e->name);
}
