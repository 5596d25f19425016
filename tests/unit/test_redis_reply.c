// What a server answers may be of any type: that is an error of the operation, never more.
#include "embedded_world.h"
#include "fake_redis.h"

struct odd_day {
    struct world *world;
    struct fake_redis server;
};

static void open_engine(struct odd_day *d) {
    char url[64];
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", d->server.port);
    d->world->engine =
        redis_open(d->world->loop,
                   &(struct redis_config){.url = url, .limits = {.log_entries = 10, .log_age_ms = 1000}});
    d->world->ops = d->world->engine->ops;
}

static int make(void **state) {
    struct odd_day *d = calloc(1, sizeof *d);
    void *world;
    world_make(&world);
    d->world = world;
    fake_redis_start(&d->server, d->world->loop);
    *state = d;
    return 0;
}

static int make_ready(void **state) {
    make(state);
    struct odd_day *d = *state;
    open_engine(d);
    world_await_ready(d->world);
    return 0;
}

static int clean(void **state) {
    struct odd_day *d = *state;
    void *world = d->world;
    world_close(d->world);
    fake_redis_stop(&d->server);
    world_free(&world);
    free(d);
    return 0;
}

#define SIX_NILS "$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n"

// Right for none of the operations.
static const char *const odd[] = {
    "+OK\r\n",
    "+\r\n",
    "-ODD thing\r\n",
    "-\r\n",
    "*-1\r\n",
    "*1\r\n*1\r\n*0\r\n",
    "*1\r\n$-1\r\n",
    "*2\r\n$-1\r\n$-1\r\n",
    "*2\r\n:1\r\n:1\r\n",
    "*2\r\n$6\r\nrepeat\r\n$-1\r\n",
    "*2\r\n$6\r\nrepeat\r\n:7\r\n",
    "*2\r\n$4\r\nlate\r\n*0\r\n",
    "*2\r\n$4\r\nlate\r\n:5\r\n",
    "*3\r\n$2\r\nok\r\n$3\r\n1-1\r\n:0\r\n",
    "*3\r\n$3\r\n1-1\r\n:0\r\n$3\r\nabc\r\n",
    "*3\r\n$3\r\n1-1\r\n$1\r\n0\r\n*0\r\n",
    "*4\r\n$2\r\nok\r\n:1\r\n$0\r\n\r\n:0\r\n",
    "*4\r\n$2\r\nok\r\n$0\r\n\r\n$0\r\n\r\n:0\r\n",
    "*4\r\n$2\r\nok\r\n$3\r\nx-y\r\n$0\r\n\r\n:0\r\n",
    "*4\r\n*0\r\n*0\r\n*0\r\n*0\r\n",
    "*6\r\n" SIX_NILS,
    "*6\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
    "*12\r\n" SIX_NILS SIX_NILS,
    // RESP3, which was not asked for
    "%1\r\n+a\r\n:1\r\n",
    "~2\r\n:1\r\n:2\r\n",
    ",3.5\r\n",
    "#t\r\n",
    "_\r\n",
    "(123456789012345678901234567890\r\n",
    "=7\r\ntxt:abc\r\n",
};

// Right for some of them only.
static const char *const plain[] = {
    ":0\r\n", ":1\r\n", ":-9223372036854775808\r\n", "$0\r\n\r\n", "$3\r\nabc\r\n", "$-1\r\n", "*0\r\n",
};

enum { ODD = sizeof odd / sizeof *odd, PLAIN = sizeof plain / sizeof *plain };

static bool is_of(const char *reply, const char *types) {
    return strchr(types, reply[0]) != NULL;
}

static enum engine_status ask_overview(struct world *w) {
    struct world_overview o = {.world = w};
    w->awaited++;
    w->ops->overview(w->engine, world_on_overview, &o);
    world_wait(w);
    return o.status;
}

static enum engine_status ask_lease(struct world *w) {
    const struct engine_lease lease = {.reader_url = "http://a", .instance_id = "r", .generation = 1};
    struct world_lease l = {.world = w};
    w->awaited++;
    w->ops->lease_renew(w->engine, &lease, 1000, world_on_lease, &l);
    world_wait(w);
    return l.status;
}

static enum engine_status ask_counter(struct world *w) {
    struct world_counter c = {.world = w};
    w->awaited++;
    w->ops->counter_next(w->engine, "n", world_on_counter, &c);
    world_wait(w);
    return c.status;
}

