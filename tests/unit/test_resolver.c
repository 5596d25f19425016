// Addresses are returned immediately or after the callback, which never runs inside a call.
#include "net/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>

#include "not_inside.h"
#include "run_loop.h"

// The program's getaddrinfo() is this one. Names that begin with "no" are not found.
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held;
    unsigned asked, answered;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    static struct sockaddr_in at = {.sin_family = AF_INET};
    static const struct addrinfo one = {.ai_addr = (struct sockaddr *)&at, .ai_addrlen = sizeof at};
    (void)service;
    (void)hints;
    pthread_mutex_lock(&names.lock);
    names.asked++;
    pthread_cond_broadcast(&names.changed);
    while (names.held) pthread_cond_wait(&names.changed, &names.lock);
    names.answered++;
    pthread_mutex_unlock(&names.lock);
    *found = (struct addrinfo *)&one;
    return strncmp(name, "no", 2) ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *found) {
    (void)found;
}

static void hold(bool held) {
    pthread_mutex_lock(&names.lock);
    names.held = held;
    pthread_cond_broadcast(&names.changed);
    pthread_mutex_unlock(&names.lock);
}

struct world {
    struct loop *loop;
    struct resolver *resolver;
    unsigned done, wanted;
    bool asks; // in the callback
};

static int ask(struct world *w, const char *host) {
    struct resolver_addresses found;
    int error;
    INSIDE(error = resolver_get(w->resolver, host, &found));
    return error;
}

static void on_done(void *arg) {
    struct world *w = arg;
    assert_not_inside();
    w->done++;
    if (w->asks) ask(w, "third.test");
    w->asks = false;
}

static bool all_done(void *arg) {
    const struct world *w = arg;
    return w->done >= w->wanted;
}

static void run(struct world *w, unsigned wanted) {
    w->wanted = wanted;
    run_until(w->loop, all_done, w);
}

static int set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    w->loop = loop_new();
    w->resolver = resolver_new(w->loop, on_done, w);
    names.asked = names.answered = 0;
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    resolver_free(w->resolver);
    loop_free(w->loop);
    free(w);
    return 0;
}

static void a_numeric_address_is_its_own_answer(void **state) {
    struct world *w = *state;
    assert_int_equal(ask(w, "127.0.0.1"), 0);
    assert_int_equal(ask(w, "::1"), 0);
    run_turns(w->loop, 2);
    assert_int_equal(w->done, 0);
    assert_int_equal(names.asked, 0);
}

static void a_name_is_looked_up_once_and_cached(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 3; i++) assert_int_equal(ask(w, "one.test"), -EINPROGRESS);
    run(w, 1);
    assert_int_equal(ask(w, "one.test"), 0);
    run_turns(w->loop, 2);
    assert_int_equal(w->done, 1);
    assert_int_equal(names.asked, 1);
}

static void a_failure_is_cached_for_a_while(void **state) {
    struct world *w = *state;
    assert_int_equal(ask(w, "none.test"), -EINPROGRESS);
    run(w, 1);
    assert_int_equal(ask(w, "none.test"), -EHOSTUNREACH);
    run_later(w->loop, RESOLVER_FAILED_MS);
    assert_int_equal(ask(w, "none.test"), -EINPROGRESS);
    run(w, 2);
}

static void the_callback_runs_once_per_name_and_may_resolve_more(void **state) {
    struct world *w = *state;
    w->asks = true;
    assert_int_equal(ask(w, "one.test"), -EINPROGRESS);
    assert_int_equal(ask(w, "two.test"), -EINPROGRESS);
    run(w, 3);
    run_turns(w->loop, 2);
    assert_int_equal(w->done, 3);
    assert_int_equal(names.asked, 3);
}

static void names_are_queued_for_threads(void **state) {
    struct world *w = *state;
    char name[32];
    hold(true);
    for (int i = 0; i < 3 * RESOLVER_LOOKUPS; i++) {
        snprintf(name, sizeof name, "host%d.test", i);
        assert_int_equal(ask(w, name), -EINPROGRESS);
    }
    hold(false);
    run(w, 3 * RESOLVER_LOOKUPS);
    assert_int_equal(ask(w, name), 0);
    assert_int_equal(w->done, 3 * RESOLVER_LOOKUPS);
}

static void no_callback_follows_its_end(void **state) {
    struct world *w = *state;
    hold(true);
    assert_int_equal(ask(w, "one.test"), -EINPROGRESS);
    resolver_free(w->resolver);
    hold(false);
    pthread_mutex_lock(&names.lock);
    while (!names.answered) {
        pthread_mutex_unlock(&names.lock);
        run_turns(w->loop, 1);
        pthread_mutex_lock(&names.lock);
    }
    pthread_mutex_unlock(&names.lock);
    run_turns(w->loop, 2);
    assert_int_equal(w->done, 0);
    w->resolver = resolver_new(w->loop, on_done, w);
}

int main(void) {
#define RESOLVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RESOLVER_TEST(a_numeric_address_is_its_own_answer),
        RESOLVER_TEST(a_name_is_looked_up_once_and_cached),
        RESOLVER_TEST(a_failure_is_cached_for_a_while),
        RESOLVER_TEST(the_callback_runs_once_per_name_and_may_resolve_more),
        RESOLVER_TEST(names_are_queued_for_threads),
        RESOLVER_TEST(no_callback_follows_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
