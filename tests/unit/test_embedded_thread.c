// The order in which the store's thread works, and what its answers may hold. The requests are the test's
// own.
#include "embedded_world.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <time.h>

#include "engine/embedded/embedded_thread.h"

enum { READ_BYTES = 300 << 10, NEVER_S = 10 };

static struct world *world;
static struct store_thread *thread;
static sem_t carried_out, told;

static void on_answers(void *arg) {
    (void)arg;
    sem_post(&told);
}

static int set_up(void **state) {
    world_make(state);
    world = *state;
    sem_init(&carried_out, 0, 0);
    sem_init(&told, 0, 0);
    thread = store_thread_start(&world->config, on_answers, NULL, world->why, sizeof world->why);
    assert_non_null(thread);
    return 0;
}

static void drop(struct request_list *l) {
    for (struct request *r; (r = request_list_take(l));) request_free(r);
}

static int tear_down(void **state) {
    struct request_list answered = {0}, left = {0};
    store_thread_stop(thread, 0, &answered, &left);
    drop(&answered);
    drop(&left);
    return world_free(state);
}

static void carry_out(struct store *s, struct request *r) {
    (void)s;
    if (r->arg) request_hold(r, *(const size_t *)r->arg);
    sem_post(&carried_out);
}

static void push(size_t count, bool reads, const size_t *holds) {
    struct request_list l = {0};
    for (size_t i = 0; i < count; i++) {
        struct request *r = request_new(sizeof *r, 0, carry_out, NULL, (void *)(uintptr_t)holds);
        r->reads_log = reads;
        request_list_add(&l, r);
    }
    store_thread_push(thread, &l);
}

static bool happens(sem_t *what) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += NEVER_S;
    int result;
    do result = sem_timedwait(what, &until);
    while (result && errno == EINTR);
    return result == 0;
}

static void await(size_t count) {
    for (size_t i = 0; i < count; i++) assert_true(happens(&carried_out));
}

static void await_nothing(void) {
    poll(NULL, 0, 100);
    assert_int_equal(sem_trywait(&carried_out), -1);
}

// Takes what a turn of the loop takes; `reads` is how many of them have read the log, at the end.
static size_t take_turn(size_t most, size_t *reads, bool *more) {
    struct request_list answers = store_thread_answers(thread, most, more);
    size_t count = answers.count;
    *reads = 0;
    for (const struct request *r = answers.first; r; r = r->next) {
        assert_true(r->reads_log || !*reads);
        *reads += r->reads_log;
    }
    drop(&answers);
    return count;
}

// Found by bench/attacks: beside clients that do not read their answers, a comment waited for a turn of the
// loop before it was stored, and behind a megabyte of their answers in the next.
static void reads_wait_for_the_loop_and_others_do_not(void **state) {
    (void)state;
    static const size_t bytes = READ_BYTES;
    enum { READS = 20, FULL = 4 };
    size_t reads, taken = 0;
    bool more;
    push(READS, true, &bytes);
    await(FULL);
    await_nothing();
    push(1, false, NULL);
    await(1);
    assert_true(happens(&told));
    while (!(taken = take_turn(64, &reads, &more))) // until the batch has ended
        ;
    if (reads == taken) taken += take_turn(64, &reads, &more);
    assert_true(reads < taken);
    while (taken < READS + 1) {
        size_t count = take_turn(64, &reads, &more);
        assert_true(reads <= 1); // of 300 KB
        taken += count;
    }
    assert_false(more);
}

static void a_turn_takes_a_read_beside_any_number_of_others(void **state) {
    (void)state;
    static const size_t bytes = READ_BYTES;
    size_t reads;
    bool more;
    push(100, false, NULL);
    push(1, true, &bytes);
    await(101);
    push(1, false, NULL); // the batch with the read has ended
    await(1);
    assert_int_equal(take_turn(64, &reads, &more), 65);
    assert_int_equal(reads, 1);
    assert_true(more);
}

static void everything_waits_when_the_loop_takes_nothing(void **state) {
    (void)state;
    static const size_t bytes = 3 << 20;
    size_t reads;
    bool more;
    for (int i = 0; i < 3; i++) {
        push(1, false, &bytes);
        await(1);
    }
    push(1, false, &bytes);
    await_nothing();
    take_turn(1, &reads, &more);
    await(1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_wait_for_the_loop_and_others_do_not),
        TEST(a_turn_takes_a_read_beside_any_number_of_others),
        TEST(everything_waits_when_the_loop_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
