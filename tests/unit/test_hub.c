#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/hub.h"

// A subscriber that records its callbacks, and may act inside them.
struct listener {
    struct hub *hub;
    struct engine_subscription *subscription;
    unsigned entries, notified;
    uint64_t last_seq;
    void (*react)(struct listener *);
    struct listener *other;
};

static void on_entry(void *arg, const struct engine_entry *entry) {
    struct listener *l = arg;
    l->entries++;
    l->last_seq = entry->at.seq;
    if (l->react) l->react(l);
}

static void on_subscribed(void *arg) {
    struct listener *l = arg;
    l->notified++;
    if (l->react) l->react(l);
}

static void listen_to(struct listener *l, struct hub *h, const char *video) {
    static const struct engine_subscriber subscriber = {.on_entry = on_entry, .on_subscribed = on_subscribed};
    l->hub = h;
    l->subscription = hub_subscribe(h, video, &subscriber, l);
}

static void listen_and_notify(struct listener *l, struct hub *h, const char *video) {
    listen_to(l, h, video);
    hub_defer_notify(h, l->subscription);
}

static size_t publish(struct hub *h, const char *video, uint64_t seq) {
    const struct engine_entry entry = {.at = {1, seq}, .kind = ENTRY_COMMENT};
    return hub_publish(h, video, &entry);
}

static int make_hub(void **state) {
    *state = hub_new();
    return 0;
}

static int free_hub(void **state) {
    hub_free(*state);
    return 0;
}

static void hands_entries_to_the_videos_subscribers(void **state) {
    struct hub *h = *state;
    struct listener a = {0}, b = {0}, other = {0};
    listen_to(&a, h, "v");
    listen_to(&b, h, "v");
    listen_to(&other, h, "w");
    assert_int_equal(publish(h, "v", 1), 2);
    assert_int_equal(publish(h, "v", 2), 2);
    assert_int_equal(publish(h, "unused", 1), 0);
    assert_int_equal(a.entries, 2);
    assert_int_equal(a.last_seq, 2);
    assert_int_equal(b.entries, 2);
    assert_int_equal(other.entries, 0);
}

static void unsubscribing_returns_whether_it_was_the_last(void **state) {
    struct hub *h = *state;
    struct listener a = {0}, b = {0}, c = {0};
    listen_to(&a, h, "v");
    listen_to(&b, h, "v");
    listen_to(&c, h, "v");
    assert_false(hub_unsubscribe(h, b.subscription));
    assert_int_equal(publish(h, "v", 1), 2);
    assert_false(hub_unsubscribe(h, a.subscription));
    assert_int_equal(publish(h, "v", 2), 1);
    assert_int_equal(c.last_seq, 2);
    assert_true(hub_unsubscribe(h, c.subscription));
    assert_int_equal(publish(h, "v", 3), 0);
    listen_to(&a, h, "v");
    assert_int_equal(publish(h, "v", 4), 1);
}

// A name is borrowed only until its subscription ends, also when that was the video's first.
static void the_next_one_lends_its_name(void **state) {
    struct hub *h = *state;
    struct listener a = {0}, b = {0};
    char name_of_a[] = "v", name_of_b[] = "v";
    listen_to(&a, h, name_of_a);
    listen_to(&b, h, name_of_b);
    hub_unsubscribe(h, a.subscription);
    name_of_a[0] = 'x';
    assert_int_equal(publish(h, "v", 1), 1);
    assert_int_equal(publish(h, "x", 1), 0);
    assert_string_equal(hub_video_of(b.subscription), "v");
    hub_unsubscribe(h, b.subscription);
}

static void end_oneself(struct listener *l) {
    hub_unsubscribe(l->hub, l->subscription);
}

static void end_the_other(struct listener *l) {
    if (!l->other) return;
    hub_unsubscribe(l->hub, l->other->subscription);
    l->other = NULL;
}

static void add_the_other(struct listener *l) {
    if (!l->other) return;
    listen_to(l->other, l->hub, "v");
    l->other = NULL;
}

static void publish_once_more(struct listener *l) {
    if (l->last_seq == 1) publish(l->hub, "v", 2);
}

