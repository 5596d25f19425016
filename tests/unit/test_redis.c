// The engine on Redis when things go wrong: each test has a server of its own, and does something to it.
#include "embedded_world.h"
#include "redis_server.h"

#include "engine/redis/redis_head.h"
#include "placement/placement.h"

struct bad_day {
    struct world *world;
    struct redis_server server;
};

static int make(void **state) {
    struct bad_day *d = calloc(1, sizeof *d);
    void *world;
    world_make(&world);
    d->world = world;
    d->server.folder = d->world->folder; // keeps an append-only file there, so that it can come back
    redis_server_start(&d->server);
    d->world->redis_port = d->server.port;
    world_open(d->world);
    *state = d;
    return 0;
}

static int clean(void **state) {
    struct bad_day *d = *state;
    void *world = d->world;
    world_free(&world);
    redis_server_stop(&d->server);
    free(d);
    return 0;
}

static void await_away(struct world *w) {
    const char *why = "";
    for (int i = 0; i < WORLD_LONG_MS && w->ops->ready(w->engine, &why); i++) world_let_pass(w, 1);
    assert_false(w->ops->ready(w->engine, &why));
    assert_int_equal(why[strlen(why) - 1], '.');
}

static unsigned logged(struct world *w, const char *video) {
    const struct world_range *r = world_range(w, video, (struct position){0}, 1000);
    assert_int_equal(r->status, ENGINE_OK);
    return (unsigned)r->count;
}

// Restarts

static void a_restart_begins_an_epoch_with_prev(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct position before = world_post(w, "v", 1);
    redis_server_stop(&d->server);
    await_away(w);
    redis_server_start(&d->server);
    world_await_ready(w);
    assert_int_equal(position_compare(world_head(w, "v").at, before), 0);
    struct world_append a = world_append(w, "v", "{\"comment\":\"2\"}", NULL);
    assert_int_equal(a.status, ENGINE_OK);
    assert_true(a.at.epoch > before.epoch);
    assert_int_equal(a.at.seq, 1);
    assert_int_equal(position_compare(a.prev, before), 0);
    const struct world_range *r = world_range(w, "v", (struct position){0}, 10);
    assert_int_equal(r->count, 2);
    assert_int_equal(position_compare(r->prev[1], before), 0);
}

static int64_t server_ms(const struct redis_server *s) {
    redisReply *r = redis_server_ask(s, "TIME");
    assert_non_null(r);
    int64_t ms = strtoll(r->element[0]->str, NULL, 10) * 1000 + strtoll(r->element[1]->str, NULL, 10) / 1000;
    freeReplyObject(r);
    return ms;
}

// An epoch is a moment in ms: what was lost within the one it was begun in has a number again.
static void what_the_server_has_lost_is_not_numbered_again(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct position before = world_post(w, "v", 1);
    while (server_ms(&d->server) <= (int64_t)before.epoch) continue;
    assert_true(redis_server_tell(&d->server, "FLUSHALL"));
    struct world_append a = world_append(w, "v", "{\"comment\":\"2\"}", NULL);
    assert_true(a.at.epoch > before.epoch);
    assert_false(position_is_set(a.prev));
    assert_int_equal(a.at.seq, 2); // behind a tombstone that announces the loss
}

static void a_log_without_its_position_continues_in_a_new_epoch(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct position before = world_post(w, "v", 1);
    assert_true(redis_server_tell(&d->server, "DEL {video:v}:pos"));
    struct world_append a = world_append(w, "v", "{\"comment\":\"2\"}", NULL);
    assert_int_equal(a.status, ENGINE_OK);
    assert_true(a.at.epoch > before.epoch);
    assert_int_equal(position_compare(a.prev, before), 0);
    assert_true(redis_server_tell(&d->server, "DEL {video:v}:pos"));
    assert_int_equal(position_compare(world_head(w, "v").at, a.at), 0);
    struct world_append b = world_append(w, "v", "{\"comment\":\"3\"}", NULL);
    assert_int_equal(position_compare(b.prev, a.at), 0);
}

// Away

static void while_it_is_away_everything_is_refused_in_a_moment(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    redis_server_stop(&d->server);
    await_away(w);
    assert_int_equal(world_append(w, "v", "{\"comment\":\"1\"}", NULL).status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_head(w, "v").status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_lookup(w, "v").status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_leases(w).status, ENGINE_UNAVAILABLE);
    redis_server_start(&d->server);
    int64_t back_ms = clock_monotonic_ms();
    world_await_ready(w);
    assert_true(clock_monotonic_ms() - back_ms < 3000);
    world_post(w, "v", 1);
}

static void an_append_that_was_given_up_is_not_carried_out_later(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    world_post(w, "v", 1);
    kill(d->server.pid, SIGSTOP);
    struct world_append a = world_append(w, "v", "{\"comment\":\"given up\"}", NULL);
    assert_int_equal(a.status, ENGINE_UNAVAILABLE);
    await_away(w);
    kill(d->server.pid, SIGCONT);
    int64_t back_ms = clock_monotonic_ms();
    world_await_ready(w);
    assert_true(clock_monotonic_ms() - back_ms < 3000);
    assert_int_equal(world_post(w, "v", 2).seq, 2);
    assert_int_equal(logged(w, "v"), 2);
}

// A callback with UNAVAILABLE may call another operation immediately.
struct insisting {
    struct world *world;
    enum engine_status first, second;
};

static void insisting_on_second(void *arg, enum engine_status status, const struct engine_head *head) {
    struct insisting *i = arg;
    (void)head;
    i->second = status;
    world_answered(i->world);
}

