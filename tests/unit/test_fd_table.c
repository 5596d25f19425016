// Descriptors passed from the test's thread to one with a table of its own.
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "net/fd_table.h"
#include "net/loop.h"
#include "run_loop.h"

enum { MANY = 3000 }; // more than a pipe holds

struct taker {
    struct fd_pipe *pipe;
    int count, also_keep;
    pthread_t thread;
    // What it found.
    int error, failed, in_order, others;
};

// The receiver identifies a descriptor by the flags of its file: the test numbers them.
static bool is_number(int fd, int number) {
    char text[16] = "";
    return pread(fd, text, sizeof text - 1, 0) > 0 && strtol(text, NULL, 10) == number;
}

static int count_open(void) {
    int count = 0;
    for (int fd = 3; fd < 20000; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void *take_all(void *arg) {
    struct taker *t = arg;
    int keep[] = {fd_pipe_receiving_end(t->pipe), t->also_keep};
    t->error = fd_table_unshare(keep, t->also_keep < 0 ? 1 : 2);
    t->others = count_open() - (t->also_keep < 0 ? 1 : 2);
    for (int i = 0; i < t->count && !t->error; i++) {
        int fd = fd_pipe_receive(t->pipe);
        t->failed += fd < 0;
        t->in_order += fd >= 0 && is_number(fd, i);
        if (fd >= 0) close(fd);
    }
    return NULL;
}

static int numbered_file(int number) {
    char text[16];
    int fd = memfd_create("numbered", MFD_CLOEXEC);
    snprintf(text, sizeof text, "%d", number);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static struct loop *loop;
static struct taker taker;

static int set_up(void **state) {
    (void)state;
    int error;
    loop = loop_new();
    taker = (struct taker){.pipe = fd_pipe_new(loop, &error), .also_keep = -1};
    assert_int_equal(error, 0);
    moved_clock_run();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fd_pipe_free(taker.pipe);
    loop_free(loop);
    return 0;
}

static void start(void) {
    skip_if_one_table_is_known();
    assert_int_equal(pthread_create(&taker.thread, NULL, take_all, &taker), 0);
}

static void end(void) {
    assert_int_equal(pthread_join(taker.thread, NULL), 0);
    assert_int_equal(taker.error, 0);
}

static void descriptors_arrive_in_order_and_leave_our_table(void **state) {
    (void)state;
    int before = count_open();
    taker.count = 20;
    for (int i = 0; i < taker.count; i++) fd_pipe_send(taker.pipe, numbered_file(i));
    assert_int_equal(count_open(), before);
    start();
    end();
    assert_int_equal(taker.in_order, taker.count);
}

static void more_than_the_pipe_holds_is_queued_in_order(void **state) {
    (void)state;
    int before = count_open();
    taker.count = MANY;
    for (int i = 0; i < MANY; i++) fd_pipe_send(taker.pipe, numbered_file(i));
    assert_true(count_open() > before); // these wait
    start();
    fd_pipe_flush(taker.pipe);
    assert_int_equal(count_open(), before);
    end();
    assert_int_equal(taker.in_order, MANY);
}

static bool nothing_waits(void *arg) {
    return count_open() <= *(int *)arg;
}

static void the_loop_sends_the_queue(void **state) {
    (void)state;
    int before = count_open();
    taker.count = MANY;
    for (int i = 0; i < MANY; i++) fd_pipe_send(taker.pipe, numbered_file(i));
    start();
    run_until(loop, nothing_waits, &before);
    end();
    assert_int_equal(taker.in_order, MANY);
}

static void descriptors_not_received_are_closed(void **state) {
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    for (int i = 0; i < MANY; i++) fd_pipe_send(taker.pipe, dup(pair[0]));
    close(pair[0]);
    tear_down(state);
    char byte;
    assert_int_equal(read(pair[1], &byte, 1), 0); // the end, as no copy is left
    close(pair[1]);
    set_up(state);
}

static void an_unshared_table_has_only_what_is_kept(void **state) {
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    start();
    end();
    assert_int_equal(taker.others, 0);
    assert_int_equal(write(pair[0], "x", 1), 1); // ours is as it was
    taker.also_keep = pair[1];
    start();
    end();
    assert_int_equal(taker.others, 0);
    close(pair[0]);
    close(pair[1]);
}

static void a_full_table_is_an_error_and_closes_the_descriptor(void **state) {
    (void)state;
    struct rlimit was, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    low = (struct rlimit){.rlim_cur = 3, .rlim_max = was.rlim_max}; // 0, 1, 2
    taker.count = 2;
    for (int i = 0; i < taker.count; i++) fd_pipe_send(taker.pipe, numbered_file(i));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    start();
    end();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_int_equal(taker.failed, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(descriptors_arrive_in_order_and_leave_our_table),
        TEST(more_than_the_pipe_holds_is_queued_in_order),
        TEST(the_loop_sends_the_queue),
        TEST(descriptors_not_received_are_closed),
        TEST(an_unshared_table_has_only_what_is_kept),
        TEST(a_full_table_is_an_error_and_closes_the_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
