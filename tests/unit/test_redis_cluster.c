// The engine on a Redis Cluster of two primaries, to which something happens.
#include "embedded_world.h"
#include "redis_server.h"

#include "engine/redis/redis_slots.h"

enum { SHARDS = 2, NAME_SIZE = 32 };

struct shards {
    struct world *world;
    struct redis_server of[SHARDS];
    char folders[SHARDS][96], url[128];
};

static void ask_until(const struct redis_server *s, const char *command, const char *text) {
    bool found = false;
    for (int i = 0; i < 1000 && !found; i++) {
        redisReply *reply = redis_server_ask(s, command);
        found = reply && reply->str && strstr(reply->str, text);
        if (reply) freeReplyObject(reply);
        if (!found) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_true(found);
}

static void shards_start(struct shards *s) {
    char command[128];
    for (int i = 0; i < SHARDS; i++) {
        snprintf(s->folders[i], sizeof s->folders[i], "%s/shard-%d", s->world->folder, i);
        assert_int_equal(mkdir(s->folders[i], 0700), 0);
        s->of[i] = (struct redis_server){.folder = s->folders[i], .bus_port = redis_free_port()};
        redis_server_start(&s->of[i]);
        snprintf(command, sizeof command, "CLUSTER ADDSLOTSRANGE %d %d", i * REDIS_SLOTS / SHARDS,
                 (i + 1) * REDIS_SLOTS / SHARDS - 1);
        assert_true(redis_server_tell(&s->of[i], command));
        snprintf(command, sizeof command, "CLUSTER SET-CONFIG-EPOCH %d", i + 1);
        assert_true(redis_server_tell(&s->of[i], command));
    }
    snprintf(command, sizeof command, "CLUSTER MEET 127.0.0.1 %d %d", s->of[0].port, s->of[0].bus_port);
    assert_true(redis_server_tell(&s->of[1], command));
    for (int i = 0; i < SHARDS; i++) ask_until(&s->of[i], "CLUSTER INFO", "cluster_slots_ok:16384");
}

static int make(void **state) {
    struct shards *s = calloc(1, sizeof *s);
    void *world;
    world_make(&world);
    s->world = world;
    shards_start(s);
    s->world->redis_port = s->of[0].port;
    snprintf(s->url, sizeof s->url, "cluster://127.0.0.1:%d", s->of[0].port);
    s->world->redis_url = s->url;
    world_open(s->world);
    *state = s;
    return 0;
}

static int clean(void **state) {
    struct shards *s = *state;
    void *world = s->world;
    for (int i = 0; i < SHARDS; i++) redis_server_stop(&s->of[i]);
    world_free(&world);
    free(s);
    return 0;
}

static unsigned slot_of(const char *video) {
    char channel[NAME_SIZE + 8];
    return redis_slot_of(channel, (size_t)snprintf(channel, sizeof channel, "video:%s", video));
}

// Writes the name of a video of this shard.
static void name_of(char name[NAME_SIZE], unsigned shard) {
    for (unsigned i = 0;; i++) {
        snprintf(name, NAME_SIZE, "v%u", i);
        if (slot_of(name) / (REDIS_SLOTS / SHARDS) == shard) return;
    }
}

struct viewer {
    struct engine_subscription *subscription;
    unsigned said, entries;
};

static void viewer_on_entry(void *arg, const struct engine_entry *e) {
    (void)e;
    ((struct viewer *)arg)->entries++;
}

static void viewer_on_subscribed(void *arg) {
    ((struct viewer *)arg)->said++;
}

static void await(struct world *w, const unsigned *what, unsigned count) {
    for (int i = 0; i < WORLD_LONG_MS && *what < count; i++) world_let_pass(w, 1);
    assert_true(*what >= count);
}

static void view(struct viewer *v, struct world *w, struct engine *e, const char *video) {
    static const struct engine_subscriber subscriber = {.on_entry = viewer_on_entry,
                                                        .on_subscribed = viewer_on_subscribed};
    v->subscription = e->ops->subscribe(e, video, &subscriber, v);
    await(w, &v->said, 1);
}

// Waits until the engine says why it is not ready.
static void await_why(struct world *w, struct engine *e, const char *text) {
    const char *why = "";
    for (int i = 0; i < WORLD_LONG_MS && (e->ops->ready(e, &why) || !strstr(why, text)); i++)
        world_let_pass(w, 1);
    assert_false(e->ops->ready(e, &why));
    assert_non_null(strstr(why, text));
}

static struct engine *open_another(struct world *w, const char *url) {
    return redis_open(w->loop, &(struct redis_config){.url = url, .limits = w->config.limits});
}

static void await_ready(struct world *w, struct engine *e) {
    const char *why = "";
    for (int i = 0; i < WORLD_LONG_MS && !e->ops->ready(e, &why); i++) world_let_pass(w, 1);
    assert_true(e->ops->ready(e, &why));
}

// Only the engine that has a video there needs the second shard.
struct deaf {
    struct engine *other;
    struct viewer here, elsewhere;
    char name[NAME_SIZE], other_name[NAME_SIZE];
};

static void deaf_begin(struct deaf *d, const struct shards *s) {
    struct world *w = s->world;
    *d = (struct deaf){.other = open_another(w, s->url)};
    name_of(d->name, 1);
    name_of(d->other_name, 0);
    view(&d->here, w, w->engine, d->name);
    view(&d->elsewhere, w, d->other, d->other_name);
    world_await_ready(w);
    await_ready(w, d->other);
}

static void deaf_end(struct deaf *d, struct world *w) {
    unsigned entries = d->here.entries;
    world_await_ready(w);
    world_post(w, d->name, 1);
    await(w, &d->here.entries, entries + 1);
    d->other->ops->close(d->other);
    world_let_pass(w, 1);
}

static void a_shard_that_allows_no_subscription_is_said_where_it_is_needed(void **state) {
    struct shards *s = *state;
    struct world *w = s->world;
    static struct deaf d;
    const char *why;
    deaf_begin(&d, s);
    assert_true(redis_server_tell(&s->of[1], "ACL SETUSER default resetchannels"));
    await_why(w, w->engine, "denies its user a right");
    assert_true(d.other->ops->ready(d.other, &why));
    assert_true(redis_server_tell(&s->of[1], "ACL SETUSER default allchannels"));
    deaf_end(&d, w);
}

static void a_shard_that_does_not_answer_is_said_where_it_is_needed(void **state) {
    struct shards *s = *state;
    struct world *w = s->world;
    static struct deaf d;
    const char *why;
    deaf_begin(&d, s);
    kill(s->of[1].pid, SIGSTOP);
    await_why(w, w->engine, "does not answer");
    assert_true(d.other->ops->ready(d.other, &why));
    kill(s->of[1].pid, SIGCONT);
    deaf_end(&d, w);
}

static void an_address_that_is_none_of_theirs_does_no_harm_beside_another(void **state) {
    struct shards *s = *state;
    struct world *w = s->world;
    char url[128];
    snprintf(url, sizeof url, "cluster://127.0.0.1:1,127.0.0.1:%d", s->of[1].port);
    struct engine *e = open_another(w, url), *lost = open_another(w, "cluster://127.0.0.1:1");
    await_ready(w, e);
    await_why(w, lost, "Redis at 127.0.0.1:1 cannot be reached");
    e->ops->close(e);
    lost->ops->close(lost);
    world_let_pass(w, 1);
}

static void a_wrong_password_is_said(void **state) {
    struct shards *s = *state;
    struct world *w = s->world;
    char wrong[128], right[128];
    for (int i = 0; i < SHARDS; i++)
        assert_true(redis_server_tell(&s->of[i], "CONFIG SET requirepass rosebud"));
    snprintf(wrong, sizeof wrong, "cluster://:rosehip@127.0.0.1:%d", s->of[0].port);
    snprintf(right, sizeof right, "cluster://:rosebud@127.0.0.1:%d", s->of[0].port);
    struct engine *e = open_another(w, wrong), *other = open_another(w, right);
    await_why(w, e, "WRONGPASS");
    await_ready(w, other);
    e->ops->close(e);
    other->ops->close(other);
    world_let_pass(w, 1);
}

// A command for each slot: with those of another it would be refused.
static void the_videos_of_a_slot_are_subscribed_again_and_asked_for_together(void **state) {
    enum { EACH = 20 };
    struct shards *s = *state;
    struct world *w = s->world;
    static struct viewer viewers[2 * EACH];
    static struct world_head heads[2 * EACH];
    static struct position at[2 * EACH];
    static char names[2 * EACH][NAME_SIZE];
    memset(viewers, 0, sizeof viewers);
    unsigned counts[2] = {0}, slots[2];
    name_of(names[0], 1);
    slots[0] = slot_of(names[0]);
    slots[1] = slots[0] + 1;
    for (unsigned i = 0; counts[0] < EACH || counts[1] < EACH; i++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "w%u", i);
        unsigned which = slot_of(name) - slots[0];
        if (which <= 1 && counts[which] < EACH)
            memcpy(names[which * EACH + counts[which]++], name, NAME_SIZE);
    }
    for (unsigned i = 0; i < 2 * EACH; i++) {
        view(&viewers[i], w, w->engine, names[i]);
        world_await_ready(w);
        at[i] = world_post(w, names[i], 1);
        heads[i] = (struct world_head){.world = w};
    }
    int64_t subscribed = redis_server_calls(&s->of[1], "ssubscribe"),
            asked = redis_server_calls(&s->of[1], "evalsha");
    assert_true(redis_server_tell(&s->of[1], "CLIENT KILL TYPE pubsub"));
    for (unsigned i = 0; i < 2 * EACH; i++) await(w, &viewers[i].said, 2);
    assert_in_range(redis_server_calls(&s->of[1], "ssubscribe") - subscribed, 2, 2 + 2);
    w->awaited += 2 * EACH;
    for (unsigned i = 0; i < 2 * EACH; i++)
        w->ops->head(w->engine, names[i], at[i], world_on_head, &heads[i]);
    world_wait(w);
    assert_in_range(redis_server_calls(&s->of[1], "evalsha") - asked, 2, 2 + 1);
    for (unsigned i = 0; i < 2 * EACH; i++) assert_int_equal(position_compare(heads[i].at, at[i]), 0);
}

