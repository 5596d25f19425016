#include "unit.h"

#include "frame_list.h"
#include "reader/continuity.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

static const struct position none = {0, 0};

// Whether it follows

static void assert_continuity(struct position at, struct engine_entry e, enum continuity wanted) {
    enum continuity c = continuity_of(at, &e);
    if (c != wanted)
        fail_msg("%d instead of %d for %d-%d (prev %d-%d) after %d-%d", (int)c, (int)wanted, (int)e.at.epoch,
                 (int)e.at.seq, (int)e.prev.epoch, (int)e.prev.seq, (int)at.epoch, (int)at.seq);
}

static void the_next_number_follows(void **state) {
    (void)state;
    assert_continuity(pos(1, 4), comment_at(1, 5), CONTINUITY_NEXT);
    assert_continuity(pos(1, 0), comment_at(1, 1), CONTINUITY_NEXT);
    assert_continuity(pos(1, 4), tombstone_at(1, 5), CONTINUITY_NEXT);
    assert_continuity(none, comment_at(7, 70), CONTINUITY_NEXT); // nothing seen yet
}

static void what_was_seen_is_old(void **state) {
    (void)state;
    assert_continuity(pos(1, 4), comment_at(1, 4), CONTINUITY_OLD);
    assert_continuity(pos(1, 4), comment_at(1, 1), CONTINUITY_OLD);
    assert_continuity(pos(2, 1), comment_at(1, 9), CONTINUITY_OLD);
    assert_continuity(pos(2, 0), comment_at(1, 9), CONTINUITY_OLD);
    assert_continuity(pos(2, 3), comment_after(2, 1, pos(1, 9)), CONTINUITY_OLD);
}

static void a_later_number_leaves_a_hole(void **state) {
    (void)state;
    assert_continuity(pos(1, 4), comment_at(1, 6), CONTINUITY_HOLE);
    assert_continuity(pos(1, 0), comment_at(1, 2), CONTINUITY_HOLE);
    assert_continuity(pos(1, 4), tombstone_at(1, 9), CONTINUITY_HOLE);
}

static void an_epoch_follows_its_prev(void **state) {
    (void)state;
    assert_continuity(pos(1, 4), comment_after(2, 1, pos(1, 4)), CONTINUITY_NEXT);
    assert_continuity(pos(1, 0), comment_after(2, 1, pos(1, 0)), CONTINUITY_NEXT);
    assert_continuity(pos(2, 0), comment_after(2, 1, pos(1, 4)), CONTINUITY_NEXT); // in it already
}

static void a_viewer_before_prev_has_missed_entries(void **state) {
    (void)state;
    assert_continuity(pos(1, 3), comment_after(2, 1, pos(1, 4)), CONTINUITY_HOLE);
    assert_continuity(pos(1, 9), comment_after(3, 1, pos(2, 4)), CONTINUITY_HOLE); // an epoch in between
}

static void a_viewer_beyond_prev_has_seen_lost_entries(void **state) {
    (void)state;
    assert_continuity(pos(1, 5), comment_after(2, 1, pos(1, 4)), CONTINUITY_BEYOND);
    // The store has lost a whole epoch: beyond, too.
    assert_continuity(pos(2, 3), comment_after(3, 1, pos(1, 4)), CONTINUITY_BEYOND);
}

static void an_epoch_without_prev_follows_nothing(void **state) {
    (void)state;
    assert_continuity(pos(1, 4), comment_at(2, 1), CONTINUITY_BEYOND);
    assert_continuity(pos(1, 4), comment_at(2, 3), CONTINUITY_HOLE); // its first one may have had a prev
}

static struct engine_entry loss_at(uint64_t epoch, struct position kept) {
    struct engine_entry e = tombstone_at(epoch, 1);
    e.prev = kept;
    return e;
}

