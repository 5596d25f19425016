#include "unit.h"

#include "base/hash.h"
#include "entries.h"
#include "fanout/frame.h"
#include "fanout/ring.h"

static struct frame *frame_of_size(size_t bytes, uint64_t number) {
    char content[256] = {0};
    assert_true(bytes <= sizeof content);
    return frame_of_bytes(content, bytes, pos(1, number));
}

static void push_run(struct ring *r, uint64_t first, uint64_t last, size_t bytes) {
    for (uint64_t n = first; n <= last; n++) ring_push(r, frame_of_size(bytes, n));
}

static void assert_holds(const struct ring *r, uint64_t first, uint64_t next, size_t bytes) {
    assert_int_equal(r->first, first);
    assert_int_equal(r->next, next);
    assert_int_equal(r->bytes, bytes);
    for (uint64_t n = first; n < next; n++) assert_int_equal(ring_at(r, n)->at.seq, n);
}

static void frames_are_numbered_in_the_order_of_their_addition(void **state) {
    (void)state;
    struct ring r = {0};
    assert_holds(&r, 0, 0, 0);
    push_run(&r, 0, 9, 10);
    assert_holds(&r, 0, 10, 100);
    ring_release(&r);
    assert_holds(&r, 10, 10, 0);
}

static void a_frame_dropped_is_released_and_no_other(void **state) {
    (void)state;
    struct frame *frames[4];
    struct ring r = {0};
    for (uint64_t n = 0; n < 4; n++) {
        frames[n] = frame_of_size(10, n);
        ring_push(&r, frame_ref(frames[n]));
    }
    for (uint64_t n = 0; n < 4; n++) assert_int_equal(atomic_load(&frames[n]->refs), 2);
    ring_drop_before(&r, 2);
    assert_holds(&r, 2, 4, 20);
    assert_int_equal(atomic_load(&frames[1]->refs), 1);
    assert_int_equal(atomic_load(&frames[2]->refs), 2);
    ring_drop_before(&r, 1); // long gone
    assert_holds(&r, 2, 4, 20);
    ring_release(&r);
    for (uint64_t n = 0; n < 4; n++) {
        assert_int_equal(atomic_load(&frames[n]->refs), 1);
        frame_unref(frames[n]);
    }
}

static void an_empty_ring_keeps_no_memory_and_continues_its_numbers(void **state) {
    (void)state;
    struct ring r = {0};
    assert_null(r.slots);
    push_run(&r, 0, 40, 10);
    ring_drop_before(&r, 1000); // no further than there is
    assert_holds(&r, 41, 41, 0);
    assert_null(r.slots);
    assert_int_equal(r.room, 0);
    push_run(&r, 41, 50, 10);
    assert_holds(&r, 41, 51, 100);
    ring_release(&r);
    assert_null(r.slots);
}

static void it_grows_while_its_run_wraps_around(void **state) {
    (void)state;
    struct ring r = {0};
    push_run(&r, 0, 3, 10);
    ring_drop_before(&r, 3);
    push_run(&r, 4, 6, 10); // 3..6 in four slots, around the end
    push_run(&r, 7, 40, 10);
    assert_holds(&r, 3, 41, 380);
    ring_release(&r);
}

// Against a list kept the simplest way.
static void it_is_right_whatever_is_done(void **state) {
    (void)state;
    enum { STEPS = 20000, FRAMES = 7 };
    static size_t sizes[STEPS];
    uint64_t first = 0, next = 0;
    size_t bytes = 0;
    struct ring r = {0};
    for (int i = 0; i < STEPS; i++) {
        if (hash_random() % 8 == 0) {
            uint64_t until = first + hash_random() % 4;
            ring_drop_before(&r, until);
            for (; first < until && first < next; first++) bytes -= sizes[first];
        } else {
            sizes[next] = 1 + hash_random() % 120;
            ring_push(&r, frame_of_size(sizes[next], next));
            bytes += sizes[next++];
            if (next - first > FRAMES) {
                ring_drop_before(&r, first + 1);
                bytes -= sizes[first++];
            }
        }
        assert_holds(&r, first, next, bytes);
    }
    ring_release(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_numbered_in_the_order_of_their_addition),
        cmocka_unit_test(a_frame_dropped_is_released_and_no_other),
        cmocka_unit_test(an_empty_ring_keeps_no_memory_and_continues_its_numbers),
        cmocka_unit_test(it_grows_while_its_run_wraps_around),
        cmocka_unit_test(it_is_right_whatever_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