static void insisting_on_first(void *arg, enum engine_status status, const struct engine_head *head) {
    struct insisting *i = arg;
    (void)head;
    i->first = status;
    i->world->ops->head(i->world->engine, "other", (struct position){0}, insisting_on_second, i);
}

static void operations_called_while_the_connection_ends_are_refused(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct insisting i = {.world = w};
    kill(d->server.pid, SIGSTOP);
    w->awaited++;
    w->ops->head(w->engine, "v", (struct position){0}, insisting_on_first, &i);
    world_let_pass(w, 1); // so that it is on its way
    redis_server_stop(&d->server);
    world_wait(w);
    assert_int_equal(i.first, ENGINE_UNAVAILABLE);
    assert_int_equal(i.second, ENGINE_UNAVAILABLE);
    redis_server_start(&d->server);
}

static void flushed_scripts_are_loaded_again(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct position first = world_post(w, "v", 1);
    assert_true(redis_server_tell(&d->server, "SCRIPT FLUSH"));
    assert_int_equal(world_append(w, "v", "{\"comment\":\"2\"}", NULL).status, ENGINE_UNAVAILABLE);
    world_await_ready(w);
    struct position second = world_post(w, "v", 3);
    assert_int_equal(second.epoch, first.epoch); // the server is the same
    assert_int_equal(second.seq, 2);
}

static void a_server_that_refuses_is_not_ready_with_a_reason(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    const char *why = "";
    world_post(w, "v", 1);
    assert_true(redis_server_tell(&d->server, "CONFIG SET min-replicas-to-write 1"));
    assert_int_equal(world_append(w, "v", "{\"comment\":\"2\"}", NULL).status, ENGINE_UNAVAILABLE);
    assert_false(w->ops->ready(w->engine, &why));
    assert_int_equal(world_head(w, "v").status, ENGINE_OK); // what needs no write is answered
    assert_string_equal(why, "Redis accepts no writes because too few replicas are connected.");
    assert_int_equal(logged(w, "v"), 1);
    assert_true(redis_server_tell(&d->server, "CONFIG SET min-replicas-to-write 0"));
    world_await_ready(w); // by itself
    assert_int_equal(world_post(w, "v", 2).seq, 2);
}

static long connections(const struct redis_server *s) {
    redisReply *reply = redis_server_ask(s, "INFO stats");
    assert_non_null(reply);
    long count = strtol(strchr(reply->str, ':') + 1, NULL, 10); // total_connections_received comes first
    freeReplyObject(reply);
    return count;
}

static void a_server_of_no_use_is_not_tried_all_the_time(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    assert_true(redis_server_tell(&d->server, "REPLICAOF 127.0.0.1 1"));
    long before = connections(&d->server);
    for (int64_t end_ms = clock_monotonic_ms() + 900; clock_monotonic_ms() < end_ms;)
        assert_int_equal(world_append(w, "v", "{\"comment\":\"1\"}", NULL).status, ENGINE_UNAVAILABLE);
    assert_in_range(connections(&d->server) - before, 2, 12); // every 20 ms it would be 40
    assert_true(redis_server_tell(&d->server, "REPLICAOF NO ONE"));
    world_await_ready(w);
    world_post(w, "v", 1);
}

static void a_key_of_the_wrong_type_affects_its_video_only(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    const char *why = "";
    assert_true(redis_server_tell(&d->server, "SADD {video:odd}:pos x"));
    assert_int_equal(world_append(w, "odd", "{\"comment\":\"1\"}", NULL).status, ENGINE_UNAVAILABLE);
    assert_true(w->ops->ready(w->engine, &why));
    world_post(w, "v", 1);
}

static void a_wrong_password_is_reported(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    const char *why = "";
    world_close(w);
    assert_true(redis_server_tell(&d->server, "CONFIG SET requirepass right"));
    char url[64];
    snprintf(url, sizeof url, "redis://:wrong@127.0.0.1:%d", d->server.port);
    w->engine = redis_open(
        w->loop, &(struct redis_config){.url = url, .limits = {.log_entries = 10, .log_age_ms = 1000}});
    w->ops = w->engine->ops;
    for (int i = 0; i < WORLD_LONG_MS && !strstr(why, "WRONGPASS"); i++) {
        world_let_pass(w, 1);
        assert_false(w->ops->ready(w->engine, &why));
    }
    assert_null(strstr(why, "wrong@"));
    world_close(w);
    snprintf(url, sizeof url, "redis://:right@127.0.0.1:%d/3", d->server.port);
    w->engine = redis_open(
        w->loop, &(struct redis_config){.url = url, .limits = {.log_entries = 10, .log_age_ms = 1000}});
    world_await_ready(w);
    world_post(w, "v", 1);
}

static void on_answer(void *arg, const struct placement_answer *a) {
    enum placement_status *status = arg;
    *status = a->status;
}

static void placement_does_not_wait_for_a_store_that_has_never_answered(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    enum placement_status status = PLACEMENT_OK;
    redis_server_stop(&d->server);
    world_close(w);
    char url[64];
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", d->server.port);
    w->engine = redis_open(w->loop, &(struct redis_config){.url = url});
    w->ops = w->engine->ops;
    struct placement *p = placement_new(w->loop, w->engine, &(struct placement_config){0});
    placement_start(p);
    placement_register(p, "v", on_answer, &status);
    for (int i = 0; i < WORLD_LONG_MS && status == PLACEMENT_OK; i++) world_let_pass(w, 1);
    assert_int_equal(status, PLACEMENT_UNAVAILABLE);
    world_close(w);
    placement_free(p);
    redis_server_start(&d->server);
}

// A long log