static void a_loss_concerns_every_position_from_where_it_begins(void **state) {
    (void)state;
    assert_continuity(pos(1, 3), loss_at(2, pos(1, 4)), CONTINUITY_HOLE); // 1-4 may still be there
    assert_continuity(pos(1, 4), loss_at(2, pos(1, 4)), CONTINUITY_BEYOND);
    assert_continuity(pos(1, 9), loss_at(2, pos(1, 4)), CONTINUITY_BEYOND);
    assert_continuity(pos(1, 9), loss_at(2, none), CONTINUITY_BEYOND);
    assert_continuity(pos(2, 1), loss_at(2, pos(1, 4)), CONTINUITY_OLD);
    assert_continuity(none, loss_at(2, pos(1, 4)), CONTINUITY_NEXT);
}

// Walking over what the log gave

static void assert_walk(struct position at, const struct engine_entry *entries, size_t count,
                        struct position end, const char *text) {
    struct frame_list list = {0};
    continuity_walk(&at, entries, count, frame_list_take, &list);
    assert_string_equal(frame_list_text(&list), text);
    assert_int_equal(at.epoch, end.epoch);
    assert_int_equal(at.seq, end.seq);
}

#define ASSERT_WALK(at, end, text, ...)                                                                      \
    do {                                                                                                     \
        const struct engine_entry given[] = {__VA_ARGS__};                                                   \
        assert_walk((at), given, LEN(given), (end), (text));                                                 \
    } while (0)

static void a_walk_shows_what_follows_and_skips_what_is_old(void **state) {
    (void)state;
    ASSERT_WALK(pos(1, 4), pos(1, 6), "1-5 1-6", comment_at(1, 5), comment_at(1, 6));
    ASSERT_WALK(pos(1, 4), pos(1, 5), "1-5", comment_at(1, 3), comment_at(1, 4), comment_at(1, 5));
    ASSERT_WALK(pos(1, 4), pos(1, 4), "", comment_at(1, 4));
    ASSERT_WALK(none, pos(1, 6), "1-5 1-6", comment_at(1, 5), comment_at(1, 6));
    assert_walk(pos(1, 4), NULL, 0, pos(1, 4), "");
}

static void what_has_expired_is_announced(void **state) {
    (void)state;
    ASSERT_WALK(pos(1, 4), pos(1, 9), "gap(1-5..1-7 3 expired) 1-8 1-9", comment_at(1, 8), comment_at(1, 9));
    ASSERT_WALK(pos(1, 4), pos(1, 6), "gap(1-5..1-5 1 expired) 1-6", comment_at(1, 6));
    ASSERT_WALK(pos(1, 0), pos(1, 3), "gap(1-1..1-2 2 expired) 1-3", comment_at(1, 3));
}

static void tombstones_move_the_position_and_show_nothing(void **state) {
    (void)state;
    ASSERT_WALK(pos(1, 4), pos(1, 6), "1-6", tombstone_at(1, 5), comment_at(1, 6));
    ASSERT_WALK(pos(1, 4), pos(1, 5), "", tombstone_at(1, 5));
    ASSERT_WALK(pos(1, 4), pos(1, 7), "gap(1-5..1-6 2 expired)", tombstone_at(1, 7));
}

static void epochs_that_follow_each_other_are_one_run(void **state) {
    (void)state;
    ASSERT_WALK(pos(1, 4), pos(3, 1), "1-5 2-1 2-2 3-1", comment_at(1, 5), comment_after(2, 1, pos(1, 5)),
                comment_at(2, 2), comment_after(3, 1, pos(2, 2)));
}

static void gaps_across_epochs_lead_to_just_before_the_next_entry(void **state) {
    (void)state;
    // All of epoch 1 behind us and the beginning of epoch 2 have expired.
    ASSERT_WALK(pos(1, 4), pos(2, 4), "gap(1-5..2-2 null expired) 2-3 2-4", comment_at(2, 3),
                comment_at(2, 4));
    // Only the rest of epoch 1 has.
    ASSERT_WALK(pos(1, 4), pos(2, 1), "gap(1-5..2-0 null expired) 2-1", comment_after(2, 1, pos(1, 9)));
}

