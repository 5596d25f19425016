// Readers that count together, with a clock and a network of the test's: messages can be lost, readers
// killed.
#include "unit.h"

#include "base/budget.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "reader/tally.h"

enum { READERS = 4, SWEEP_MS = 250, MAX_VIDEOS = 20000 };

struct message {
    int to;
    char *text;
    size_t len;
};

struct world;

struct place {
    struct world *world;
    int index;
    struct tally *tally; // NULL: it is not running
    uint64_t generation;
    bool lease; // listed by the others
    unsigned published;
    uint64_t last; // value published
    int64_t last_ms, closest_ms;
    char video[160]; // of the last value
    char asked[160]; // the last one whose owner it looks for
};

struct world {
    int64_t now_ms;
    struct place readers[READERS];
    int owner; // of every video
    bool owner_unknown;
    struct message queue[4096];
    size_t queued;
    unsigned sent, owner_queries;
    size_t sent_bytes;
    bool lost; // messages are
};

static void url_of(int index, char url[64]) {
    snprintf(url, 64, "http://127.0.0.1:400%d", index);
}

static int index_of(const char *url) {
    return url[strlen(url) - 1] - '0';
}

static void on_publish(void *arg, const char *video, uint64_t viewers) {
    struct place *p = arg;
    if (!strcmp(video, p->video) && p->published && p->world->now_ms - p->last_ms < p->closest_ms)
        p->closest_ms = p->world->now_ms - p->last_ms;
    p->published++;
    p->last = viewers;
    p->last_ms = p->world->now_ms;
    snprintf(p->video, sizeof p->video, "%s", video);
}

static void on_send(void *arg, const char *reader_url, const char *text, size_t len) {
    struct world *w = ((struct place *)arg)->world;
    w->sent++;
    w->sent_bytes += len;
    assert_true(len <= 16384);
    if (w->lost) return;
    assert_true(w->queued < 4096);
    struct message *m = &w->queue[w->queued++];
    *m = (struct message){index_of(reader_url), mem_strndup(text, len), len};
}

static void on_find_owner(void *arg, const char *video) {
    struct place *p = arg;
    p->world->owner_queries++;
    snprintf(p->asked, sizeof p->asked, "%s", video);
}

// Answers a query for an owner, never from inside it.
static void answer_owner(struct place *p) {
    char url[64];
    url_of(p->world->owner, url);
    if (p->asked[0] && !p->world->owner_unknown)
        tally_place(p->tally, p->asked, p->index == p->world->owner ? NULL : url, p->world->now_ms);
    p->asked[0] = 0;
}

static bool on_lease_ended(void *arg, const char *reader_url, uint64_t generation) {
    const struct place *p = &((struct place *)arg)->world->readers[index_of(reader_url)];
    return !p->lease || p->generation > generation;
}

static const struct tally_ops ops = {on_publish, on_send, on_find_owner, on_lease_ended};

static void start(struct world *w, int i) {
    static char urls[READERS][64];
    struct place *p = &w->readers[i];
    url_of(i, urls[i]);
    *p = (struct place){
        .world = w, .index = i, .generation = p->generation + 1, .lease = true, .closest_ms = INT64_MAX};
    p->tally = tally_new(urls[i], &ops, p);
}

static void kill_reader(struct world *w, int i) {
    tally_free(w->readers[i].tally);
    w->readers[i].tally = NULL;
}

static int make(void **state) {
    struct world *w = mem_zalloc(sizeof *w);
    w->now_ms = 1000000;
    for (int i = 0; i < READERS; i++) start(w, i);
    *state = w;
    return 0;
}

static int clean(void **state) {
    struct world *w = *state;
    for (int i = 0; i < READERS; i++) tally_free(w->readers[i].tally);
    for (size_t i = 0; i < w->queued; i++) free(w->queue[i].text);
    free(w);
    assert_int_equal(budget_used(), 0);
    return 0;
}

