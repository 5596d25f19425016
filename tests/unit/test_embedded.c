// How the embedded engine shares the control loop with others.
#include "embedded_world.h"

#include <poll.h>

// Found by bench/attacks: after the store had been held up, one turn took 9 ms for 650 answers.
static void a_turn_takes_a_bounded_number_of_answers(void **state) {
    struct world *w = *state;
    enum { MANY = 400, PER_TURN = 64 };
    static struct world_append all[MANY];
    for (int i = 0; i < MANY; i++) world_begin_append(w, &all[i], "v", "{\"comment\":\"x\"}", NULL);
    world_let_pass(w, 0); // hands over the rest
    poll(NULL, 0, 300);   // all are answered by now, unless the machine is very busy
    uint64_t turn = loop_turn(w->loop);
    world_wait(w);
    for (int i = 0; i < MANY; i++) assert_int_equal(all[i].at.seq, i + 1);
    assert_true(loop_turn(w->loop) - turn >= (MANY - PER_TURN) / PER_TURN);
}

static void answers_that_are_left_come_when_it_is_closed(void **state) {
    struct world *w = *state;
    enum { MANY = 200 };
    static struct world_append all[MANY];
    for (int i = 0; i < MANY; i++) world_begin_append(w, &all[i], "v", "{\"comment\":\"x\"}", NULL);
    world_let_pass(w, 20);
    world_close(w);
    for (int i = 0; i < MANY; i++) assert_int_equal(all[i].calls, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make_open, world_free)
    const struct CMUnitTest tests[] = {
        TEST(a_turn_takes_a_bounded_number_of_answers),
        TEST(answers_that_are_left_come_when_it_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