static void what_the_store_lost_is_a_gap_of_reason_epoch(void **state) {
    (void)state;
    ASSERT_WALK(pos(1, 9), pos(2, 1), "gap(1-10..2-0 null epoch) 2-1", comment_after(2, 1, pos(1, 4)));
    ASSERT_WALK(pos(1, 9), pos(2, 1), "gap(1-10..2-0 null epoch) 2-1", comment_at(2, 1));
    ASSERT_WALK(pos(2, 3), pos(3, 1), "gap(2-4..3-0 null epoch) 3-1", comment_after(3, 1, pos(1, 4)));
}

static void a_loss_is_a_gap_up_to_the_tombstone(void **state) {
    (void)state;
    ASSERT_WALK(pos(1, 4), pos(2, 2), "gap(1-5..2-1 null epoch) 2-2", loss_at(2, pos(1, 4)),
                comment_at(2, 2));
    ASSERT_WALK(pos(1, 9), pos(2, 1), "gap(1-10..2-1 null epoch)", loss_at(2, pos(1, 4)));
    ASSERT_WALK(pos(1, 9), pos(2, 1), "gap(1-10..2-1 null epoch)", loss_at(2, none));
    ASSERT_WALK(pos(1, 3), pos(2, 1), "1-4 gap(1-5..2-1 null epoch)", comment_at(1, 4),
                loss_at(2, pos(1, 4)));
    ASSERT_WALK(pos(1, 2), pos(2, 1), "gap(1-3..2-1 null epoch)", loss_at(2, pos(1, 4))); // 1-3 has expired
}

static void a_loss_that_was_noticed_late_reaches_back(void **state) {
    (void)state;
    ASSERT_WALK(pos(2, 3), pos(3, 1), "gap(1-5..3-1 null epoch)", loss_at(3, pos(1, 4)));
    ASSERT_WALK(pos(1, 4), pos(3, 1), "2-1 gap(1-5..3-1 null epoch)", comment_after(2, 1, pos(1, 4)),
                loss_at(3, pos(1, 4)));
}

// What announced earlier losses is lost, too.
static void a_loss_that_has_left_nothing_reaches_back_to_the_beginning(void **state) {
    (void)state;
    ASSERT_WALK(pos(3, 9), pos(4, 1), "gap(1-1..4-1 null epoch)", loss_at(4, none));
}

// Where a feed stands after it has gone back to an epoch that had begun unnoticed.
static void a_loss_that_an_epoch_begins_with_is_no_hidden_number(void **state) {
    (void)state;
    ASSERT_WALK(pos(3, 0), pos(3, 2), "gap(1-5..3-1 null epoch) 3-2", loss_at(3, pos(1, 4)),
                comment_at(3, 2));
    ASSERT_WALK(pos(3, 0), pos(3, 1), "gap(1-1..3-1 null epoch)", loss_at(3, none));
}

static void a_viewer_that_continues_after_a_gap_gets_no_other(void **state) {
    (void)state;
    struct engine_entry e = comment_after(2, 1, pos(1, 4));
    struct position at = pos(1, 9);
    struct frame_list list = {0};
    continuity_walk(&at, &e, 1, frame_list_take, &list);
    assert_int_equal(list.count, 2);
    assert_continuity(list.frames[0]->at, e, CONTINUITY_NEXT);
    frame_list_release(&list);
}

// What is left up to the log's head

static void assert_before(struct engine_entry e, struct position wanted) {
    struct position at = continuity_before(&e);
    assert_int_equal(position_compare(at, wanted), 0);
    assert_int_equal(continuity_of(at, &e), CONTINUITY_NEXT);
}

