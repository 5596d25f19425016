#include "unit.h"

#include "entries.h"
#include "reader/history.h"

static struct history_budget budget;
static struct history history;

static int set_up(void **state) {
    (void)state;
    budget = (struct history_budget){.max = 64 << 20};
    history_init(&history, &budget);
    return 0;
}

// Whatever a test did, nothing stays charged.
static int tear_down(void **state) {
    (void)state;
    history_release(&history);
    return budget.bytes != 0;
}

static void push(struct frame *f) {
    history_push(&history, f);
    frame_unref(f);
}

static void push_run(uint64_t first, uint64_t last) {
    for (uint64_t seq = first; seq <= last; seq++) push(comment_frame(1, seq));
}

// What somebody who stands at `at` is given, or "not covered".
static const char *given(struct position at) {
    static struct frame *frames[HISTORY_FRAMES];
    uint64_t first;
    size_t count = 0;
    if (!history_covers(&history, at, &first)) return "not covered";
    for (uint64_t n = first; n < history.ring.next; n++) frames[count++] = ring_at(&history.ring, n);
    return frames_text(frames, count);
}

static void before_anything_is_known_nobody_is_covered(void **state) {
    (void)state;
    assert_string_equal(given(pos(1, 0)), "not covered");
    assert_string_equal(given(pos(0, 0)), "not covered");
    push(foreign_frame("a")); // no position: still nothing is known
    assert_string_equal(given(pos(0, 0)), "not covered");
}

static void everything_since_its_beginning_is_covered(void **state) {
    (void)state;
    history_reset(&history, pos(1, 4));
    assert_string_equal(given(pos(1, 4)), "");
    push_run(5, 7);
    assert_string_equal(given(pos(1, 4)), "1-5 1-6 1-7");
    assert_string_equal(given(pos(1, 5)), "1-6 1-7");
    assert_string_equal(given(pos(1, 7)), "");
}

static void what_it_has_never_held_is_not_covered(void **state) {
    (void)state;
    history_reset(&history, pos(1, 4));
    push_run(5, 7);
    assert_string_equal(given(pos(1, 3)), "not covered");
    assert_string_equal(given(pos(1, 8)), "not covered");
    assert_string_equal(given(pos(2, 5)), "not covered");
    assert_string_equal(given(pos(0, 0)), "not covered");
}

static void gaps_and_messages_without_number_are_part_of_the_run(void **state) {
    (void)state;
    history_reset(&history, pos(1, 4));
    push(comment_frame(1, 5));
    push(foreign_frame("one"));
    push(frame_of_gap(pos(1, 6), pos(2, 0), GAP_EPOCH));
    push(comment_frame(2, 1));
    push(foreign_frame("two"));
    assert_string_equal(given(pos(1, 5)), "one gap(1-6..2-0 null epoch) 2-1 two");
    assert_string_equal(given(pos(2, 0)), "2-1 two");
    assert_string_equal(given(pos(2, 1)), "two");
    assert_string_equal(given(pos(1, 7)), "not covered"); // inside the gap
}

static void a_reset_forgets_all_and_begins_there(void **state) {
    (void)state;
    history_reset(&history, pos(1, 4));
    push_run(5, 7);
    history_reset(&history, pos(1, 7));
    assert_int_equal(budget.bytes, 0);
    assert_string_equal(given(pos(1, 5)), "not covered");
    assert_string_equal(given(pos(1, 7)), "");
    push_run(8, 8);
    assert_string_equal(given(pos(1, 7)), "1-8");
}

static void the_oldest_go_and_the_run_begins_behind_them(void **state) {
    (void)state;
    history_reset(&history, pos(1, 0));
    push_run(1, HISTORY_FRAMES + 10);
    assert_int_equal(history.ring.next - history.ring.first, HISTORY_FRAMES);
    assert_int_equal(history.from.seq, 10);
    assert_string_equal(given(pos(1, 9)), "not covered");
    uint64_t first;
    assert_true(history_covers(&history, pos(1, 10), &first));
    assert_int_equal(first, history.ring.first);
    assert_int_equal(ring_at(&history.ring, first)->at.seq, 11);
}

static void it_holds_no_more_bytes_than_it_may(void **state) {
    (void)state;
    enum { SIZE = 100000 };
    history_reset(&history, pos(1, 0));
    for (uint64_t seq = 1; seq <= 100; seq++) {
        push(padded_frame(1, seq, SIZE));
        assert_true(history.ring.bytes <= HISTORY_BYTES);
        assert_int_equal(budget.bytes, history.ring.bytes);
    }
    assert_int_equal(history.ring.next - history.ring.first, HISTORY_BYTES / (SIZE + 100));
    assert_int_equal(history.from.seq, 100 - HISTORY_BYTES / (SIZE + 100));
}