static void run_script(const struct redis_server *s, const char *script) {
    redisContext *c = redisConnect("127.0.0.1", s->port);
    redisReply *reply = redisCommand(c, "EVAL %s 0", script);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR) fail_msg("%s", reply->str);
    freeReplyObject(reply);
    redisFree(c);
}

static long calls_of_xrange(const struct redis_server *s) {
    redisReply *reply = redis_server_ask(s, "INFO commandstats");
    assert_non_null(reply);
    const char *at = strstr(reply->str, "cmdstat_xrange:calls=");
    long calls = at ? strtol(at + strlen("cmdstat_xrange:calls="), NULL, 10) : 0;
    freeReplyObject(reply);
    return calls;
}

static void what_has_expired_in_a_long_log_is_leapt_over(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    // Two epochs of 30,000: all expired but the last 250.
    run_script(
        &d->server,
        "local now = redis.call('TIME')[1] * 1000 for i = 1, 60000 do "
        "local id = (i <= 30000 and '1000-' or '2000-') .. (i - 1) % 30000 + 1 "
        "redis.call('XADD', '{video:v}:log', id, 't', i > 59750 and string.format('%.0f', now) or '5', "
        "'j', '{\"id\":\"' .. id .. '\",\"comment\":\"x\"}') end "
        "redis.call('SET', '{video:v}:pos', '2000-30000 run')");
    const struct world_range *r = world_range(w, "v", (struct position){1000, 0}, 100);
    assert_int_equal(r->status, ENGINE_OK);
    assert_int_equal(r->count, 100);
    assert_true(r->more);
    assert_int_equal(position_compare(r->at[0], (struct position){2000, 29751}), 0);
    assert_int_equal(position_compare(r->at[99], (struct position){2000, 29850}), 0);
    assert_in_range(calls_of_xrange(&d->server), 1, 100); // one after the other it would be 600
    assert_int_equal(world_range(w, "v", (struct position){1000, 5}, 1000)->count, 250);
    assert_int_equal(world_range(w, "v", (struct position){2000, 29750}, 1000)->count, 250);
    assert_int_equal(world_range_before(w, "v", (struct position){0}, 1000)->count, 250);
    run_script(&d->server, "redis.call('XTRIM', '{video:v}:log', 'MINID', '2000-10') "
                           "redis.call('XDEL', '{video:v}:log', '2000-29752')");
    assert_int_equal(world_range(w, "v", (struct position){1000, 5}, 1000)->count, 249);
}

static void what_others_have_added_to_a_log_is_passed_over(void **state) {
    struct bad_day *d = *state;
    run_script(&d->server, "local now = string.format('%.0f', redis.call('TIME')[1] * 1000) for i = 1, 3 do "
                           "redis.call('XADD', '{video:v}:log', '1000-' .. 2 * i - 1, 'foo', 'bar') "
                           "redis.call('XADD', '{video:v}:log', '1000-' .. 2 * i, 't', now, 'j', "
                           "'{\"id\":\"1000-' .. 2 * i .. '\",\"comment\":\"x\"}') end "
                           "redis.call('SET', '{video:v}:pos', '1000-6 run')");
    const struct world_range *r = world_range(d->world, "v", (struct position){1000, 0}, 10);
    assert_int_equal(r->status, ENGINE_OK);
    assert_int_equal(r->count, 3);
    assert_int_equal(r->at[0].seq, 2);
    r = world_range_before(d->world, "v", (struct position){0}, 1);
    assert_int_equal(r->count, 1);
    assert_int_equal(r->at[0].seq, 6);
    assert_true(r->more);
    r = world_range_before(d->world, "v", (struct position){1000, 6}, 2);
    assert_int_equal(r->count, 2);
    assert_int_equal(r->at[0].seq, 2);
    assert_false(r->more);
}

// How entries are kept and published

// The texts of a reply, with spaces between.
static void add_texts(const redisReply *reply, char *out, size_t size) {
    if (reply->type == REDIS_REPLY_STRING)
        snprintf(out + strlen(out), size - strlen(out), "%s%s", *out ? " " : "", reply->str);
    for (size_t i = 0; i < reply->elements; i++) add_texts(reply->element[i], out, size);
}

static const char *stored(const struct redis_server *s, struct position at) {
    static char texts[512];
    char command[128], id[POSITION_TEXT_SIZE];
    position_format(at, id);
    snprintf(command, sizeof command, "XRANGE {video:v}:log %s %s", id, id);
    redisReply *reply = redis_server_ask(s, command);
    texts[0] = 0;
    add_texts(reply->element[0]->element[1], texts, sizeof texts);
    freeReplyObject(reply);
    const char *moment = strchr(texts, ' ');
    assert_non_null(moment);
    return strchr(moment + 1, ' ') + 1; // behind `t` and its value
}

static redisContext *listen_to(const struct redis_server *s) {
    redisContext *c = redisConnect("127.0.0.1", s->port);
    freeReplyObject(redisCommand(c, "SUBSCRIBE video:v"));
    return c;
}

static void assert_published(redisContext *c, const char *json) {
    redisReply *reply;
    assert_int_equal(redisGetReply(c, (void **)&reply), REDIS_OK);
    assert_string_equal(reply->element[2]->str, json);
    freeReplyObject(reply);
}

static struct position append_seven(struct world *w) {
    struct world_append a = {.world = w};
    const struct engine_append what = world_what("v", (enum entry_kind)7, "{\"target\":\"x\"}");
    w->awaited++;
    w->ops->append(w->engine, &what, world_on_append, &a);
    world_wait(w);
    assert_int_equal(a.status, ENGINE_OK);
    return a.at;
}

