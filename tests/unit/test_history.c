#include "unit.h"

#include "entries.h"
#include "base/budget.h"
#include "reader/history.h"

static struct history_budget budget;
static struct history history;
static int64_t now;

static int set_up(void **state) {
    (void)state;
    budget = (struct history_budget){.max = 64 << 20};
    now = 1000;
    history = (struct history){0};
    return 0;
}

// Whatever a test did, nothing stays charged.
static int tear_down(void **state) {
    (void)state;
    history_release(&history);
    return budget.bytes || budget.runs;
}

static void push_to(struct history *h, struct position from, struct frame *f) {
    history_push(h, &budget, from, f, now);
    frame_unref(f);
    assert_true(budget.bytes <= budget.max); // ever
}

static void push(struct position from, struct frame *f) {
    push_to(&history, from, f);
}

static void push_run(uint64_t first, uint64_t last) {
    for (uint64_t seq = first; seq <= last; seq++) push(pos(1, seq - 1), comment_frame(1, seq));
}

static uint64_t held(const struct history *h) {
    uint64_t first;
    return history_covers(h, history_from(h), &first) ? history_end(h) - first : 0;
}

// What a viewer at `at` gets, or "not covered".
static const char *given(struct position at) {
    static struct frame *frames[HISTORY_FRAMES];
    uint64_t first, end = history_end(&history);
    size_t count = 0;
    if (!history_covers(&history, at, &first)) return "not covered";
    for (uint64_t n = first; n < end; n++) frames[count++] = history_at(&history, n);
    return frames_text(frames, count);
}

static void before_the_first_frame_no_position_is_covered_and_no_memory_used(void **state) {
    (void)state;
    assert_string_equal(given(pos(1, 0)), "not covered");
    assert_string_equal(given(pos(0, 0)), "not covered");
    assert_false(position_is_set(history_from(&history)));
    assert_int_equal(budget.bytes, 0);
}

static void it_begins_in_front_of_its_first_frame(void **state) {
    (void)state;
    push_run(5, 7);
    assert_int_equal(history_from(&history).seq, 4);
    assert_string_equal(given(pos(1, 4)), "1-5 1-6 1-7");
    assert_string_equal(given(pos(1, 3)), "not covered");
}

static void everything_since_its_beginning_is_covered(void **state) {
    (void)state;
    history_reset(&history, &budget, pos(1, 4), now);
    assert_string_equal(given(pos(1, 4)), "");
    push_run(5, 7);
    assert_string_equal(given(pos(1, 4)), "1-5 1-6 1-7");
    assert_string_equal(given(pos(1, 5)), "1-6 1-7");
    assert_string_equal(given(pos(1, 7)), "");
}

static void what_it_has_never_held_is_not_covered(void **state) {
    (void)state;
    history_reset(&history, &budget, pos(1, 4), now);
    push_run(5, 7);
    assert_string_equal(given(pos(1, 3)), "not covered");
    assert_string_equal(given(pos(1, 8)), "not covered");
    assert_string_equal(given(pos(2, 5)), "not covered");
    assert_string_equal(given(pos(0, 0)), "not covered");
}

static void gaps_and_messages_without_number_are_part_of_the_run(void **state) {
    (void)state;
    history_reset(&history, &budget, pos(1, 4), now);
    push(pos(1, 4), comment_frame(1, 5));
    push(pos(1, 5), foreign_frame("one"));
    push(pos(1, 5), frame_of_gap(pos(1, 6), pos(2, 0), GAP_EPOCH));
    push(pos(2, 0), comment_frame(2, 1));
    push(pos(2, 1), foreign_frame("two"));
    assert_string_equal(given(pos(1, 5)), "one gap(1-6..2-0 null epoch) 2-1 two");
    assert_string_equal(given(pos(2, 0)), "2-1 two");
    assert_string_equal(given(pos(2, 1)), "two");
    assert_string_equal(given(pos(1, 7)), "not covered"); // inside the gap
}