static void ask_everything(struct odd_day *d, const char *reply) {
    struct world *w = d->world;
    const char *comment = "{\"comment\":\"x\"}";
    d->server.other = reply;
    assert_int_equal(world_append(w, "v", comment, NULL).status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_append(w, "v", comment, "token").status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_head(w, "v").status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_range(w, "v", (struct position){0}, 10)->status, ENGINE_UNAVAILABLE);
    enum engine_status found = world_lookup(w, "v").status;
    if (!is_of(reply, "$_") && strcmp(reply, "*-1\r\n") != 0) assert_int_equal(found, ENGINE_UNAVAILABLE);
    found = world_reassign(w, "v", "http://a", "http://b").status;
    if (strncmp(reply, "*2\r\n$", 5) != 0) // a text and a number look like its own
        assert_int_equal(found, strcmp(reply, "*0\r\n") != 0 ? ENGINE_UNAVAILABLE : ENGINE_NOT_FOUND);
    world_assign(w, "v", "http://a");
    found = world_release(w, "v", "http://a");
    if (reply[0] != ':') assert_int_equal(found, ENGINE_UNAVAILABLE);
    assert_int_equal(ask_lease(w), ENGINE_UNAVAILABLE);
    if (reply[0] != ':') assert_int_equal(world_drop(w, "http://a", 1), ENGINE_UNAVAILABLE);
    if (strcmp(reply, "*0\r\n") != 0) assert_int_equal(world_leases(w).status, ENGINE_UNAVAILABLE);
    if (reply[0] != ':') assert_int_equal(ask_counter(w), ENGINE_UNAVAILABLE);
    ask_overview(w);
    d->server.other = "+OK\r\n";
    world_await_ready(w);
}

static void every_operation_fails_on_an_odd_reply(void **state) {
    struct odd_day *d = *state;
    for (size_t i = 0; i < ODD; i++) ask_everything(d, odd[i]);
    for (size_t i = 0; i < PLAIN; i++) ask_everything(d, plain[i]);
    assert_true(d->server.asked > 10 * (ODD + PLAIN));
}

// What comes on the subscriber's connection

struct hearing {
    unsigned said, entries;
};

static void hearing_on_entry(void *arg, const struct engine_entry *e) {
    (void)e;
    ((struct hearing *)arg)->entries++;
}

static void hearing_on_subscribed(void *arg) {
    ((struct hearing *)arg)->said++;
}

static const struct engine_subscriber hearing = {.on_entry = hearing_on_entry,
                                                 .on_subscribed = hearing_on_subscribed};

static void a_subscriber_ignores_odd_messages(void **state) {
    struct odd_day *d = *state;
    struct world *w = d->world;
    struct hearing h = {0};
    static const char *const messages[] = {
        "*3\r\n$7\r\nmessage\r\n:1\r\n$2\r\n{}\r\n",
        "*3\r\n$7\r\nmessage\r\n$7\r\nvideo:v\r\n:1\r\n",
        "*3\r\n$7\r\nmessage\r\n$7\r\nvideo:v\r\n*0\r\n",
        "*3\r\n$7\r\nmessage\r\n$-1\r\n$-1\r\n",
        "*3\r\n:1\r\n$7\r\nvideo:v\r\n$2\r\n{}\r\n",
        "*3\r\n$9\r\nsubscribe\r\n*0\r\n:1\r\n",
        "*2\r\n$7\r\nmessage\r\n$7\r\nvideo:v\r\n",
        "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$7\r\nvideo:v\r\n$2\r\n{}\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$2\r\n{}\r\n",
    };
    w->ops->subscribe(w->engine, "v", &hearing, &h);
    while (!h.said) world_let_pass(w, 1);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) fake_redis_push(&d->server, messages[i]);
    for (size_t i = 0; i < ODD && !is_of(odd[i], "%"); i++) fake_redis_push(&d->server, odd[i]);
    for (size_t i = 0; i < PLAIN; i++) fake_redis_push(&d->server, plain[i]);
    fake_redis_push(&d->server,
                    "*3\r\n$7\r\nmessage\r\n$7\r\nvideo:v\r\n$26\r\n{\"id\":\"5-1\",\"comment\":\"x\"}\r\n");
    while (!h.entries) world_let_pass(w, 1);
    assert_int_equal(h.entries, 1);
}

// Greeting

static void an_odd_greeting_is_reported(void **state) {
    struct odd_day *d = *state;
    struct world *w = d->world;
    const char *why = "";
    for (size_t i = 0; i < ODD + PLAIN; i++) {
        const char *reply = i < ODD ? odd[i] : plain[i - ODD];
        d->server.info = d->server.script = NULL;
        *(i % 2 ? &d->server.info : &d->server.script) = reply;
        open_engine(d);
        for (int k = 0; k < 20 && (k < 3 || !*why); k++) {
            world_let_pass(w, 1);
            assert_false(w->ops->ready(w->engine, &why));
        }
        assert_int_equal(why[strlen(why) - 1], '.');
        world_close(w);
    }
    d->server.info = d->server.script = NULL;
    open_engine(d);
    world_await_ready(w);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ready, clean)
    const struct CMUnitTest tests[] = {
        TEST(every_operation_fails_on_an_odd_reply),
        TEST(a_subscriber_ignores_odd_messages),
        cmocka_unit_test_setup_teardown(an_odd_greeting_is_reported, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
