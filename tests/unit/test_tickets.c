// The tickets of two readers that share keys.
#include "unit.h"

#include <string.h>

#include "base/buf.h"
#include "reader/tickets.h"

static const char url_a[] = "http://10.0.0.1:4001", url_b[] = "http://10.0.0.2:4001";
static const int64_t start_ms = INT64_C(1763932000000), week_ms = INT64_C(604800000);

// An engine that has secrets only, and answers when it is asked to.
static struct {
    struct engine engine;
    char names[8][ENGINE_SECRET_NAME_MAX + 1];
    unsigned char secrets[8][ENGINE_SECRET];
    size_t count;
    bool away;
    struct waiting {
        engine_secret_cb *cb;
        void *arg;
        size_t which;
    } waiting[8];
    size_t waiting_count;
} fake;

static void fake_secret(struct engine *e, const char *name, const unsigned char offered[ENGINE_SECRET],
                        int64_t keep_ms, engine_secret_cb *cb, void *arg) {
    size_t i = 0;
    (void)e;
    assert_true(keep_ms >= 3 * week_ms);
    while (i < fake.count && strcmp(fake.names[i], name) != 0) i++;
    if (i == fake.count) {
        assert_true(fake.count++ < 8);
        memcpy(fake.secrets[i], offered, ENGINE_SECRET);
        snprintf(fake.names[i], sizeof fake.names[i], "%s", name);
    }
    fake.waiting[fake.waiting_count++] = (struct waiting){cb, arg, i};
}

static void fake_answer(void) {
    for (size_t i = 0; i < fake.waiting_count; i++) {
        const struct waiting *w = &fake.waiting[i];
        w->cb(w->arg, fake.away ? ENGINE_UNAVAILABLE : ENGINE_OK, fake.away ? NULL : fake.secrets[w->which]);
    }
    fake.waiting_count = 0;
}

static struct tickets a, b;
static char text[TICKET_TEXT_MAX + 1];

static int set_up(void **state) {
    static const struct engine_ops ops = {.secret = fake_secret};
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.engine.ops = &ops;
    tickets_start(&a, &fake.engine, url_a, start_ms);
    tickets_start(&b, &fake.engine, url_b, start_ms);
    fake_answer();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    tickets_release(&a);
    tickets_release(&b);
    return 0;
}

static bool issue(int64_t now_ms, int64_t session_ms) {
    struct buf out = {0};
    bool ok = tickets_write(&a, &out, url_b, "ann", "v", (now_ms + session_ms) / 1000, now_ms);
    assert_true(out.len < sizeof text);
    snprintf(text, sizeof text, "%.*s", (int)out.len, out.len ? out.data : "");
    buf_release(&out);
    return ok;
}

static struct ticket got;

static enum ticket_verdict first_use(struct tickets *t, int64_t now_ms) {
    return tickets_read(t, text, false, now_ms, &got);
}

static enum ticket_verdict later_use(struct tickets *t, int64_t now_ms) {
    return tickets_read(t, text, true, now_ms, &got);
}

static void one_reader_takes_it_in_time(void **state) {
    (void)state;
    assert_true(issue(start_ms + 1000, 600000));
    assert_int_equal(first_use(&b, start_ms + 1000), TICKET_GOOD);
    assert_string_equal(got.user, "ann");
    assert_string_equal(got.video, "v");
    assert_int_equal(got.until_s, (start_ms + 601000) / 1000);
    assert_int_equal(first_use(&b, start_ms + 31000), TICKET_GOOD);
    assert_int_equal(first_use(&b, start_ms + 31001), TICKET_REFUSED);
    assert_int_equal(first_use(&a, start_ms + 1000), TICKET_REFUSED);
    assert_int_equal(later_use(&a, start_ms + 1000), TICKET_REFUSED);
}

static void it_is_spent_once(void **state) {
    (void)state;
    assert_true(issue(start_ms + 1000, 600000));
    assert_int_equal(first_use(&b, start_ms + 1000), TICKET_GOOD);
    assert_true(tickets_spend(&b, got.nonce, 1));
    assert_false(tickets_spend(&b, got.nonce, 1));
    assert_int_equal(first_use(&b, start_ms + 1001), TICKET_REFUSED);
    assert_int_equal(later_use(&b, start_ms + 500000), TICKET_GOOD);
}

static void what_is_spent_is_remembered_for_longer_than_a_ticket_is_fresh(void **state) {
    (void)state;
    assert_true(tickets_spend(&b, 7, 100));
    for (int64_t s = 1; s <= SPENT_NONCES_S; s++) {
        assert_true(tickets_spend(&b, (uint64_t)(1000 + s), 100 + s));
        assert_false(tickets_spend(&b, 7, 100 + s));
    }
    assert_true(tickets_spend(&b, 8, 100 + 2 * SPENT_NONCES_S));
    assert_true(tickets_spend(&b, 7, 100 + 2 * SPENT_NONCES_S)); // no ticket is fresh any more
}