// Wherever messages without a number lie, and however many of them.
static void any_position_is_found_among_messages_without_number(void **state) {
    (void)state;
    for (int between = 0; between < 5; between++) {
        for (uint64_t frames = 1; frames < 20; frames++) {
            history_reset(&history, &budget, pos(1, 0), now);
            for (uint64_t seq = 2; seq <= 2 * frames; seq += 2) { // every other number is a tombstone's
                for (int i = 0; i < between; i++) push(pos(1, seq - 2), foreign_frame("x"));
                push(pos(1, seq - 2), comment_frame(1, seq));
            }
            for (uint64_t seq = 0; seq <= 2 * frames + 1; seq++) {
                uint64_t first;
                assert_int_equal(history_covers(&history, pos(1, seq), &first),
                                 seq % 2 == 0 && seq <= 2 * frames);
                if (seq % 2 || seq >= 2 * frames) continue;
                while (!position_is_set(history_at(&history, first)->at)) first++;
                assert_int_equal(history_at(&history, first)->at.seq, seq + 2);
            }
            assert_string_equal(given(pos(0, 0)), "not covered");
        }
    }
}

// The newest comments, as they are found now, or "not known".
static const char *newest(uint32_t comments) {
    static char text[256];
    struct position from;
    uint64_t first;
    if (!history_newest(&history, comments, now, &from, &first)) return "not known";
    snprintf(text, sizeof text, "from 1-%u: %s", (unsigned)from.seq, given(from));
    assert_true(first == history_end(&history) ||
                position_compare(history_at(&history, first)->at, from) > 0);
    return text;
}

static void the_newest_comments_are_known_once_the_log_has_been_read(void **state) {
    (void)state;
    push_run(1, 5);
    assert_string_equal(newest(1), "not known");
    history_checked(&history, pos(1, 3), 2, now);
    assert_string_equal(newest(1), "from 1-4: 1-5");
    assert_string_equal(newest(2), "from 1-3: 1-4 1-5");
    assert_string_equal(newest(3), "not known"); // 1-3 is held, but may have expired
    push_run(6, 6);
    assert_string_equal(newest(3), "from 1-3: 1-4 1-5 1-6");
    history_checked(&history, pos(1, 0), UINT32_MAX, now);
    assert_string_equal(newest(100), "from 1-0: 1-1 1-2 1-3 1-4 1-5 1-6");
}

static void the_newest_comments_are_known_for_some_seconds(void **state) {
    (void)state;
    push_run(1, 2);
    history_checked(&history, pos(1, 0), UINT32_MAX, now);
    now += HISTORY_CHECKED_MS;
    assert_string_equal(newest(1), "from 1-1: 1-2");
    now++;
    assert_string_equal(newest(1), "not known");
}

static void what_is_no_comment_is_not_counted(void **state) {
    (void)state;
    push_run(1, 2);
    push(pos(1, 2), frame_of_gap(pos(1, 3), pos(1, 4), GAP_EXPIRED));
    push(pos(1, 4), comment_frame(1, 6)); // after a tombstone
    history_checked(&history, pos(1, 0), UINT32_MAX, now);
    assert_string_equal(newest(1), "from 1-4: 1-6");
    assert_string_equal(newest(2), "from 1-1: 1-2 gap(1-3..1-4 2 expired) 1-6");
}

static void the_newest_comments_are_not_known_where_the_run_was_cut(void **state) {
    (void)state;
    push_run(1, 5);
    history_checked(&history, pos(1, 0), UINT32_MAX, now);
    push_run(6, HISTORY_RESTING_FRAMES + 3);
    assert_string_equal(newest(HISTORY_RESTING_FRAMES + 1), "not known");
    history_reset(&history, &budget, pos(1, 50), now);
    assert_string_equal(newest(1), "not known");
    history_checked(&history, pos(1, 40), 1, now); // it does not hold that
    assert_string_equal(newest(1), "not known");
    history_checked(&history, pos(1, 50), UINT32_MAX, now);
    assert_string_equal(newest(1), "from 1-50: ");
}

static void a_reset_drops_everything_and_begins_at_the_position(void **state) {
    (void)state;
    history_reset(&history, &budget, pos(1, 4), now);
    push_run(5, 7);
    history_reset(&history, &budget, pos(1, 7), now);
    assert_string_equal(given(pos(1, 5)), "not covered");
    assert_string_equal(given(pos(1, 7)), "");
    push_run(8, 8);
    assert_string_equal(given(pos(1, 7)), "1-8");
}