static void a_viewer_just_before_an_entry_gets_it_next(void **state) {
    (void)state;
    assert_before(comment_at(1, 7), pos(1, 6));
    assert_before(comment_at(1, 1), pos(1, 0));
    assert_before(comment_after(2, 1, pos(1, 9)), pos(1, 9));
    struct engine_entry loss = tombstone_at(2, 1);
    loss.prev = pos(1, 9);
    struct position at = continuity_before(&loss); // behind it: in front would be a gap
    assert_int_equal(position_compare(at, pos(2, 1)), 0);
}

static void assert_end(struct position at, struct position head, const char *text) {
    struct frame_list list = {0};
    continuity_end(&at, head, frame_list_take, &list);
    assert_string_equal(frame_list_text(&list), text);
    assert_int_equal(position_compare(at, head), 0);
}

static void at_the_head_nothing_is_left(void **state) {
    (void)state;
    assert_end(pos(1, 4), pos(1, 4), "");
    assert_end(pos(1, 0), pos(1, 0), "");
}

static void all_up_to_the_head_has_expired(void **state) {
    (void)state;
    assert_end(pos(1, 4), pos(1, 9), "gap(1-5..1-9 5 expired)");
    assert_end(pos(1, 4), pos(2, 3), "gap(1-5..2-3 null expired)");
}

static void a_head_behind_us_means_that_the_store_went_back(void **state) {
    (void)state;
    assert_end(pos(1, 9), pos(1, 4), "gap(1-10..1-4 null epoch)");
    assert_end(pos(2, 1), pos(1, 4), "gap(2-2..1-4 null epoch)");
    assert_end(pos(1, 9), pos(2, 0), "gap(1-10..2-0 null epoch)"); // a new epoch without entries
}

// A gap that leads nowhere would have no id, and a viewer could not resume after it.
static void a_store_that_came_back_empty_has_no_head_yet(void **state) {
    (void)state;
    struct frame_list list = {0};
    struct position at = pos(1, 9);
    continuity_end(&at, (struct position){0}, frame_list_take, &list);
    assert_string_equal(frame_list_text(&list), "");
    assert_int_equal(position_compare(at, pos(1, 9)), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_number_follows),
        cmocka_unit_test(what_was_seen_is_old),
        cmocka_unit_test(a_later_number_leaves_a_hole),
        cmocka_unit_test(an_epoch_follows_its_prev),
        cmocka_unit_test(a_viewer_before_prev_has_missed_entries),
        cmocka_unit_test(a_viewer_beyond_prev_has_seen_lost_entries),
        cmocka_unit_test(an_epoch_without_prev_follows_nothing),
        cmocka_unit_test(a_loss_concerns_every_position_from_where_it_begins),
        cmocka_unit_test(a_walk_shows_what_follows_and_skips_what_is_old),
        cmocka_unit_test(what_has_expired_is_announced),
        cmocka_unit_test(tombstones_move_the_position_and_show_nothing),
        cmocka_unit_test(epochs_that_follow_each_other_are_one_run),
        cmocka_unit_test(gaps_across_epochs_lead_to_just_before_the_next_entry),
        cmocka_unit_test(what_the_store_lost_is_a_gap_of_reason_epoch),
        cmocka_unit_test(a_loss_is_a_gap_up_to_the_tombstone),
        cmocka_unit_test(a_loss_that_was_noticed_late_reaches_back),
        cmocka_unit_test(a_loss_that_has_left_nothing_reaches_back_to_the_beginning),
        cmocka_unit_test(a_loss_that_an_epoch_begins_with_is_no_hidden_number),
        cmocka_unit_test(a_viewer_that_continues_after_a_gap_gets_no_other),
        cmocka_unit_test(a_viewer_just_before_an_entry_gets_it_next),
        cmocka_unit_test(at_the_head_nothing_is_left),
        cmocka_unit_test(all_up_to_the_head_has_expired),
        cmocka_unit_test(a_head_behind_us_means_that_the_store_went_back),
        cmocka_unit_test(a_store_that_came_back_empty_has_no_head_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