static void comments_are_published_in_full_and_other_kinds_by_number(void **state) {
    struct bad_day *d = *state;
    char json[160], kept[320], id[POSITION_TEXT_SIZE];
    redisContext *c = listen_to(&d->server);
    struct position at = world_post(d->world, "v", 1);
    position_format(at, id);
    snprintf(json, sizeof json, "{\"id\":\"%s\",\"comment\":\"1\"}", id);
    snprintf(kept, sizeof kept, "j %s", json);
    assert_published(c, json);
    assert_string_equal(stored(&d->server, at), kept);

    at = append_seven(d->world);
    position_format(at, id);
    snprintf(json, sizeof json, "{\"id\":\"%s\"}", id);
    snprintf(kept, sizeof kept, "j %s k 7 b {\"target\":\"x\"}", json);
    assert_published(c, json);
    assert_string_equal(stored(&d->server, at), kept);
    redisFree(c);
}

// An earlier version takes an epoch's first number, if nothing else is with it, as a loss.
static void an_epoch_that_begins_with_another_kind_looks_like_no_loss(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    char json[200], id[POSITION_TEXT_SIZE], prev[POSITION_TEXT_SIZE];
    position_format(world_post(w, "v", 1), prev);
    redis_server_stop(&d->server);
    await_away(w);
    redis_server_start(&d->server);
    world_await_ready(w);
    redisContext *c = listen_to(&d->server);
    struct position at = append_seven(w);
    assert_int_equal(at.seq, 1);
    position_format(at, id);
    snprintf(json, sizeof json, "{\"id\":\"%s\",\"prev\":\"%s\",\"kind\":7,\"body\":null}", id, prev);
    assert_published(c, json);
    redisFree(c);
    const struct world_range *r = world_range(w, "v", (struct position){0}, 10);
    assert_int_equal(r->count, 2);
    assert_int_equal(r->kind[1], 7);
    assert_true(position_is_set(r->prev[1]));
    assert_non_null(strstr(r->json[1], ",\"target\":\"x\"}"));
}

static void what_an_earlier_version_has_kept_is_read(void **state) {
    struct bad_day *d = *state;
    run_script(&d->server,
               "local now = string.format('%.0f', redis.call('TIME')[1] * 1000) "
               "local function add(id, rest) redis.call('XADD', '{video:v}:log', id, 't', now, 'j', "
               "'{\"id\":\"' .. id .. '\"' .. rest .. '}') end "
               "add('1000-1', ',\"comment\":\"x\"') add('1000-2', ',\"kind\":7,\"a\":1') add('1000-3', '') "
               "add('2000-1', ',\"prev\":\"1000-3\",\"comment\":\"y\"') "
               "add('3000-1', ',\"prev\":\"2000-0\"') redis.call('SET', '{video:v}:pos', '3000-1 run')");
    const struct world_range *r = world_range(d->world, "v", (struct position){1000, 0}, 10);
    static const int kinds[] = {ENTRY_COMMENT, 7, ENTRY_TOMBSTONE, ENTRY_COMMENT, ENTRY_TOMBSTONE};
    assert_int_equal(r->count, 5);
    for (size_t i = 0; i < 5; i++) assert_int_equal(r->kind[i], kinds[i]);
    assert_string_equal(r->json[0], "{\"id\":\"1000-1\",\"comment\":\"x\"}");
    assert_string_equal(r->json[1], "{\"id\":\"1000-2\",\"a\":1}");
    assert_string_equal(r->json[3], "{\"id\":\"2000-1\",\"comment\":\"y\"}");
    assert_int_equal(r->prev[3].seq, 3);
    assert_int_equal(r->prev[4].epoch, 2000);
}

// Epoch 1000 lacks its last two comments, 2000 all, and 3000 its first; 4000 begins with a loss.
static void what_was_taken_out_where_an_epoch_ends_is_no_loss(void **state) {
    struct bad_day *d = *state;
    static const struct {
        struct position at, prev;
        int kind;
    } log[] = {{{1000, 1}, {0}, ENTRY_COMMENT},        {{1000, 2}, {0}, ENTRY_BLANK},
               {{1000, 3}, {0}, ENTRY_BLANK},          {{2000, 1}, {1000, 3}, ENTRY_BLANK},
               {{3000, 1}, {2000, 1}, ENTRY_BLANK},    {{3000, 2}, {0}, ENTRY_COMMENT},
               {{4000, 1}, {3000, 3}, ENTRY_TOMBSTONE}};
    enum { COUNT = sizeof log / sizeof *log };
    run_script(&d->server,
               "local now = string.format('%.0f', redis.call('TIME')[1] * 1000) "
               "local function add(id, rest) redis.call('XADD', '{video:v}:log', id, 't', now, 'j', "
               "'{\"id\":\"' .. id .. '\"' .. rest .. '}') end "
               "for _, id in ipairs({'1000-2', '1000-3', '2000-1', '3000-1'}) do "
               "redis.call('ZADD', '{video:v}:retracted', now, id) end "
               "add('1000-1', ',\"comment\":\"x\"') add('3000-2', ',\"comment\":\"y\"') "
               "add('4000-1', ',\"prev\":\"3000-3\"') "
               "redis.call('SET', '{video:v}:pos', '4000-1 run  3000-3,2000-1,1000-3,0-0')");
    for (size_t before = 0; before < 2; before++) {
        const struct world_range *r = before ? world_range_before(d->world, "v", (struct position){0}, 10)
                                             : world_range(d->world, "v", (struct position){0}, 10);
        assert_int_equal(r->count, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            assert_int_equal(position_compare(r->at[i], log[i].at), 0);
            assert_int_equal(r->kind[i], log[i].kind);
            assert_int_equal(position_compare(r->prev[i], log[i].prev), 0);
        }
    }
    assert_int_equal(world_range(d->world, "v", (struct position){1000, 2}, 10)->count, COUNT - 2);
    assert_int_equal(world_range(d->world, "v", (struct position){1000, 3}, 2)->count, 2);
    assert_int_equal(world_range_before(d->world, "v", (struct position){3000, 2}, 3)->count, 3);
}