static void the_oldest_frames_are_dropped_and_the_run_begins_after_them(void **state) {
    (void)state;
    history_reset(&history, &budget, pos(1, 0), now);
    push_run(1, HISTORY_FRAMES + 10);
    assert_int_equal(held(&history), HISTORY_FRAMES);
    assert_int_equal(history_from(&history).seq, 10);
    assert_string_equal(given(pos(1, 9)), "not covered");
    uint64_t first;
    assert_true(history_covers(&history, pos(1, 10), &first));
    assert_int_equal(history_at(&history, first)->at.seq, 11);
}

static void it_holds_no_more_bytes_than_it_may(void **state) {
    (void)state;
    enum { SIZE = 100000 };
    history_reset(&history, &budget, pos(1, 0), now);
    for (uint64_t seq = 1; seq <= 100; seq++) push(pos(1, seq - 1), padded_frame(1, seq, SIZE));
    assert_int_equal(held(&history), HISTORY_BYTES / (SIZE + 100));
    assert_int_equal(history_from(&history).seq, 100 - HISTORY_BYTES / (SIZE + 100));
}

// The run's beginning is where the last frame with a position stood, not where a message without one did.
static void a_message_without_number_that_goes_leaves_the_beginning(void **state) {
    (void)state;
    history_reset(&history, &budget, pos(1, 4), now);
    push(pos(1, 4), comment_frame(1, 5));
    push(pos(1, 5), foreign_frame("a"));
    push_run(6, HISTORY_FRAMES + 5); // pushes both out
    assert_int_equal(history_from(&history).seq, 5);
    uint64_t first;
    assert_true(history_covers(&history, pos(1, 5), &first));
    assert_int_equal(history_at(&history, first)->at.seq, 6);
}

// At rest and in use

static void few_frames_are_kept_unless_a_viewer_has_reconnected_lately(void **state) {
    (void)state;
    push_run(1, 100);
    assert_int_equal(held(&history), HISTORY_RESTING_FRAMES);
    assert_string_equal(given(pos(1, 98)), "1-99 1-100");
    history_use(&history, now);
    push_run(101, 200);
    assert_int_equal(held(&history), HISTORY_RESTING_FRAMES + 100);
    now += HISTORY_WARM_MS - 1;
    push_run(201, 201);
    assert_int_equal(held(&history), HISTORY_RESTING_FRAMES + 101);
    now++;
    push_run(202, 202);
    assert_int_equal(held(&history), HISTORY_RESTING_FRAMES);
    assert_int_equal(history_from(&history).seq, 202 - HISTORY_RESTING_FRAMES);
}

static void a_run_that_is_not_used_is_freed(void **state) {
    (void)state;
    push_run(1, 2);
    now += HISTORY_COLD_MS;
    history_budget_sweep(&budget, now);
    assert_string_equal(given(pos(1, 0)), "1-1 1-2");
    history_use(&history, now);
    history_budget_sweep(&budget, now + HISTORY_COLD_MS);
    assert_string_equal(given(pos(1, 0)), "1-1 1-2");
    history_budget_sweep(&budget, now + HISTORY_COLD_MS + 1);
    assert_string_equal(given(pos(1, 0)), "not covered");
    assert_int_equal(budget.bytes, 0);
    push_run(3, 3);
    assert_string_equal(given(pos(1, 2)), "1-3");
}

// The budget

static void alone_it_makes_room_for_the_newest(void **state) {
    (void)state;
    push_run(1, 3);
    budget.max = budget.bytes;
    push_run(4, 4);
    assert_string_equal(given(pos(1, 0)), "not covered");
    assert_string_equal(given(pos(1, 1)), "1-2 1-3 1-4");
}

static void what_does_not_fit_at_all_leaves_no_hole(void **state) {
    (void)state;
    push_run(1, 3);
    budget.max = budget.bytes;
    push(pos(1, 3), padded_frame(1, 4, 5000));
    assert_int_equal(budget.bytes, 0);
    assert_string_equal(given(pos(1, 3)), "not covered");
    push_run(5, 6);
    assert_string_equal(given(pos(1, 4)), "1-5 1-6");
    assert_string_equal(given(pos(1, 3)), "not covered");
}

