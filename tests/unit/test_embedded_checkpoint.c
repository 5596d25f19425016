// When the write-ahead log is copied, and by which thread. SQLite's own copying is replaced: a background
// copy ends when the test says so.
#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>

#include "engine/embedded/embedded_checkpoint.h"

static pthread_t own;
static sem_t begun, may_end;
static int log_pages; // as SQLite would find it
static int own_copies;

int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *, const char *, int, int *, int *);
int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *pages, int *copied) {
    (void)db, (void)name, (void)mode;
    *pages = *copied = log_pages;
    if (pthread_equal(pthread_self(), own)) {
        own_copies++;
    } else {
        sem_post(&begun);
        sem_wait(&may_end);
    }
    return SQLITE_OK;
}

static struct store store = {.path = "/tmp/chorus-test-none/chorus.db"};
static struct checkpointer *checkpointer;

static int set_up(void **state) {
    (void)state;
    own = pthread_self();
    sem_init(&begun, 0, 0);
    sem_init(&may_end, 0, 0);
    own_copies = store.wal_pages = log_pages = 0;
    checkpointer = checkpointer_start(&store);
    assert_non_null(checkpointer);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    checkpointer_stop(checkpointer);
    return 0;
}

static void grow_to(int pages) {
    store.wal_pages = log_pages = pages;
    checkpointer_run_if_due(checkpointer, &store);
}

static bool copies(void) {
    int value = 0;
    for (int i = 0; i < 200 && sem_getvalue(&begun, &value) == 0 && !value; i++) poll(NULL, 0, 1);
    return value && sem_wait(&begun) == 0;
}

static void end_copy(void) {
    sem_post(&may_end);
    checkpointer_wait(checkpointer);
}

// Found by bench/attacks: each second all comments waited up to 50 ms while the store's thread wrote the
// pages that had come during the last background copy.
static void the_rest_is_made_small_in_the_background(void **state) {
    (void)state;
    grow_to(16000);
    assert_true(copies());
    grow_to(17600); // meanwhile
    end_copy();
    grow_to(17600);
    assert_true(copies());
    grow_to(18000);
    end_copy();
    grow_to(18000); // 400 are left
    assert_true(copies());
    grow_to(18150);
    end_copy();
    grow_to(18150);
    assert_true(copies());
    grow_to(18250);
    assert_int_equal(own_copies, 0);
    end_copy();
    grow_to(18250); // 100, after 150: that is as short as it becomes
    assert_int_equal(own_copies, 1);
}

static void a_short_log_is_copied_in_the_background_each_4_mb(void **state) {
    (void)state;
    for (int pages = 1000; pages < 16000; pages += 1000) {
        grow_to(pages - 1);
        assert_int_equal(sem_trywait(&begun), -1);
        grow_to(pages);
        assert_true(copies());
        end_copy();
    }
    assert_int_equal(own_copies, 0);
    grow_to(500); // SQLite has restarted it
    grow_to(1000);
    assert_true(copies());
    end_copy();
}

static void *end_later(void *ignored) {
    poll(NULL, 0, 20);
    sem_post(&may_end);
    return ignored;
}

static void a_log_that_gets_too_long_is_finished_whatever_it_takes(void **state) {
    (void)state;
    pthread_t other;
    grow_to(16000);
    assert_true(copies());
    for (int pages = 17000; pages < 32000; pages += 1000) grow_to(pages);
    pthread_create(&other, NULL, end_later, NULL);
    grow_to(32000); // waits for the copy
    pthread_join(other, NULL);
    assert_int_equal(own_copies, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_rest_is_made_small_in_the_background),
        TEST(a_short_log_is_copied_in_the_background_each_4_mb),
        TEST(a_log_that_gets_too_long_is_finished_whatever_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