static void an_entry_with_fields_that_are_none_is_left_out(void **state) {
    struct bad_day *d = *state;
    run_script(
        &d->server,
        "local now = string.format('%.0f', redis.call('TIME')[1] * 1000) "
        "local function add(id, k, b) redis.call('XADD', '{video:v}:log', id, 't', now, 'j', "
        "'{\"id\":\"' .. id .. '\"}', 'k', k, 'b', b) end "
        "add('1000-1', 'x', '{}') add('1000-2', '1000', '{}') add('1000-3', '7', '') add('1000-4', '7', '{}') "
        "redis.call('SET', '{video:v}:pos', '1000-4 run')");
    const struct world_range *r = world_range(d->world, "v", (struct position){1000, 0}, 10);
    assert_int_equal(r->count, 1);
    assert_int_equal(r->at[0].seq, 4);
    assert_int_equal(r->kind[0], 7);
}

// Many long logs

enum { LOGS = 400, LOG_LENGTH = 1000, LOG_TEXT = 500 };

struct reading {
    struct world *world;
    unsigned whole;
};

static void on_read(void *arg, enum engine_status status, const struct engine_range *range) {
    struct reading *r = arg;
    r->whole += status == ENGINE_OK && range->count == LOG_LENGTH;
    world_answered(r->world);
}

static long long memory_peak(const struct redis_server *s) {
    redisReply *reply = redis_server_ask(s, "INFO memory");
    assert_non_null(reply);
    const char *at = strstr(reply->str, "used_memory_peak:");
    long long bytes = at ? strtoll(strchr(at, ':') + 1, NULL, 10) : 0;
    freeReplyObject(reply);
    return bytes;
}

static void read_all(struct world *w, struct reading *reading, const char *video) {
    *reading = (struct reading){.world = w};
    for (unsigned i = 0; i < LOGS; i++) {
        w->awaited++;
        w->ops->range(w->engine, video, (struct position){0}, LOG_LENGTH, on_read, reading);
    }
}

static void concurrent_ranges_do_not_fill_the_servers_memory(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct reading reading;
    char script[512];
    snprintf(script, sizeof script,
             "local now = string.format('%%.0f', redis.call('TIME')[1] * 1000) for i = 1, %d do "
             "redis.call('XADD', '{video:v}:log', '1000-' .. i, 't', now, 'j', "
             "'{\"id\":\"1000-' .. i .. '\",\"comment\":\"' .. string.rep('x', %d) .. '\"}') end "
             "redis.call('SET', '{video:v}:pos', '1000-%d run')",
             LOG_LENGTH, LOG_TEXT, LOG_LENGTH);
    run_script(&d->server, script);
    long long before = memory_peak(&d->server);
    kill(d->server.pid, SIGSTOP); // so that it finds all requests together
    read_all(w, &reading, "v");
    world_let_pass(w, 5);
    kill(d->server.pid, SIGCONT);
    world_wait(w);
    assert_int_equal(reading.whole, LOGS);
    assert_true(memory_peak(&d->server) - before < (long long)LOGS * LOG_LENGTH * LOG_TEXT / 4);
}

static void waiting_ranges_are_answered_when_the_server_stops(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct reading reading;
    kill(d->server.pid, SIGSTOP);
    read_all(w, &reading, "v");
    world_let_pass(w, 1);
    redis_server_stop(&d->server);
    world_wait(w);
    assert_int_equal(reading.whole, 0);
    redis_server_start(&d->server);
    world_await_ready(w);
    read_all(w, &reading, "v");
    world_close(w);
    assert_int_equal(w->awaited, 0);
}

// Closing

static void what_waits_at_the_end_is_still_stored(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    static struct world_append all[200];
    for (int i = 0; i < 200; i++) world_begin_append(w, &all[i], "v", "{\"comment\":\"x\"}", NULL);
    world_close(w);
    assert_int_equal(w->awaited, 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(all[i].status, ENGINE_OK);
        assert_int_equal(all[i].at.seq, i + 1);
    }
    world_open(w);
    assert_int_equal(logged(w, "v"), 200);
    assert_int_equal(world_overview(w)->comments, 200);
}

static void appends_that_cannot_be_stored_while_closing_fail(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct world_append a;
    kill(d->server.pid, SIGSTOP);
    world_begin_append(w, &a, "v", "{\"comment\":\"x\"}", NULL);
    world_close(w);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.status, ENGINE_CLOSED);
    kill(d->server.pid, SIGCONT);
}

// Subscribing

struct viewer {
    struct engine_subscription *subscription;
    unsigned said, entries;
    char last[256];
};

static void viewer_on_entry(void *arg, const struct engine_entry *e) {
    struct viewer *v = arg;
    v->entries++;
    world_text(e, v->last, sizeof v->last);
}

static void viewer_on_subscribed(void *arg) {
    ((struct viewer *)arg)->said++;
}

static const struct engine_subscriber viewer_subscriber = {.on_entry = viewer_on_entry,
                                                           .on_subscribed = viewer_on_subscribed};

static void await(struct world *w, const unsigned *what, unsigned count) {
    for (int i = 0; i < WORLD_LONG_MS && *what < count; i++) world_let_pass(w, 1);
    assert_true(*what >= count);
}

