// Callbacks may subscribe, unsubscribe, and free the hub. So the hub keeps a `walk` for each loop over a
// video's subscriptions, and a subscription that ends is taken out of all of them. New ones are added to the
// end of their video's list, behind the point where a walk stops.
#include "engine/hub.h"

#include <assert.h>
#include <stdlib.h>

#include "base/container_of.h"
#include "base/uthash.h"
#include "base/name_table.h"

struct engine_subscription {
    struct name_entry entry; // in the table if it is its video's first
    const struct engine_subscriber *subscriber;
    void *arg;
    struct engine_subscription *next; // of the same video, in the order of subscribing
    struct notice *notice;            // on_subscribed() is still to be called; NULL: it is not
};

struct notice {
    struct engine_subscription *subscription; // NULL: it was called, or has ended
    struct notice *next;
};

// A loop over a video's subscriptions, innermost first.
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

static struct engine_subscription *subscription_of(struct name_entry *e) {
    return e ? container_of(e, struct engine_subscription, entry) : NULL;
}

static struct engine_subscription *first_of(const struct hub *h, const char *video) {
    return subscription_of(name_table_find(&h->videos, video));
}

struct hub *hub_new(void) {
    struct hub *h = mem_zalloc(sizeof *h);
    h->notices_end = &h->notices;
    return h;
}

struct engine_subscription *hub_subscribe(struct hub *h, const char *video,
                                          const struct engine_subscriber *subscriber, void *arg) {
    struct engine_subscription *s = mem_zalloc(sizeof *s), *first = first_of(h, video);
    s->entry.name = video;
    s->subscriber = subscriber;
    s->arg = arg;
    if (first)
        LL_APPEND(first, s);
    else
        name_table_add(&h->videos, &s->entry);
    return s;
}

static void hub_drop_notice(struct engine_subscription *s) {
    if (s->notice) s->notice->subscription = NULL;
    s->notice = NULL;
}

// `before`: the one before it in its video's list, NULL if it is the first.
static void hub_leave_walks(const struct hub *h, const struct engine_subscription *s,
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
    hub_leave_walks(h, s, before);
    hub_drop_notice(s);
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

static void hub_free_all(struct hub *h) {
    for (struct name_entry *e = name_table_next(&h->videos, NULL), *after; e; e = after) {
        struct engine_subscription *s, *later;
        after = name_table_next(&h->videos, e);
        for (s = subscription_of(e); s; s = later) {
            later = s->next;
            hub_drop_notice(s);
            free(s);
        }
    }
    name_table_release(&h->videos);
}

void hub_free(struct hub *h) {
    if (!h) return;
    for (struct walk *w = h->walks; w; w = w->outer) w->next = NULL;
    hub_free_all(h);
    struct notice *n, *next;
    LL_FOREACH_SAFE(h->notices, n, next) free(n);
    h->freed = true;
    if (!h->walks) free(h);
}

const char *hub_video_of(const struct engine_subscription *s) {
    return s->entry.name;
}

// Visits every subscription that the list had at the beginning and that has not ended meanwhile.
static size_t hub_walk(struct hub *h, struct engine_subscription *first,
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

static void hub_deliver(struct engine_subscription *s, const void *entry) {
    s->subscriber->on_entry(s->arg, entry);
}

size_t hub_publish(struct hub *h, const char *video, const struct engine_entry *entry) {
    return hub_walk(h, first_of(h, video), hub_deliver, entry);
}

struct position hub_position(const struct hub *h, const char *video) {
    struct position highest = {0};
    for (const struct engine_subscription *s = first_of(h, video); s; s = s->next) {
        struct position p = s->subscriber->position ? s->subscriber->position(s->arg) : (struct position){0};
        if (position_compare(p, highest) > 0) highest = p;
    }
    return highest;
}

bool hub_has_video(const struct hub *h, const char *video) {
    return first_of(h, video) != NULL;
}

bool hub_is_shared(const struct hub *h, const char *video) {
    const struct engine_subscription *s = first_of(h, video);
    return s && s->next;
}

static void hub_notify(struct engine_subscription *s, const void *unused) {
    (void)unused;
    hub_drop_notice(s);
    if (s->subscriber->on_subscribed) s->subscriber->on_subscribed(s->arg);
}

void hub_notify_subscribed(struct hub *h, const char *video) {
    hub_walk(h, first_of(h, video), hub_notify, NULL);
}

void hub_defer_notify(struct hub *h, struct engine_subscription *s) {
    assert(!s->notice);
    struct notice *n = mem_zalloc(sizeof *n);
    n->subscription = s;
    s->notice = n;
    *h->notices_end = n;
    h->notices_end = &n->next;
}

// What is added meanwhile waits for the next call, so that on_subscribed() may subscribe again without end.
void hub_flush_notifications(struct hub *h) {
    struct notice *n = h->notices, *next;
    h->notices = NULL;
    h->notices_end = &h->notices;
    for (; n; n = next) {
        if (n->subscription) hub_notify(n->subscription, NULL);
        next = n->next;
        free(n);
    }
}

void hub_each_video(struct hub *h, void (*visit)(void *arg, const char *video), void *arg) {
    for (struct name_entry *e = name_table_next(&h->videos, NULL); e; e = name_table_next(&h->videos, e))
        visit(arg, e->name);
}