static void with_no_budget_at_all_it_holds_nothing(void **state) {
    (void)state;
    budget.max = 0;
    history_reset(&history, &budget, pos(1, 0), now);
    push_run(1, 3);
    assert_string_equal(given(pos(1, 3)), "not covered");
    history_use(&history, now);
    assert_int_equal(budget.bytes, 0);
}

// Of many that share a budget, each in turn has a comment: those that had theirs last have history.
static void the_least_recently_used_run_makes_room(void **state) {
    (void)state;
    enum { MANY = 6, ROOM = 3 };
    struct history many[MANY] = {0};
    uint64_t first;
    push_to(&many[0], pos(1, 0), comment_frame(1, 1));
    budget.max = ROOM * budget.bytes;
    for (int i = 1; i < ROOM; i++) push_to(&many[i], pos(1, 0), comment_frame(1, 1));
    history_use(&many[0], now); // now 1 is the oldest
    push_to(&many[3], pos(1, 0), comment_frame(1, 1));
    assert_true(history_covers(&many[0], pos(1, 0), &first));
    assert_false(history_covers(&many[1], pos(1, 0), &first));
    push_to(&many[4], pos(1, 0), comment_frame(1, 1));
    push_to(&many[5], pos(1, 0), comment_frame(1, 1));
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(history_covers(&many[i], pos(1, 0), &first), i >= MANY - ROOM);
        history_release(&many[i]);
    }
}

static void a_dropped_frame_is_freed_unless_it_is_referenced_elsewhere(void **state) {
    (void)state;
    struct frame *f = comment_frame(1, 1);
    history_push(&history, &budget, pos(1, 0), f, now);
    assert_int_equal(atomic_load(&f->refs), 2);
    history_release(&history);
    assert_int_equal(atomic_load(&f->refs), 1);
    frame_unref(f);
}

// The rest of the process's memory is used up: history frees its own, so that a viewer can join.
static void history_yields_to_new_viewers(void **state) {
    (void)state;
    struct history other = {0};
    push_run(1, 3);
    push_to(&other, pos(1, 0), comment_frame(1, 1));
    enum { OTHERS = 1 << 20 };
    budget_take(OTHERS);
    budget_set(OTHERS);
    history_budget_yield(&budget, 0);
    assert_int_equal(held(&history), 0);
    push_run(4, 4);
    assert_int_equal(held(&history), 0); // and holds nothing new
    assert_string_equal(given(pos(1, 3)), "not covered");
    budget_give_back(OTHERS);
    budget_set(SIZE_MAX);
    history_budget_yield(&budget, 0);
    push_run(5, 5);
    assert_int_equal(held(&history), 1);
    history_release(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(before_the_first_frame_no_position_is_covered_and_no_memory_used),
        TEST(it_begins_in_front_of_its_first_frame),
        TEST(everything_since_its_beginning_is_covered),
        TEST(what_it_has_never_held_is_not_covered),
        TEST(gaps_and_messages_without_number_are_part_of_the_run),
        TEST(any_position_is_found_among_messages_without_number),
        TEST(the_newest_comments_are_known_once_the_log_has_been_read),
        TEST(the_newest_comments_are_known_for_some_seconds),
        TEST(what_is_no_comment_is_not_counted),
        TEST(the_newest_comments_are_not_known_where_the_run_was_cut),
        TEST(a_reset_drops_everything_and_begins_at_the_position),
        TEST(the_oldest_frames_are_dropped_and_the_run_begins_after_them),
        TEST(it_holds_no_more_bytes_than_it_may),
        TEST(a_message_without_number_that_goes_leaves_the_beginning),
        TEST(few_frames_are_kept_unless_a_viewer_has_reconnected_lately),
        TEST(a_run_that_is_not_used_is_freed),
        TEST(alone_it_makes_room_for_the_newest),
        TEST(what_does_not_fit_at_all_leaves_no_hole),
        TEST(with_no_budget_at_all_it_holds_nothing),
        TEST(the_least_recently_used_run_makes_room),
        TEST(history_yields_to_new_viewers),
        TEST(a_dropped_frame_is_freed_unless_it_is_referenced_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
