// A Cluster of two servers, one the other's replica, that says of itself what the test sets.
#include "embedded_world.h"
#include "fake_redis.h"

struct pair {
    struct world *world;
    struct fake_redis first, second;
    char firsts[96], seconds[96]; // CLUSTER SLOTS: all of them are the first one's, or the second's
    unsigned messages;
};

static int make(void **state) {
    struct pair *p = calloc(1, sizeof *p);
    char url[64];
    void *world;
    static const char all[] = "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n";
    world_make(&world);
    p->world = world;
    fake_redis_start(&p->first, p->world->loop);
    fake_redis_start(&p->second, p->world->loop);
    snprintf(p->firsts, sizeof p->firsts, all, p->first.port);
    snprintf(p->seconds, sizeof p->seconds, all, p->second.port);
    p->first.slots = p->second.slots = p->firsts;
    snprintf(url, sizeof url, "cluster://127.0.0.1:%d,127.0.0.1:%d", p->first.port, p->second.port);
    p->world->engine =
        redis_open(p->world->loop,
                   &(struct redis_config){.url = url, .limits = {.log_entries = 10, .log_age_ms = 1000}});
    p->world->ops = p->world->engine->ops;
    *state = p;
    return 0;
}

static int clean(void **state) {
    struct pair *p = *state;
    void *world = p->world;
    world_close(p->world);
    fake_redis_stop(&p->first);
    fake_redis_stop(&p->second);
    world_free(&world);
    free(p);
    return 0;
}

static void on_message(void *arg, const char *body, size_t len) {
    struct pair *p = arg;
    (void)body;
    (void)len;
    p->messages++;
}

// What a replica gets, too, of what is published.
static void publish(struct pair *p, struct fake_redis *by) {
    unsigned before = p->messages;
    static const char message[] = "*3\r\n$8\r\nsmessage\r\n$12\r\nchorus:topic\r\n$1\r\nx\r\n";
    fake_redis_push(by == &p->first ? &p->second : &p->first, message);
    fake_redis_push(by, message);
    for (int i = 0; i < 500 && p->messages == before; i++) world_let_pass(p->world, 1);
    world_let_pass(p->world, 20);
}

static bool is_subscribed_at(const struct fake_redis *server) {
    for (const struct fake_redis_conn *c = server->conns; c; c = c->next)
        if (c->subscribes) return true;
    return false;
}

static void a_message_that_a_deposed_primary_passes_on_comes_once(void **state) {
    struct pair *p = *state;
    struct world *w = p->world;
    struct engine_listener *l = w->ops->listen(w->engine, "topic", on_message, p);
    for (int i = 0; i < 5000 && !p->messages; i += 20) publish(p, &p->first);
    assert_int_equal(p->messages, 1);
    p->first.slots = p->second.slots = p->seconds;
    p->first.other = "-CLUSTERDOWN it is another's turn\r\n"; // so that the table is read
    for (int i = 0; i < 5000 && !is_subscribed_at(&p->second); i++) world_let_pass(w, 1);
    p->messages = 0;
    for (int i = 0; i < 10; i++) publish(p, &p->second);
    assert_int_equal(p->messages, 10);
    w->ops->unlisten(w->engine, l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_that_a_deposed_primary_passes_on_comes_once, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