// A slot that moves

static void tell(const struct redis_server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(const struct redis_server *s, const char *format, ...) {
    char command[256];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_true(redis_server_tell(s, command));
}

static void read_id(const struct redis_server *s, char id[64]) {
    redisReply *reply = redis_server_ask(s, "CLUSTER MYID");
    assert_non_null(reply);
    snprintf(id, 64, "%s", reply->str);
    freeReplyObject(reply);
}

static void move_keys(const struct redis_server *from, const struct redis_server *to, unsigned slot) {
    char command[64];
    snprintf(command, sizeof command, "CLUSTER GETKEYSINSLOT %u 100", slot);
    redisReply *keys = redis_server_ask(from, command);
    assert_non_null(keys);
    assert_true(keys->elements > 1);
    for (size_t i = 0; i < keys->elements; i++)
        tell(from, "MIGRATE 127.0.0.1 %d %s 0 5000", to->port, keys->element[i]->str);
    freeReplyObject(keys);
}

struct listed {
    struct world *world;
    bool has[SHARDS];
    char names[SHARDS][NAME_SIZE], cursor[64];
    bool goes_on;
};

static void on_listed(void *arg, enum engine_status status, const struct engine_videos *page) {
    struct listed *l = arg;
    assert_int_equal(status, ENGINE_OK);
    for (size_t i = 0; i < page->count; i++)
        for (int n = 0; n < SHARDS; n++) l->has[n] |= !strcmp(page->names[i], l->names[n]);
    l->goes_on = page->next != NULL;
    snprintf(l->cursor, sizeof l->cursor, "%s", page->next ? page->next : "");
    world_answered(l->world);
}

static void assert_all_are_there(struct world *w, struct listed *l, uint64_t comments) {
    assert_int_equal(world_overview(w)->comments, comments);
    memset(l->has, 0, sizeof l->has);
    do {
        w->awaited++;
        w->ops->videos(w->engine, l->cursor, on_listed, l);
        world_wait(w);
    } while (l->goes_on);
    for (int n = 0; n < SHARDS; n++) assert_true(l->has[n]);
}

// Its keys are elsewhere before the slot is, and the engine has the table of slots from before.
static void what_is_of_all_videos_is_read_where_a_slot_has_moved(void **state) {
    struct shards *s = *state;
    struct world *w = s->world;
    static struct listed l; // the engine borrows the names until it is closed
    l = (struct listed){.world = w};
    static struct viewer viewers[SHARDS]; // so that the engine waits for their servers
    char ids[SHARDS][64];
    for (unsigned i = 0; i < SHARDS; i++) {
        name_of(l.names[i], i);
        read_id(&s->of[i], ids[i]);
        view(&viewers[i], w, w->engine, l.names[i]);
        world_await_ready(w);
        world_post(w, l.names[i], 1);
    }
    world_post(w, l.names[1], 2);
    assert_all_are_there(w, &l, 3);
    unsigned slot = slot_of(l.names[1]);
    tell(&s->of[0], "CLUSTER SETSLOT %u IMPORTING %s", slot, ids[1]);
    tell(&s->of[1], "CLUSTER SETSLOT %u MIGRATING %s", slot, ids[0]);
    move_keys(&s->of[1], &s->of[0], slot);
    assert_all_are_there(w, &l, 3);
    for (unsigned i = 0; i < SHARDS; i++) tell(&s->of[i], "CLUSTER SETSLOT %u NODE %s", slot, ids[0]);
    assert_all_are_there(w, &l, 3);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)
    const struct CMUnitTest tests[] = {
        TEST(a_shard_that_allows_no_subscription_is_said_where_it_is_needed),
        TEST(a_shard_that_does_not_answer_is_said_where_it_is_needed),
        TEST(an_address_that_is_none_of_theirs_does_no_harm_beside_another),
        TEST(a_wrong_password_is_said),
        TEST(the_videos_of_a_slot_are_subscribed_again_and_asked_for_together),
        TEST(what_is_of_all_videos_is_read_where_a_slot_has_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