static void deliver(struct world *w) {
    size_t count = w->queued;
    struct message due[4096];
    memcpy(due, w->queue, count * sizeof *due);
    w->queued = 0;
    for (size_t i = 0; i < count; i++) {
        struct tally *t = w->readers[due[i].to].tally;
        if (t) tally_take(t, due[i].text, due[i].len, w->now_ms);
        free(due[i].text);
    }
}

static void pass(struct world *w, int64_t ms) {
    for (int64_t end = w->now_ms + ms; w->now_ms < end;) {
        w->now_ms += SWEEP_MS;
        for (int i = 0; i < READERS; i++) {
            if (!w->readers[i].tally) continue;
            tally_sweep(w->readers[i].tally, w->readers[i].generation, w->now_ms);
            answer_owner(&w->readers[i]);
        }
        deliver(w);
    }
}

static struct place *join(struct world *w, int i, const char *video, uint64_t viewers, bool asks) {
    struct place *p = &w->readers[i];
    char url[64];
    tally_join(p->tally, video, viewers, asks, i != w->owner, w->now_ms);
    url_of(w->owner, url);
    if (!w->owner_unknown) tally_place(p->tally, video, i == w->owner ? NULL : url, w->now_ms);
    return p;
}

static void leave(struct world *w, int i, const char *video, uint64_t viewers) {
    tally_count(w->readers[i].tally, video, viewers, w->now_ms);
}

// One reader

static void the_first_value_comes_with_the_viewer(void **state) {
    struct world *w = *state;
    struct place *p = join(w, 0, "v", 1, true);
    assert_int_equal(p->published, 1);
    assert_int_equal(p->last, 1);
    assert_int_equal(w->sent, 0);
    assert_int_equal(w->owner_queries, 0);
}

static void changes_are_published_every_two_seconds(void **state) {
    struct world *w = *state;
    struct place *p = join(w, 0, "v", 1, true);
    for (uint64_t n = 2; n <= 500; n++) {
        join(w, 0, "v", n, n % 2);
        if (n % 5 == 0) pass(w, SWEEP_MS);
    }
    pass(w, TALLY_EVERY_MS);
    assert_int_equal(p->last, 500);
    assert_true(p->closest_ms >= TALLY_EVERY_MS);
    unsigned before = p->published;
    assert_in_range(before, 500 / 5 * SWEEP_MS / TALLY_EVERY_MS, 500 / 5 * SWEEP_MS / TALLY_EVERY_MS + 3);
    pass(w, 60000);
    assert_int_equal(p->published, before); // nothing has changed
    leave(w, 0, "v", 3);
    pass(w, SWEEP_MS);
    assert_int_equal(p->last, 3);
    assert_int_equal(w->sent, 0);
}

static void what_returns_to_its_value_is_not_published(void **state) {
    struct world *w = *state;
    struct place *p = join(w, 0, "v", 5, true);
    leave(w, 0, "v", 4);
    leave(w, 0, "v", 5);
    pass(w, 10000);
    assert_int_equal(p->published, 1);
}

static void a_video_without_interest_has_no_entry(void **state) {
    struct world *w = *state;
    join(w, 0, "v", 1, false);
    leave(w, 0, "v", 2);
    assert_int_equal(tally_videos(w->readers[0].tally), 0);
    join(w, 0, "v", 3, true);
    assert_int_equal(tally_videos(w->readers[0].tally), 1);
    leave(w, 0, "v", 0);
    assert_int_equal(tally_videos(w->readers[0].tally), 0);
    pass(w, 10000);
    struct place *p = join(w, 0, "v", 1, true);
    assert_int_equal(p->last, 1);
    assert_int_equal(w->sent, 0);
}

// Several