static void view(struct viewer *v, struct world *w, const char *video) {
    v->subscription = w->ops->subscribe(w->engine, video, &viewer_subscriber, v);
    await(w, &v->said, 1);
}

static void a_disconnected_subscriber_resubscribes_and_notifies(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct viewer v = {0};
    view(&v, w, "v");
    assert_true(redis_server_tell(&d->server, "CLIENT KILL TYPE pubsub"));
    await(w, &v.said, 2);
    world_post(w, "v", 1);
    await(w, &v.entries, 1);
}

enum { MANY = 300 };

static void many_are_subscribed_again_with_few_commands(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    static struct viewer viewers[MANY];
    memset(viewers, 0, sizeof viewers);
    static char names[MANY][16]; // which the subscriptions borrow
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "v%u", i);
        viewers[i].subscription = w->ops->subscribe(w->engine, names[i], &viewer_subscriber, &viewers[i]);
    }
    for (unsigned i = 0; i < MANY; i++) await(w, &viewers[i].said, 1);
    int64_t before = redis_server_calls(&d->server, "subscribe");
    assert_true(redis_server_tell(&d->server, "CLIENT KILL TYPE pubsub"));
    for (unsigned i = 0; i < MANY; i++) await(w, &viewers[i].said, 2);
    assert_true(redis_server_calls(&d->server, "subscribe") - before <= 10);
    world_post(w, "v0", 1);
    world_post(w, "v299", 1);
    await(w, &viewers[0].entries, 1);
    await(w, &viewers[299].entries, 1);
}

// Each as if it had been asked for alone.
static void heads_of_a_turn_are_asked_for_together(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    static struct world_head heads[MANY];
    static struct position at[MANY];
    char names[MANY][16];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "v%u", i);
        at[i] = world_post(w, names[i], i);
        heads[i] = (struct world_head){.world = w};
    }
    struct world_amend end = world_amend(w, &(struct engine_amend){.video = "v7", .kind = ENTRY_END});
    assert_int_equal(end.status, ENGINE_OK);
    at[7] = end.at;
    assert_true(redis_server_tell(&d->server, "PEXPIRE {video:v8}:pos 100000"));
    assert_true(redis_server_tell(&d->server, "DEL {video:v9}:pos {video:v9}:log")); // its loss is announced
    struct position behind = {at[11].epoch, at[11].seq - 1}, none = {0};
    int64_t before = redis_server_calls(&d->server, "evalsha");
    w->awaited += MANY;
    for (unsigned i = 0; i < MANY; i++)
        w->ops->head(w->engine, names[i],
                     i == 10   ? none
                     : i == 11 ? behind
                               : at[i],
                     world_on_head, &heads[i]);
    world_wait(w);
    assert_true(redis_server_calls(&d->server, "evalsha") - before <= MANY / HEADS_AT_ONCE + 1 + 3);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(heads[i].status, ENGINE_OK);
        assert_int_equal(heads[i].over, i == 7);
        assert_int_equal(position_compare(heads[i].at, at[i]), i == 9 ? 1 : 0);
    }
    assert_true(redis_server_calls(&d->server, "pexpire") > 0);
    redisReply *left = redis_server_ask(&d->server, "PTTL {video:v8}:pos");
    assert_true(left->integer > 100000);
    freeReplyObject(left);
}

static void heads_that_wait_are_answered_when_it_closes(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct world_head heads[2] = {{.world = w}, {.world = w}};
    struct position at[2] = {world_post(w, "a", 1), world_post(w, "b", 1)};
    w->awaited += 2;
    w->ops->head(w->engine, "a", at[0], world_on_head, &heads[0]);
    w->ops->head(w->engine, "b", at[1], world_on_head, &heads[1]);
    world_close(w);
    assert_int_equal(w->awaited, 0);
    for (int i = 0; i < 2; i++) assert_int_equal(heads[i].status, ENGINE_CLOSED);
}

static void a_subscription_made_while_away_holds_later(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct viewer v = {0};
    redis_server_stop(&d->server);
    await_away(w);
    v.subscription = w->ops->subscribe(w->engine, "v", &viewer_subscriber, &v);
    redis_server_start(&d->server);
    await(w, &v.said, 1);
    world_await_ready(w);
    world_post(w, "v", 1);
    await(w, &v.entries, 1);
}

static void what_others_publish_arrives_as_it_is(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct viewer v = {0};
    view(&v, w, "v");
    assert_true(redis_server_tell(&d->server, "PUBLISH video:v nonsense"));
    assert_true(redis_server_tell(&d->server, "PUBLISH video:v {\"comment\":\"theirs\"}"));
    await(w, &v.entries, 1);
    assert_string_equal(v.last, "{\"comment\":\"theirs\"}");
}

static int64_t ask_number(const struct redis_server *s, const char *command) {
    redisReply *reply = redis_server_ask(s, command);
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    int64_t number = reply->integer;
    freeReplyObject(reply);
    return number;
}