static void a_flood_of_tickets_is_refused_and_not_forgotten(void **state) {
    (void)state;
    for (uint64_t i = 1; i <= SPENT_NONCES_MAX; i++) assert_true(tickets_spend(&b, i * 2654435761u, 100));
    assert_false(tickets_spend(&b, 3, 100));
    for (uint64_t i = 1; i <= SPENT_NONCES_MAX; i += 1000)
        assert_false(tickets_spend(&b, i * 2654435761u, 100));
    assert_true(tickets_spend(&b, 3, 100 + SPENT_NONCES_S));
}

static void a_session_ends(void **state) {
    (void)state;
    assert_true(issue(start_ms + 1000, 5000));
    assert_int_equal(first_use(&b, start_ms + 6000), TICKET_OVER);
    assert_int_equal(later_use(&b, start_ms + 5999), TICKET_GOOD);
    assert_int_equal(later_use(&b, start_ms + 60000), TICKET_OVER);
}

static void one_from_before_a_start_is_for_those_that_come_back(void **state) {
    (void)state;
    assert_true(issue(start_ms + 1000, 600000));
    tickets_release(&b);
    tickets_start(&b, &fake.engine, url_b, start_ms + 2000);
    assert_int_equal(later_use(&b, start_ms + 2500), TICKET_UNKNOWN);
    fake_answer();
    assert_int_equal(first_use(&b, start_ms + 2500), TICKET_REFUSED);
    assert_int_equal(later_use(&b, start_ms + 2500), TICKET_GOOD);
}

static void keys_change_every_week(void **state) {
    (void)state;
    int64_t next_ms = start_ms + week_ms;
    assert_true(issue(start_ms, 4 * week_ms));
    assert_int_equal(later_use(&b, next_ms), TICKET_GOOD);
    tickets_sweep(&b, next_ms);
    fake_answer();
    assert_int_equal(later_use(&b, next_ms), TICKET_GOOD);
    assert_int_equal(later_use(&b, next_ms + week_ms), TICKET_REFUSED);
    assert_true(issue(next_ms, 4 * week_ms)); // its key was known before
    assert_int_equal(first_use(&b, next_ms), TICKET_GOOD);
    assert_int_equal(fake.count, 4);
}

static void one_from_the_future_is_refused(void **state) {
    (void)state;
    assert_true(issue(start_ms + 20000, 600000));
    assert_int_equal(first_use(&b, start_ms + 15000), TICKET_GOOD); // clocks may differ by 5 s
    assert_int_equal(first_use(&b, start_ms + 14999), TICKET_REFUSED);
    assert_int_equal(later_use(&b, start_ms + 14999), TICKET_REFUSED);
}

static void a_store_that_is_away_is_asked_again(void **state) {
    (void)state;
    tickets_release(&a);
    fake.away = true;
    tickets_start(&a, &fake.engine, url_a, start_ms);
    assert_false(tickets_are_settled(&a));
    fake_answer();
    assert_true(tickets_are_settled(&a));
    assert_false(issue(start_ms, 1000));
    fake.away = false;
    tickets_sweep(&a, start_ms + 1000);
    assert_true(tickets_are_settled(&a)); // not so soon
    tickets_sweep(&a, start_ms + 5000);
    fake_answer();
    assert_true(issue(start_ms + 5000, 1000));
}

static void nothing_else_is_a_ticket(void **state) {
    (void)state;
    assert_true(issue(start_ms + 1000, 600000));
    char good[sizeof text];
    memcpy(good, text, sizeof good);
    for (size_t i = 0; good[i]; i++) {
        memcpy(text, good, sizeof text);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_not_equal(later_use(&b, start_ms + 1000), TICKET_GOOD);
        memcpy(text, good, sizeof text);
        text[i] = 0;
        assert_int_equal(later_use(&b, start_ms + 1000), TICKET_REFUSED);
    }
    memset(text, 'A', sizeof text - 1);
    assert_int_equal(later_use(&b, start_ms + 1000), TICKET_REFUSED);
    memset(&a, 0, sizeof a); // without keys
    memcpy(text, good, sizeof text);
    assert_int_equal(later_use(&a, start_ms + 1000), TICKET_REFUSED);
    assert_false(issue(start_ms, 1000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(one_reader_takes_it_in_time),
        TEST(it_is_spent_once),
        TEST(what_is_spent_is_remembered_for_longer_than_a_ticket_is_fresh),
        TEST(a_flood_of_tickets_is_refused_and_not_forgotten),
        TEST(a_session_ends),
        TEST(one_from_before_a_start_is_for_those_that_come_back),
        TEST(keys_change_every_week),
        TEST(one_from_the_future_is_refused),
        TEST(a_store_that_is_away_is_asked_again),
        TEST(nothing_else_is_a_ticket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