static void every_reader_shows_the_sum(void **state) {
    struct world *w = *state;
    join(w, 0, "v", 2, true);
    join(w, 1, "v", 3, true);
    join(w, 2, "v", 4, false);
    pass(w, 3 * TALLY_EVERY_MS);
    assert_int_equal(w->readers[0].last, 9);
    assert_int_equal(w->readers[1].last, 9);
    assert_int_equal(w->readers[2].published, 0); // not asked
    leave(w, 1, "v", 1);
    leave(w, 2, "v", 0);
    pass(w, 3 * TALLY_EVERY_MS);
    assert_int_equal(w->readers[0].last, 3);
    assert_int_equal(w->readers[1].last, 3);
    assert_int_equal(tally_videos(w->readers[2].tally), 0);
    assert_true(w->readers[0].closest_ms >= TALLY_EVERY_MS);
    assert_true(w->readers[1].closest_ms >= TALLY_EVERY_MS);
}

static void a_reader_that_owns_it_not_shows_nothing_before_the_sum(void **state) {
    struct world *w = *state;
    join(w, 0, "v", 5, false);
    join(w, 0, "v", 6, true);
    struct place *p = join(w, 1, "v", 1, true);
    assert_int_equal(p->published, 0);
    pass(w, 3 * SWEEP_MS);
    assert_int_equal(p->published, 1);
    assert_int_equal(p->last, 7);
}

static void the_owner_needs_no_viewer(void **state) {
    struct world *w = *state;
    w->owner = 3;
    join(w, 0, "v", 1, true);
    join(w, 1, "v", 1, true);
    pass(w, 3 * TALLY_EVERY_MS);
    assert_int_equal(w->readers[0].last, 2);
    assert_int_equal(w->readers[1].last, 2);
    leave(w, 0, "v", 0);
    leave(w, 1, "v", 0);
    pass(w, 2 * TALLY_EVERY_MS);
    for (int i = 0; i < READERS; i++) assert_int_equal(tally_videos(w->readers[i].tally), 0);
    unsigned sent = w->sent;
    pass(w, 60000);
    assert_int_equal(w->sent, sent);
}

static void a_killed_reader_counts_until_its_lease_ends(void **state) {
    struct world *w = *state;
    join(w, 0, "v", 1, true);
    join(w, 1, "v", 10, true);
    pass(w, 2 * TALLY_EVERY_MS);
    assert_int_equal(w->readers[0].last, 11);
    kill_reader(w, 1);
    pass(w, 3000);
    assert_int_equal(w->readers[0].last, 11);
    w->readers[1].lease = false;
    pass(w, TALLY_EVERY_MS);
    assert_int_equal(w->readers[0].last, 1);
}

static void a_restarted_reader_counts_again_at_once(void **state) {
    struct world *w = *state;
    join(w, 0, "v", 1, true);
    join(w, 1, "v", 10, true);
    pass(w, 2 * TALLY_EVERY_MS);
    kill_reader(w, 1);
    start(w, 1); // within its lease
    pass(w, TALLY_EVERY_MS);
    assert_int_equal(w->readers[0].last, 1);
    join(w, 1, "v", 2, true);
    pass(w, 2 * TALLY_EVERY_MS);
    assert_int_equal(w->readers[0].last, 3);
    assert_int_equal(w->readers[1].last, 3);
}

static void the_others_report_to_the_new_owner(void **state) {
    struct world *w = *state;
    join(w, 0, "v", 100, true);
    join(w, 1, "v", 1, true);
    join(w, 2, "v", 2, true);
    pass(w, 3 * TALLY_EVERY_MS);
    assert_int_equal(w->readers[2].last, 103);
    kill_reader(w, 0);
    w->readers[0].lease = false;
    w->owner = 1;
    unsigned before = w->owner_queries;
    pass(w, SWEEP_MS);
    assert_int_equal(w->owner_queries, before + 2);
    pass(w, 3 * TALLY_EVERY_MS);
    assert_int_equal(w->readers[1].last, 3);
    assert_int_equal(w->readers[2].last, 3);
}