static void a_full_server_still_stores_mappings_and_leases(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    const struct engine_lease lease = {.reader_url = "http://a", .instance_id = "reader-1", .generation = 1};
    assert_true(world_assign(w, "old", "http://a").changed);
    world_renew(w, &lease, 3000);
    assert_true(redis_server_tell(&d->server, "CONFIG SET maxmemory 1"));
    assert_int_equal(world_append(w, "old", "{\"comment\":\"x\"}", NULL).status, ENGINE_STORE_FULL);
    const char *why;
    assert_true(w->ops->ready(w->engine, &why));
    assert_true(world_assign(w, "new", "http://a").changed);
    assert_string_equal(world_lookup(w, "new").reader, "http://a");
    assert_true(world_reassign(w, "new", "http://a", "http://b").changed);
    assert_int_equal(world_release(w, "new", "http://b"), ENGINE_OK);
    assert_int_equal(world_head(w, "watched").status, ENGINE_OK);
    assert_false(world_renew(w, &lease, 3000));
    assert_int_equal(world_counter_next(w, "n"), 0);
    assert_int_equal(world_counter_next(w, "n"), 1);
    assert_int_equal(world_drop(w, "http://a", 1), ENGINE_OK);
    w->ops->watch(w->engine, (const char *const[]){"old"}, 1, true);
    assert_non_null(strstr(world_leases(w).text, "expired"));
    assert_int_equal(ask_number(&d->server, "ZCARD chorus:watched"), 1);
}

static void assigning_a_mapping_that_is_there_extends_its_life(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    world_assign(w, "v", "http://a");
    world_assign(w, "w", "http://a");
    assert_int_equal(ask_number(&d->server, "PEXPIRE video:v:reader 5000"), 1);
    assert_int_equal(ask_number(&d->server, "ZRANK chorus:mapped v"), 0);
    assert_string_equal(world_assign(w, "v", "http://b").reader, "http://a");
    assert_true(ask_number(&d->server, "PTTL video:v:reader") > 5000);
    assert_int_equal(ask_number(&d->server, "ZRANK chorus:mapped v"), 1);
}

static void a_watched_mapping_does_not_expire(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    world_assign(w, "v", "http://a");
    assert_int_equal(ask_number(&d->server, "PEXPIRE video:v:reader 5000"), 1);
    w->ops->watch(w->engine, (const char *const[]){"v", "unknown"}, 2, true);
    world_lookup(w, "other"); // answered behind that
    assert_true(ask_number(&d->server, "PTTL video:v:reader") > 5000);
    assert_int_equal(ask_number(&d->server, "ZCARD chorus:watched"), 2);
    assert_int_equal(ask_number(&d->server, "ZCARD chorus:mapped"), 1); // that creates nothing
}

static void a_stepped_clock_of_the_server_unwatches_no_video(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    w->config.limits.max_videos = 1;
    world_reopen(w);
    assert_int_equal(world_assign(w, "v", "http://a").status, ENGINE_OK);
    w->ops->watch(w->engine, (const char *const[]){"v"}, 1, true);
    // As if the clock had been set forward by an hour since, and back by two.
    static const char *const steps[] = {"HINCRBY chorus:clock wall -3600000",
                                        "HINCRBY chorus:clock wall 7200000"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(world_assign(w, "new", "http://a").status, ENGINE_FULL);
        ask_number(&d->server, steps[i]);
        assert_int_equal(world_assign(w, "new", "http://a").status, ENGINE_FULL);
    }
    ask_number(&d->server, "HINCRBY chorus:clock wall -30000"); // with the step before, a minute
    assert_int_equal(world_assign(w, "new", "http://a").status, ENGINE_OK);
}

// By this server's clock, which may have been set just now, it ended many years ago.
static void an_old_lease_is_not_deleted_by_the_clock_alone(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    run_script(&d->server, "redis.call('HSET', 'readers', 'http://a', '1000 1 0 - reader-1')");
    for (int i = 0; i < 20; i++)
        assert_non_null(strstr(world_leases(w).text, "http://a - reader-1 1 0 expired;"));
    assert_int_equal(ask_number(&d->server, "HLEN readers"), 1);
}

// Closing from inside a callback

static void close_on_append(void *arg, enum engine_status status, const struct engine_entry *e,
                            const struct engine_first *first) {
    (void)status;
    (void)e;
    (void)first;
    world_close(arg);
}

static void can_be_closed_when_it_refuses(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    const struct engine_append what = world_comment("v", "{\"a\":1}");
    redis_server_stop(&d->server);
    await_away(w);
    w->ops->append(w->engine, &what, close_on_append, w);
    while (w->engine) world_let_pass(w, 1);
    redis_server_start(&d->server);
    world_open(w);
    world_post(w, "v", 1);
}

static void all_that_was_refused_is_answered_as_closed(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct world_append a[3];
    redis_server_stop(&d->server);
    await_away(w);
    for (int i = 0; i < 3; i++) world_begin_append(w, &a[i], "v", "{\"a\":1}", NULL);
    world_close(w);
    for (int i = 0; i < 3; i++) assert_int_equal(a[i].status, ENGINE_CLOSED);
    redis_server_start(&d->server);
    world_open(w);
}

// Messages

struct ear {
    unsigned count;
    char last[64];
};

static void ear_on_message(void *arg, const char *body, size_t len) {
    struct ear *e = arg;
    e->count++;
    snprintf(e->last, sizeof e->last, "%.*s", (int)len, body);
}

// Sends the body until it arrives: the listener may still be about to subscribe.
static void notify_until(struct world *w, struct engine *from, const struct ear *e, const char *body) {
    for (int i = 0; i < WORLD_LONG_MS / 10 && strcmp(e->last, body); i++) {
        from->ops->notify(from, "t", body, strlen(body));
        world_let_pass(w, 10);
    }
    assert_string_equal(e->last, body);
}

static void messages_reach_other_processes(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct engine *one = w->engine;
    struct ear e = {0};
    w->ops->listen(one, "t", ear_on_message, &e);
    world_open(w); // the second one
    notify_until(w, w->engine, &e, "from another process");
    assert_true(redis_server_tell(&d->server, "CLIENT KILL TYPE pubsub"));
    notify_until(w, w->engine, &e, "after an interruption");
    redis_server_stop(&d->server);
    await_away(w);
    redis_server_start(&d->server);
    notify_until(w, w->engine, &e, "after a restart");
    one->ops->close(one);
}