// The run's beginning is where the last frame with a position stood, not where a message without one did.
static void a_message_without_number_that_goes_leaves_the_beginning(void **state) {
    (void)state;
    history_reset(&history, pos(1, 4));
    push(comment_frame(1, 5));
    push(foreign_frame("a"));
    push_run(6, HISTORY_FRAMES + 5); // pushes both out
    assert_int_equal(history.from.seq, 5);
    assert_int_equal(ring_at(&history.ring, history.ring.first)->at.seq, 6);
    uint64_t first;
    assert_true(history_covers(&history, pos(1, 5), &first));
    assert_int_equal(first, history.ring.first);
}

static void without_budget_it_begins_anew_and_has_no_hole(void **state) {
    (void)state;
    history_reset(&history, pos(1, 0));
    push_run(1, 3);
    budget.max = budget.bytes + 10; // others have used it
    push_run(4, 4);
    assert_int_equal(budget.bytes, 0);
    assert_string_equal(given(pos(1, 3)), "not covered");
    assert_string_equal(given(pos(1, 4)), "");
    push_run(5, 6);
    assert_string_equal(given(pos(1, 4)), "1-5 1-6");
    assert_string_equal(given(pos(1, 5)), "1-6");
}

static void with_no_budget_at_all_it_knows_where_the_feed_stands(void **state) {
    (void)state;
    budget.max = 0;
    history_reset(&history, pos(1, 0));
    push_run(1, 3);
    assert_string_equal(given(pos(1, 3)), "");
    assert_string_equal(given(pos(1, 2)), "not covered");
    push(foreign_frame("a"));
    assert_string_equal(given(pos(1, 3)), "");
}

static void the_budget_is_shared(void **state) {
    (void)state;
    struct history other;
    history_init(&other, &budget);
    history_reset(&history, pos(1, 0));
    history_reset(&other, pos(1, 0));
    push_run(1, 1);
    size_t one = budget.bytes;
    budget.max = 3 * one;
    push_run(2, 2);
    struct frame *f = comment_frame(1, 1);
    history_push(&other, f);
    assert_int_equal(budget.bytes, 3 * one);
    push_run(3, 3); // no room: its own go, the other's stay
    assert_int_equal(budget.bytes, one);
    uint64_t first;
    assert_true(history_covers(&other, pos(1, 0), &first));
    assert_string_equal(given(pos(1, 3)), "");
    assert_string_equal(given(pos(1, 2)), "not covered");
    history_release(&other);
    frame_unref(f);
}

static void at_rest_it_keeps_the_newest_few(void **state) {
    (void)state;
    history_reset(&history, pos(1, 0));
    push_run(1, 100);
    history.used_ms = 50000;
    history_rest(&history, 50000 + HISTORY_WARM_MS);
    assert_int_equal(history.ring.next - history.ring.first, 100);
    history_rest(&history, 50000 + HISTORY_WARM_MS + 1);
    assert_int_equal(history.ring.next - history.ring.first, HISTORY_RESTING_FRAMES);
    assert_int_equal(budget.bytes, history.ring.bytes);
    assert_int_equal(history.from.seq, 100 - HISTORY_RESTING_FRAMES);
    assert_string_equal(given(pos(1, 98)), "1-99 1-100");
}

static void a_frame_forgotten_is_freed_unless_somebody_else_holds_it(void **state) {
    (void)state;
    struct frame *f = comment_frame(1, 1);
    history_reset(&history, pos(1, 0));
    history_push(&history, f);
    assert_int_equal(atomic_load(&f->refs), 2);
    history_reset(&history, pos(1, 1));
    assert_int_equal(atomic_load(&f->refs), 1);
    frame_unref(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(before_anything_is_known_nobody_is_covered),
        TEST(everything_since_its_beginning_is_covered),
        TEST(what_it_has_never_held_is_not_covered),
        TEST(gaps_and_messages_without_number_are_part_of_the_run),
        TEST(a_reset_forgets_all_and_begins_there),
        TEST(the_oldest_go_and_the_run_begins_behind_them),
        TEST(it_holds_no_more_bytes_than_it_may),
        TEST(a_message_without_number_that_goes_leaves_the_beginning),
        TEST(without_budget_it_begins_anew_and_has_no_hole),
        TEST(with_no_budget_at_all_it_knows_where_the_feed_stands),
        TEST(the_budget_is_shared),
        TEST(at_rest_it_keeps_the_newest_few),
        TEST(a_frame_forgotten_is_freed_unless_somebody_else_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