static void a_restarted_owner_is_reported_to_again(void **state) {
    struct world *w = *state;
    join(w, 0, "v", 5, true);
    join(w, 1, "v", 1, true);
    pass(w, 2 * TALLY_EVERY_MS);
    kill_reader(w, 0);
    start(w, 0);
    pass(w, SWEEP_MS);
    struct place *p = join(w, 0, "v", 1, true);
    pass(w, 2 * TALLY_EVERY_MS);
    assert_int_equal(p->last, 2);
    assert_int_equal(w->readers[1].last, 2);
}

static void a_lost_message_is_made_good(void **state) {
    struct world *w = *state;
    join(w, 0, "v", 1, true);
    join(w, 1, "v", 1, true);
    pass(w, 2 * TALLY_EVERY_MS);
    w->lost = true;
    join(w, 1, "v", 2, true);
    pass(w, TALLY_EVERY_MS);
    w->lost = false;
    pass(w, TALLY_AGAIN_MS + 2 * TALLY_EVERY_MS);
    assert_int_equal(w->readers[0].last, 3);
    assert_int_equal(w->readers[1].last, 3);
}

static void without_messages_each_shows_its_own(void **state) {
    struct world *w = *state;
    w->lost = true;
    join(w, 0, "v", 5, true);
    struct place *p = join(w, 1, "v", 2, true);
    pass(w, TALLY_ALONE_MS);
    assert_int_equal(w->readers[0].last, 5);
    assert_int_equal(p->last, 2);
    w->lost = false;
    pass(w, TALLY_AGAIN_MS + 2 * TALLY_EVERY_MS);
    assert_int_equal(p->last, 7);
    w->lost = true;
    pass(w, TALLY_SILENT_MS + TALLY_ALONE_MS + 2 * TALLY_EVERY_MS);
    assert_int_equal(w->readers[0].last, 5);
    assert_int_equal(p->last, 2);
}

static void an_unknown_owner_is_looked_for_every_second(void **state) {
    struct world *w = *state;
    w->owner_unknown = true;
    struct place *p = join(w, 1, "v", 2, true);
    pass(w, 10000);
    assert_in_range(w->owner_queries, 9, 11);
    assert_int_equal(p->last, 2);
    assert_int_equal(w->sent, 0);
}

// Messages