static void what_is_not_ours_on_a_channel_of_messages_is_passed_on(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct ear e = {0};
    w->ops->listen(w->engine, "t", ear_on_message, &e);
    notify_until(w, w->engine, &e, "it listens");
    unsigned before = e.count;
    assert_true(redis_server_tell(&d->server, "PUBLISH chorus:u x"));
    assert_true(redis_server_tell(&d->server, "PUBLISH chorus:t y"));
    await(w, &e.count, before + 1);
    assert_string_equal(e.last, "y");
}

static void a_message_longer_than_ours_is_not_passed_on(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    struct ear e = {0};
    char command[32 + ENGINE_MESSAGE_MAX] = "PUBLISH chorus:t ";
    w->ops->listen(w->engine, "t", ear_on_message, &e);
    notify_until(w, w->engine, &e, "it listens");
    unsigned before = e.count;
    memset(command + strlen(command), 'x', ENGINE_MESSAGE_MAX + 1);
    assert_true(redis_server_tell(&d->server, command));
    assert_true(redis_server_tell(&d->server, "PUBLISH chorus:t y"));
    await(w, &e.count, before + 1);
    assert_string_equal(e.last, "y");
}

// As the documents of an earlier version had it.
static void a_user_without_the_channels_has_everything_else(void **state) {
    struct bad_day *d = *state;
    struct world *w = d->world;
    char url[64];
    struct viewer v = {0};
    struct ear e = {0};
    world_close(w);
    assert_true(
        redis_server_tell(&d->server, "ACL SETUSER u on >p ~* &video:* +@all -@admin -@dangerous +info"));
    snprintf(url, sizeof url, "redis://u:p@127.0.0.1:%d", d->server.port);
    w->engine = redis_open(w->loop, &(struct redis_config){.url = url, .limits = w->config.limits});
    w->ops = w->engine->ops;
    world_await_ready(w);
    w->ops->listen(w->engine, "t", ear_on_message, &e);
    view(&v, w, "v");
    for (int i = 0; i < 20; i++) {
        w->ops->notify(w->engine, "t", "unheard", 7);
        world_post(w, "v", 1);
        const char *why = "";
        assert_true(w->ops->ready(w->engine, &why));
    }
    await(w, &v.entries, 20);
    assert_int_equal(e.count, 0);
    assert_true(redis_server_tell(&d->server, "ACL SETUSER u &chorus:*"));
    notify_until(w, w->engine, &e, "permitted");
    assert_int_equal(v.said, 1);                                                        // no interruption
    assert_true(redis_server_tell(&d->server, "ACL SETUSER u resetchannels &video:*")); // disconnects it
    await(w, &v.said, 2);
    world_post(w, "v", 1);
    await(w, &v.entries, 21);
    world_await_ready(w);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)
    const struct CMUnitTest tests[] = {
        TEST(a_full_server_still_stores_mappings_and_leases),
        TEST(assigning_a_mapping_that_is_there_extends_its_life),
        TEST(a_watched_mapping_does_not_expire),
        TEST(a_stepped_clock_of_the_server_unwatches_no_video),
        TEST(an_old_lease_is_not_deleted_by_the_clock_alone),
        TEST(a_restart_begins_an_epoch_with_prev),
        TEST(what_the_server_has_lost_is_not_numbered_again),
        TEST(a_log_without_its_position_continues_in_a_new_epoch),
        TEST(while_it_is_away_everything_is_refused_in_a_moment),
        TEST(an_append_that_was_given_up_is_not_carried_out_later),
        TEST(operations_called_while_the_connection_ends_are_refused),
        TEST(flushed_scripts_are_loaded_again),
        TEST(a_server_that_refuses_is_not_ready_with_a_reason),
        TEST(a_server_of_no_use_is_not_tried_all_the_time),
        TEST(a_key_of_the_wrong_type_affects_its_video_only),
        TEST(a_wrong_password_is_reported),
        TEST(placement_does_not_wait_for_a_store_that_has_never_answered),
        TEST(what_has_expired_in_a_long_log_is_leapt_over),
        TEST(what_others_have_added_to_a_log_is_passed_over),
        TEST(comments_are_published_in_full_and_other_kinds_by_number),
        TEST(an_epoch_that_begins_with_another_kind_looks_like_no_loss),
        TEST(what_an_earlier_version_has_kept_is_read),
        TEST(what_was_taken_out_where_an_epoch_ends_is_no_loss),
        TEST(an_entry_with_fields_that_are_none_is_left_out),
        TEST(concurrent_ranges_do_not_fill_the_servers_memory),
        TEST(waiting_ranges_are_answered_when_the_server_stops),
        TEST(what_waits_at_the_end_is_still_stored),
        TEST(appends_that_cannot_be_stored_while_closing_fail),
        TEST(a_disconnected_subscriber_resubscribes_and_notifies),
        TEST(many_are_subscribed_again_with_few_commands),
        TEST(heads_of_a_turn_are_asked_for_together),
        TEST(heads_that_wait_are_answered_when_it_closes),
        TEST(a_subscription_made_while_away_holds_later),
        TEST(can_be_closed_when_it_refuses),
        TEST(all_that_was_refused_is_answered_as_closed),
        TEST(what_others_publish_arrives_as_it_is),
        TEST(messages_reach_other_processes),
        TEST(what_is_not_ours_on_a_channel_of_messages_is_passed_on),
        TEST(a_message_longer_than_ours_is_not_passed_on),
        TEST(a_user_without_the_channels_has_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
