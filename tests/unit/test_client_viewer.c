// The simulated viewer of `chorus clients`; what it does with a stream is tested from outside.
#include "not_inside.h"
#include "run_loop.h"

#include "base/mem.h"
#include "base/prng.h"
#include "clients/tally.h"
#include "clients/client_viewer.h"
#include "http/client.h"
#include "net/resolver.h"

struct attempts {
    struct client_viewer_env env; // first
    struct tally tally;
    struct prng prng;
    unsigned ended;
};

static void on_attempt_over(struct client_viewer_env *env, struct client_viewer *v) {
    assert_not_inside();
    assert_int_equal(v->state, CLIENT_VIEWER_IDLE);
    ((struct attempts *)env)->ended++;
}

static void on_wants_connection(struct client_viewer_env *env, struct client_viewer *v) {
    (void)env;
    (void)v;
}

static void on_resolved(void *arg) {
    (void)arg;
}

static bool has_ended(void *arg) {
    return ((struct attempts *)arg)->ended > 0;
}

// connect(2) refuses the broadcast address immediately.
static void an_attempt_that_fails_immediately_ends_after_the_call(void **state) {
    (void)state;
    struct attempts a = {.env = {.loop = loop_new(),
                                 .on_attempt_over = on_attempt_over,
                                 .on_wants_connection = on_wants_connection}};
    const char *path;
    struct client_viewer v;
    a.env.tally = &a.tally;
    a.env.prng = &a.prng;
    a.env.resolver = resolver_new(a.env.loop, on_resolved, NULL);
    client_viewer_init(&v, &a.env, 1, 1);
    v.reader = origins_get(&a.env.origins, "http://255.255.255.255:1", &path);
    assert_non_null(v.reader);
    INSIDE(client_viewer_connect(&v));
    run_until(a.env.loop, has_ended, &a);
    assert_int_equal(a.tally.refused, 1);
    assert_null(v.reader); // so that it asks the manager again
    client_viewer_release(&v);
    origins_release(&a.env.origins);
    resolver_free(a.env.resolver);
    loop_free(a.env.loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attempt_that_fails_immediately_ends_after_the_call)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