static void a_subscriber_may_unsubscribe_in_on_entry(void **state) {
    struct hub *h = *state;
    struct listener a = {.react = end_oneself}, b = {0}, c = {.react = end_oneself};
    listen_to(&a, h, "v");
    listen_to(&b, h, "v");
    listen_to(&c, h, "v");
    assert_int_equal(publish(h, "v", 1), 3);
    assert_int_equal(publish(h, "v", 2), 1);
    assert_int_equal(a.entries, 1);
    assert_int_equal(b.entries, 2);
    assert_int_equal(c.entries, 1);
}

static void an_ended_subscription_gets_no_entries(void **state) {
    struct hub *h = *state;
    struct listener after = {0}, before = {0};
    struct listener a = {.react = end_the_other, .other = &after};
    struct listener b = {.react = end_the_other, .other = &before};
    listen_to(&before, h, "v");
    listen_to(&a, h, "v");
    listen_to(&after, h, "v");
    listen_to(&b, h, "v");
    assert_int_equal(publish(h, "v", 1), 3);
    assert_int_equal(after.entries, 0);
    assert_int_equal(before.entries, 1);
    assert_int_equal(publish(h, "v", 2), 2);
    assert_int_equal(before.entries, 1);
}

static void a_new_subscription_gets_the_next_entry(void **state) {
    struct hub *h = *state;
    struct listener fresh = {0}, a = {.react = add_the_other, .other = &fresh};
    listen_to(&a, h, "v");
    assert_int_equal(publish(h, "v", 1), 1);
    assert_int_equal(fresh.entries, 0);
    assert_int_equal(publish(h, "v", 2), 2);
    assert_int_equal(fresh.last_seq, 2);
}

static void resubscribe(struct listener *l) {
    bool last = hub_unsubscribe(l->hub, l->subscription);
    listen_to(l, l->hub, "v");
    assert_true(last);
}

static void the_last_may_unsubscribe_and_subscribe_in_on_entry(void **state) {
    struct hub *h = *state;
    struct listener a = {.react = resubscribe};
    listen_to(&a, h, "v");
    for (uint64_t seq = 1; seq <= 3; seq++) assert_int_equal(publish(h, "v", seq), 1);
    assert_int_equal(a.entries, 3);
}

static void resubscribe_to_be_told(struct listener *l) {
    resubscribe(l);
    hub_defer_notify(l->hub, l->subscription);
}

static void publishes_while_publishing(void **state) {
    struct hub *h = *state;
    struct listener a = {.react = publish_once_more}, b = {0};
    listen_to(&a, h, "v");
    listen_to(&b, h, "v");
    publish(h, "v", 1);
    assert_int_equal(a.entries, 2);
    assert_int_equal(b.entries, 2);
}

static void free_the_hub(struct listener *l) {
    hub_free(l->hub);
}

static void can_be_freed_while_publishing(void **state) {
    (void)state;
    struct hub *h = hub_new();
    struct listener a = {.react = free_the_hub}, b = {0};
    listen_to(&a, h, "v");
    listen_to(&b, h, "v");
    publish(h, "v", 1);
    assert_int_equal(a.entries, 1);
    assert_int_equal(b.entries, 0);
}

static void can_be_freed_in_on_subscribed(void **state) {
    (void)state;
    struct hub *h = hub_new();
    struct listener a = {.react = free_the_hub}, b = {0};
    listen_and_notify(&a, h, "v");
    listen_and_notify(&b, h, "w");
    hub_flush_notifications(h);
    assert_int_equal(a.notified, 1);
    assert_int_equal(b.notified, 0);
}

// The innermost callback ends the subscription that is next or last in the outer walks.
static void end_all_while_publishing_deep(struct listener *l) {
    if (l->last_seq < 3) {
        publish(l->hub, "v", l->last_seq + 1);
        return;
    }
    for (; l->other; l->other = l->other->other) hub_unsubscribe(l->hub, l->other->subscription);
}

static void a_subscription_ended_in_a_nested_publish_is_skipped_by_the_outer_one(void **state) {
    struct hub *h = *state;
    struct listener d = {0}, c = {.other = &d}, b = {.other = &c}, e = {0};
    struct listener a = {.react = end_all_while_publishing_deep, .other = &b};
    listen_to(&a, h, "v");
    listen_to(&b, h, "v");
    listen_to(&c, h, "v");
    listen_to(&e, h, "v");
    listen_to(&d, h, "v");
    publish(h, "v", 1);
    assert_int_equal(a.entries, 3);
    assert_int_equal(b.entries + c.entries + d.entries, 0);
    assert_int_equal(e.entries, 3);
    assert_int_equal(publish(h, "v", 4), 2);
}

