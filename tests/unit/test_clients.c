// When the simulated clients begin to post, that they stop for good, and how many connect at a time.
#include "unit.h"

#include "clients/clients.h"
#include "fake_server.h"
#include "http/client.h"
#include "run_loop.h"

enum { VIEWERS = 2, CROWD = CLIENTS_CONNECTING + 1 };

// The manager, the reader and the comment API in one.
struct world {
    struct loop *loop;
    struct http_client *client;
    struct fake_server server, reader; // the latter ends
    struct clients *clients;
    const char *reader_url; // that the manager names
    bool holds_streams;     // requests for one are not answered
    size_t viewers;
    unsigned streams_asked, posts;
};

static void on_request(struct fake_conn *c, const char *request) {
    struct world *w = c->server->arg;
    char body[128], reply[256];
    if (strstr(request, " /connect ")) {
        w->streams_asked++;
        if (!w->holds_streams) fake_sends(c, "HTTP/1.1 200 OK\r\n\r\n");
        return;
    }
    bool post = strstr(request, " /comment ");
    w->posts += post;
    snprintf(body, sizeof body, "{\"readerUrl\":\"%s\"}", w->reader_url);
    snprintf(reply, sizeof reply, "HTTP/1.1 %d OK\r\nContent-Length: %zu\r\n\r\n%s", post ? 201 : 200,
             strlen(body), body);
    fake_sends(c, reply);
}

static int set_up_some(void **state, size_t viewers) {
    struct world *w = calloc(1, sizeof *w);
    w->viewers = viewers;
    w->loop = loop_new();
    w->client = http_client_new(w->loop);
    fake_server_start(&w->server, w->loop, false, on_request, w);
    w->reader_url = w->server.url;
    w->clients = clients_new(w->loop, w->client,
                             &(struct clients_config){.manager_url = w->server.url,
                                                      .comment_url = w->server.url,
                                                      .viewers = viewers,
                                                      .videos = 1,
                                                      .rate = 10});
    *state = w;
    return 0;
}

static int set_up(void **state) {
    return set_up_some(state, VIEWERS);
}

static int set_up_crowd(void **state) {
    return set_up_some(state, CROWD);
}

static int tear_down(void **state) {
    struct world *w = *state;
    clients_free(w->clients);
    http_client_free(w->client);
    fake_server_stop(&w->server);
    run_turns(w->loop, 1);
    loop_free(w->loop);
    free(w);
    return 0;
}

static bool all_have_asked(void *arg) {
    return ((struct world *)arg)->streams_asked == ((struct world *)arg)->viewers;
}

static bool all_have_streams(void *arg) {
    return clients_tally(((struct world *)arg)->clients)->connected == ((struct world *)arg)->viewers;
}

static bool a_post_is_answered(void *arg) {
    return clients_tally(((struct world *)arg)->clients)->comments > 0;
}

static void posting_begins_with_the_last_stream_and_ends_with_a_stop(void **state) {
    struct world *w = *state;
    assert_false(clients_are_posting(w->clients));
    run_until(w->loop, all_have_streams, w);
    assert_true(clients_are_posting(w->clients));
    run_until(w->loop, a_post_is_answered, w);
    clients_stop_posting(w->clients);
    assert_false(clients_are_posting(w->clients));
    unsigned posts = w->posts;
    for (int i = 0; i < 10; i++) run_later(w->loop, 1000);
    assert_int_equal(w->posts, posts);
}

static void posting_begins_without_a_stream_when_patience_is_over(void **state) {
    struct world *w = *state;
    w->holds_streams = true;
    run_until(w->loop, all_have_asked, w);
    assert_false(clients_are_posting(w->clients));
    run_later(w->loop, CLIENTS_PATIENCE_MS);
    assert_true(clients_are_posting(w->clients));
}

static bool all_are_cut(void *arg) {
    return !clients_tally(((struct world *)arg)->clients)->connected;
}

// Attempts that take long must not make others wait: in a crowd that is moved, that would be all that is
// seen.
static void viewers_that_were_cut_together_come_back_at_once_however_long_each_takes(void **state) {
    struct world *w = *state;
    run_until(w->loop, all_have_streams, w);
    w->streams_asked = 0;
    w->holds_streams = true;
    for (struct fake_conn *c = w->server.conns; c; c = c->next) fake_close(c);
    run_until(w->loop, all_are_cut, w);
    run_later(w->loop, 2500); // the longest that they wait, where the stream has not said how long
    run_until(w->loop, all_have_asked, w);
}

// They have waited for as long as they were told: to wait again would only make a crowd late.
static void viewers_whose_reader_has_ended_ask_for_another_in_the_same_attempt(void **state) {
    struct world *w = *state;
    fake_server_start(&w->reader, w->loop, false, on_request, w);
    w->reader_url = w->reader.url;
    run_until(w->loop, all_have_streams, w);
    fake_server_stop(&w->reader);
    w->reader_url = w->server.url;
    run_until(w->loop, all_are_cut, w);
    run_later(w->loop, 2500);
    run_until(w->loop, all_have_streams, w);
    assert_int_equal(clients_tally(w->clients)->refused, 0);
}

static void newcomers_take_turns(void **state) {
    struct world *w = *state;
    w->holds_streams = true;
    w->viewers = CLIENTS_CONNECTING;
    run_until(w->loop, all_have_asked, w);
    for (int i = 0; i < 10; i++) run_turns(w->loop, 1);
    assert_int_equal(w->streams_asked, CLIENTS_CONNECTING);
}

static void posting_that_was_stopped_before_it_began_does_not_begin(void **state) {
    struct world *w = *state;
    clients_stop_posting(w->clients);
    assert_false(clients_are_posting(w->clients));
    run_until(w->loop, all_have_streams, w);
    run_later(w->loop, CLIENTS_PATIENCE_MS);
    run_later(w->loop, 1000);
    assert_false(clients_are_posting(w->clients));
    assert_int_equal(w->posts, 0);
}

int main(void) {
#define TEST(name)       cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define CROWD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_crowd, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(posting_begins_with_the_last_stream_and_ends_with_a_stop),
        TEST(posting_begins_without_a_stream_when_patience_is_over),
        TEST(posting_that_was_stopped_before_it_began_does_not_begin),
        TEST(viewers_whose_reader_has_ended_ask_for_another_in_the_same_attempt),
        CROWD_TEST(viewers_that_were_cut_together_come_back_at_once_however_long_each_takes),
        CROWD_TEST(newcomers_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