static void what_is_no_message_is_ignored(void **state) {
    struct world *w = *state;
    struct place *p = join(w, 0, "v", 1, true);
    static const char *const texts[] = {
        "",
        "\n",
        "viewers",
        "viewers 2 http://127.0.0.1:4001 1\nc v 5\n",
        "viewers 1 http://127.0.0.1:4001\nc v 5\n",
        "viewers 1 http://127.0.0.1:4001 x\nc v 5\n",
        "viewers 1 http://127.0.0.1:4000 1\nc v 5\n", // ours
        "viewers 1 http://127.0.0.1:4001 1\nc v\nc v x\nc v -1\nc  5\nx v 5\nt v 9\ncc v 5\nc v 99999999999999999999\n",
        "other 1 http://127.0.0.1:4001 1\nc v 5\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        tally_take(p->tally, texts[i], strlen(texts[i]), w->now_ms);
    pass(w, 2 * TALLY_EVERY_MS);
    assert_int_equal(p->last, 1);
    static const char later[] =
        "viewers 1 http://127.0.0.1:4001 1 more\nq v 1\nc v 5 more\nc u 7"; // no last LF
    tally_take(p->tally, later, sizeof later - 1, w->now_ms);
    assert_int_equal(tally_videos(p->tally), 2);
    pass(w, TALLY_EVERY_MS);
    assert_int_equal(p->last, 6);
}

static void a_replaced_process_is_not_heard(void **state) {
    struct world *w = *state;
    struct place *p = join(w, 0, "v", 1, true);
    w->readers[1].generation = 7;
    static const char old[] = "viewers 1 http://127.0.0.1:4001 6\nc v 5\n",
                      new[] = "viewers 1 http://127.0.0.1:4001 7\nc v 2\n";
    tally_take(p->tally, new, sizeof new - 1, w->now_ms);
    tally_take(p->tally, old, sizeof old - 1, w->now_ms);
    pass(w, TALLY_EVERY_MS);
    assert_int_equal(p->last, 3);
    static const char next[] = "viewers 1 http://127.0.0.1:4001 8\nc u 1\n"; // before its lease is listed
    tally_take(p->tally, next, sizeof next - 1, w->now_ms);
    pass(w, TALLY_EVERY_MS);
    assert_int_equal(p->last, 1);
}

static void a_thousand_shared_videos_take_a_message_each_way(void **state) {
    struct world *w = *state;
    char video[32];
    for (int n = 0; n < 300; n++) {
        snprintf(video, sizeof video, "video-%d", n);
        for (int i = 0; i < 3; i++) join(w, i, video, 1, true);
    }
    pass(w, 4 * TALLY_EVERY_MS);
    unsigned before = w->sent;
    int64_t since_ms = w->now_ms;
    for (uint64_t k = 2; k < 32; k++) { // all of them change all the time
        for (int n = 0; n < 300; n++) {
            snprintf(video, sizeof video, "video-%d", n);
            for (int i = 0; i < 3; i++) join(w, i, video, k, true);
        }
        pass(w, TALLY_EVERY_MS);
    }
    // The owner and each of the two others, in both directions.
    assert_in_range(w->sent - before, 1, 4 * (w->now_ms - since_ms) / TALLY_EVERY_MS);
    pass(w, 3 * TALLY_EVERY_MS);
    for (int i = 0; i < 3; i++) assert_int_equal(w->readers[i].last, 93);
}

static void ninety_thousand_videos_at_their_owners_take_no_message(void **state) {
    struct world *w = *state;
    char video[32];
    for (int n = 0; n < 90000; n++) {
        snprintf(video, sizeof video, "video-%d", n);
        w->owner = n % 3;
        join(w, w->owner, video, 22, true);
    }
    pass(w, 60000);
    for (int n = 0; n < 90000; n++) {
        snprintf(video, sizeof video, "video-%d", n);
        leave(w, n % 3, video, 21);
    }
    pass(w, 60000);
    assert_int_equal(w->readers[1].last, 21);
    assert_int_equal(w->sent, 0);
    assert_int_equal(w->owner_queries, 0);
}

static void a_batch_is_bounded_and_the_rest_follows(void **state) {
    struct world *w = *state;
    char video[ENGINE_VIDEO_MAX + 1];
    for (int n = 0; n < MAX_VIDEOS; n++) {
        snprintf(video, sizeof video, "%0128d", n);
        join(w, 1, video, 1, false);
    }
    pass(w, SWEEP_MS);
    assert_int_equal(w->sent, TALLY_BATCH);
    pass(w, 11 * TALLY_EVERY_MS);
    assert_int_equal(tally_videos(w->readers[0].tally), MAX_VIDEOS);
    for (int n = 0; n < MAX_VIDEOS; n++) {
        snprintf(video, sizeof video, "%0128d", n);
        leave(w, 1, video, 0);
    }
    pass(w, 11 * TALLY_EVERY_MS);
    for (int i = 0; i < 2; i++) assert_int_equal(tally_videos(w->readers[i].tally), 0);
}

// Whatever happens: when it is quiet again, every viewer sees the number there are.
static void is_right_after_any_history(void **state) {
    struct world *w = *state;
    uint64_t here[READERS] = {0}, seed = 1;
    for (int round = 0; round < 40; round++) {
        for (int step = 0; step < 60; step++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            int i = (int)(seed >> 33) % READERS, what = (int)(seed >> 40) % 8;
            w->lost = what == 7 ? !w->lost : w->lost;
            if (what < 4) {
                here[i]++;
                join(w, i, "v", here[i], what < 3);
            } else if (what < 6 && here[i]) {
                leave(w, i, "v", --here[i]);
            } else if (what == 6 && i) { // the owner of all stays
                kill_reader(w, i);
                start(w, i);
                here[i] = 0;
            }
            pass(w, SWEEP_MS * (int64_t)((seed >> 45) % 5));
        }
        w->lost = false;
        uint64_t sum = 0;
        for (int i = 0; i < READERS; i++) join(w, i, "v", ++here[i], true);
        for (int i = 0; i < READERS; i++) sum += here[i];
        pass(w, TALLY_SILENT_MS + 2 * TALLY_AGAIN_MS);
        for (int i = 0; i < READERS; i++) assert_int_equal(w->readers[i].last, sum);
    }
}

// Messages that no reader has sent: any program on the same store can

static void forge(struct world *w, int to, const char *text) {
    tally_take(w->readers[to].tally, text, strlen(text), w->now_ms);
}

static void a_forged_generation_silences_a_reader_for_a_while_only(void **state) {
    struct world *w = *state;
    join(w, 0, "v", 3, true);
    struct place *p = join(w, 1, "v", 2, true);
    forge(w, 1, "viewers 1 http://127.0.0.1:4000 9999999999\n");
    forge(w, 0, "viewers 1 http://127.0.0.1:4001 9999999999\nc v 700\n");
    pass(w, TALLY_SILENT_MS + 2 * TALLY_AGAIN_MS);
    assert_int_equal(p->last, 5);
    assert_int_equal(w->readers[0].last, 5);
}

static void numbers_that_no_sum_could_hold_are_ignored(void **state) {
    struct world *w = *state;
    struct place *p = join(w, 0, "v", 1, true);
    for (int i = 0; i < 40; i++) {
        char text[128];
        snprintf(text, sizeof text, "viewers 1 http://%d.example:1 1\nc v %s\n", i,
                 i % 2 ? "999999999999999999" : "9999999999999");
        forge(w, 0, text);
    }
    pass(w, TALLY_EVERY_MS);
    assert_int_equal(p->last, 1);
}

static void senders_are_bounded(void **state) {
    struct world *w = *state;
    w->lost = true;
    for (int i = 0; i < 3 * TALLY_PEERS; i++) {
        char text[128];
        snprintf(text, sizeof text, "viewers 1 http://%d.example:1 1\nc v 1\n", i);
        forge(w, 0, text);
    }
    pass(w, SWEEP_MS);
    assert_int_equal(w->sent, TALLY_PEERS); // the total goes to each of them
    join(w, 1, "mine", 1, true);
    w->owner = 0;
    pass(w, TALLY_SILENT_MS + TALLY_EVERY_MS);
    assert_int_equal(tally_videos(w->readers[0].tally), 0);
    w->lost = false;
    pass(w, 2 * TALLY_AGAIN_MS);
    assert_int_equal(tally_videos(w->readers[0].tally), 1); // there is room for the others again
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)
    const struct CMUnitTest tests[] = {
        TEST(the_first_value_comes_with_the_viewer),
        TEST(changes_are_published_every_two_seconds),
        TEST(what_returns_to_its_value_is_not_published),
        TEST(a_video_without_interest_has_no_entry),
        TEST(every_reader_shows_the_sum),
        TEST(a_reader_that_owns_it_not_shows_nothing_before_the_sum),
        TEST(the_owner_needs_no_viewer),
        TEST(a_killed_reader_counts_until_its_lease_ends),
        TEST(a_restarted_reader_counts_again_at_once),
        TEST(the_others_report_to_the_new_owner),
        TEST(a_restarted_owner_is_reported_to_again),
        TEST(a_lost_message_is_made_good),
        TEST(without_messages_each_shows_its_own),
        TEST(an_unknown_owner_is_looked_for_every_second),
        TEST(what_is_no_message_is_ignored),
        TEST(a_replaced_process_is_not_heard),
        TEST(a_thousand_shared_videos_take_a_message_each_way),
        TEST(ninety_thousand_videos_at_their_owners_take_no_message),
        TEST(a_batch_is_bounded_and_the_rest_follows),
        TEST(is_right_after_any_history),
        TEST(a_forged_generation_silences_a_reader_for_a_while_only),
        TEST(numbers_that_no_sum_could_hold_are_ignored),
        TEST(senders_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