static void notifies_all_subscriptions_of_a_video(void **state) {
    struct hub *h = *state;
    struct listener a = {0}, b = {0}, c = {0};
    listen_to(&a, h, "v");
    listen_to(&b, h, "v");
    listen_to(&c, h, "w");
    assert_int_equal(a.notified + b.notified + c.notified, 0);
    hub_notify_subscribed(h, "v");
    hub_notify_subscribed(h, "unused");
    assert_int_equal(a.notified, 1);
    assert_int_equal(b.notified, 1);
    assert_int_equal(c.notified, 0);
}

static void notifies_each_new_subscription_once(void **state) {
    struct hub *h = *state;
    struct listener a = {0}, b = {0}, gone = {0}, notified = {0};
    listen_and_notify(&a, h, "v");
    listen_and_notify(&gone, h, "v");
    listen_and_notify(&notified, h, "w");
    hub_notify_subscribed(h, "w");
    hub_unsubscribe(h, gone.subscription);
    hub_flush_notifications(h);
    listen_and_notify(&b, h, "w");
    hub_flush_notifications(h);
    hub_flush_notifications(h);
    assert_int_equal(a.notified, 1);
    assert_int_equal(b.notified, 1);
    assert_int_equal(gone.notified, 0);
    assert_int_equal(notified.notified, 1);
}

static void subscribing_again_in_on_subscribed_ends(void **state) {
    struct hub *h = *state;
    struct listener a = {.react = resubscribe_to_be_told};
    listen_and_notify(&a, h, "v");
    hub_flush_notifications(h);
    assert_int_equal(a.notified, 1);
    hub_flush_notifications(h);
    assert_int_equal(a.notified, 2);
}

static void note_video(void *arg, const char *video) {
    char *names = arg;
    size_t len = strlen(names);
    snprintf(names + len, 64 - len, "%s ", video);
}

static void walks_over_subscribed_videos(void **state) {
    struct hub *h = *state;
    struct listener a = {0}, b = {0}, c = {0};
    char names[64] = "";
    listen_to(&a, h, "v");
    listen_to(&b, h, "w");
    listen_to(&c, h, "w");
    hub_unsubscribe(h, a.subscription);
    hub_each_video(h, note_video, names);
    assert_string_equal(names, "w ");
}

static void holds_many(void **state) {
    struct hub *h = *state;
    enum { MANY = 20000 };
    struct listener *all = calloc(MANY, sizeof *all);
    static char names[MANY][16];
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "v%d", i);
        listen_to(&all[i], h, names[i]);
    }
    assert_int_equal(publish(h, "v17", 5), 1);
    assert_int_equal(all[17].last_seq, 5);
    for (int i = 0; i < MANY; i += 2) assert_true(hub_unsubscribe(h, all[i].subscription));
    assert_int_equal(publish(h, "v16", 5), 0);
    assert_int_equal(publish(h, "v17", 6), 1);
    assert_int_equal(publish(h, "v19999", 7), 1);
    free(all); // the hub frees the other half
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_hub, free_hub)
    const struct CMUnitTest tests[] = {
        TEST(hands_entries_to_the_videos_subscribers),
        TEST(unsubscribing_returns_whether_it_was_the_last),
        TEST(the_next_one_lends_its_name),
        TEST(a_subscriber_may_unsubscribe_in_on_entry),
        TEST(an_ended_subscription_gets_no_entries),
        TEST(a_new_subscription_gets_the_next_entry),
        TEST(the_last_may_unsubscribe_and_subscribe_in_on_entry),
        TEST(publishes_while_publishing),
        TEST(can_be_freed_while_publishing),
        TEST(can_be_freed_in_on_subscribed),
        TEST(a_subscription_ended_in_a_nested_publish_is_skipped_by_the_outer_one),
        TEST(notifies_all_subscriptions_of_a_video),
        TEST(notifies_each_new_subscription_once),
        TEST(subscribing_again_in_on_subscribed_ends),
        TEST(walks_over_subscribed_videos),
        TEST(holds_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
