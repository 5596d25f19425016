// The roles' own handlers, driven through a second implementer of the exchange: no socket, no connection, and
// every answer in a turn of its choice; then one whose connection lives on another thread.
#include "distant_exchange.h"
#include "embedded_world.h"
#include "fake_exchange.h"
#include "fake_fanout.h"

#include "comment/comment_api.h"
#include "http/client.h"
#include "http/counters.h"
#include "manager/manager.h"
#include "placement/placement.h"
#include "reader/history.h"
#include "reader/reader.h"
#include "service/internal_only.h"
#include "statistics/statistics.h"
#include "statistics/statistics_routes.h"

#define JSON "Content-Type: application/json\r\n"

static struct house {
    struct world *world;
    struct placement *placement;
    struct http_client *client;
    struct comment_api *comment;
    struct manager *manager;
    struct internal_only *guard;
    struct statistics *statistics;
    struct reader *reader;
    bool stopped; // the reader
    struct history_budget history;
    struct http_counters counters;
    struct fake_exchange f;
} house;

static const char reader_url[] = "http://127.0.0.1:4001", other_url[] = "http://10.0.0.2:4002";

static int open_house(void **state) {
    world_make_open(state);
    struct world *w = *state;
    house = (struct house){.world = w};
    house.placement = placement_new(
        w->loop, w->engine,
        &(struct placement_config){.static_readers = "http://127.0.0.1:4001,http://10.0.0.2:4002"});
    placement_start(house.placement);
    house.client = http_client_new(w->loop);
    house.comment = comment_api_new(
        w->loop, w->engine, house.placement, house.client,
        &(struct comment_config){.service = {.instance_id = "comment-1"}, .rates.user = 1000});
    house.manager = manager_new(w->loop, w->engine, house.placement, house.client,
                                &(struct service_config){.instance_id = "manager-1"}, NULL);
    house.guard = internal_only_new(NULL, NULL);
    house.statistics =
        statistics_new(w->loop, w->engine,
                       &(struct statistics_config){
                           .instance_id = "statistics-1", .interval_ms = 1000, .guard = house.guard});
    house.reader = reader_new(w->loop, w->engine, house.placement, NULL, &house.history, house.client,
                              &(struct reader_config){.service = {.instance_id = "reader-1"},
                                                      .reader_url = reader_url,
                                                      .stall_ms = 30000,
                                                      .unsubscribe_ms = 30000});
    struct service *services[] = {(void *)house.comment, (void *)house.manager, (void *)house.statistics,
                                  (void *)house.reader};
    for (int i = 0; i < 4; i++) services[i]->http = &house.counters;
    return 0;
}

static void stop_reader(void) {
    if (!house.stopped) reader_stop(house.reader);
    house.stopped = true;
}

static int close_house(void **state) {
    struct world *w = house.world;
    stop_reader();
    world_close(w);
    placement_free(house.placement);
    http_client_free(house.client);
    reader_free(house.reader);
    comment_api_free(house.comment);
    manager_free(house.manager);
    statistics_free(house.statistics);
    internal_only_free(house.guard);
    fake_exchange_release(&house.f);
    return world_free(state);
}

static void look(void *arg) {
    const struct fake_exchange *f = arg;
    if (f->end != FAKE_OPEN) loop_stop(house.world->loop);
}

static void wait_for(struct fake_exchange *f) {
    loop_set_before_wait(house.world->loop, look, f);
    if (f->end == FAKE_OPEN) world_run(house.world);
    loop_set_before_wait(house.world->loop, NULL, NULL);
}

// Has the handler called, and runs the loop until the exchange has ended. Returns the reply's body.
static const char *call(const struct http_route *const *tables, void *role, const char *line,
                        const char *fields, const char *body) {
    const struct http_site site = {.mounts =
                                       (const struct http_mount[]){{.tables = tables, .arg = role}, {0}}};
    fake_exchange_release(&house.f);
    fake_handle(&house.f, &site, line, fields, body);
    wait_for(&house.f);
    return buf_string(&house.f.body);
}

static void expect(int status, const char *body, const char *part) {
    if (house.f.status != status) fail_msg("%d instead of %d: %s", house.f.status, status, body);
    if (!strstr(body, part)) fail_msg("no %s in %s", part, body);
}

static void test_a_comment_is_answered_once_it_is_stored(void **state) {
    (void)state;
    static const char body[] = "{\"userid\":\"u\",\"videoid\":\"v\",\"comment\":\"hello\"}";
    const struct http_site site = {
        .mounts = (const struct http_mount[]){{.tables = comment_tables, .arg = house.comment}, {0}}};
    fake_handle(&house.f, &site, "POST /comment", JSON, body);
    assert_int_equal(house.f.end, FAKE_OPEN); // the answer comes in a later turn
    wait_for(&house.f);
    expect(201, buf_string(&house.f.body), "\"comment\":\"hello\"");
    assert_int_equal(world_head(house.world, "v").at.seq, 1);

    expect(400, call(comment_tables, house.comment, "POST /comment", JSON, "{\"userid\":\"u\"}"),
           "missing_field");
    expect(400, call(comment_tables, house.comment, "POST /comment", JSON, "[]"), "invalid_json");
    expect(415, call(comment_tables, house.comment, "POST /comment", "", body), "unsupported_media_type");
    expect(503, call(comment_tables, house.comment, "GET /statistics", "", NULL), "statistics_unavailable");
    expect(405, call(comment_tables, house.comment, "DELETE /comment", "", NULL), "method_not_allowed");
    assert_true(fake_has_header(&house.f, "Allow: POST, OPTIONS"));
}

static void test_an_exchange_outlives_its_engine(void **state) {
    (void)state;
    const struct http_site site = {
        .mounts = (const struct http_mount[]){{.tables = comment_tables, .arg = house.comment}, {0}}};
    fake_handle(&house.f, &site, "POST /comment", JSON,
                "{\"userid\":\"u\",\"videoid\":\"v\",\"comment\":\"hello\"}");
    assert_int_equal(house.f.end, FAKE_OPEN);
    stop_reader();
    world_close(house.world);
    wait_for(&house.f);
    assert_true(house.f.status == 201 || house.f.status == 503);
}

static void test_the_manager_registers_and_resolves(void **state) {
    (void)state;
    void *m = house.manager;
    expect(404, call(manager_tables, m, "GET /resolve/v", "", NULL), "not_registered");
    expect(200, call(manager_tables, m, "POST /register", JSON, "{\"videoid\":\"v\"}"),
           "\"action\":\"registered\"");
    expect(200, call(manager_tables, m, "GET //resolve/v/", "", NULL), "\"readerUrl\":\"http");
    expect(400, call(manager_tables, m, "GET /resolve/a%20b", "", NULL), "invalid_field");
    expect(200, call(manager_tables, m, "HEAD /resolve/v", "", NULL), "");
    assert_int_equal(house.f.body.len, 0);
    expect(204, call(manager_tables, m, "OPTIONS /register", "", NULL), "");
    assert_true(fake_has_header(&house.f, "Allow: POST, OPTIONS"));
    house.counters.connections_closed_for_room = 7;
    expect(200, call(manager_tables, m, "GET /health", "", NULL), "\"idleClosed\":7");
}

static void test_reports_are_for_services(void **state) {
    (void)state;
    static const char line[] = "POST /reader-api-statistics",
                      report[] = "{\"instanceId\":\"r\",\"messagesSent\":3}";
    void *s = house.statistics;
    expect(403, call(statistics_tables, s, line, JSON "Origin: http://page\r\n", report), "forbidden");
    expect(403, call(statistics_tables, s, line, JSON "Via: 1.1 proxy\r\n", report), "forbidden");
    expect(415, call(statistics_tables, s, line, "", report), "unsupported_media_type");
    expect(200, call(statistics_tables, s, line, JSON, report), "\"success\":true");
    expect(200, call(statistics_tables, s, "GET /statistics", "", NULL), "\"totalMessagesSent\":3");
    assert_true(fake_has_header(&house.f, "Cache-Control: no-store"));
}

static void test_a_viewer_gets_a_sink(void **state) {
    (void)state;
    assert_true(world_assign(house.world, "v", reader_url).changed);
    call(reader_tables, house.reader, "GET /connect?userid=u&videoid=v", "", NULL);
    assert_int_equal(house.f.end, FAKE_STREAMS);
    assert_true(fake_fanout_has(FAKE_SINK));
    const char *given = fake_fanout_text(FAKE_SINK);
    if (!strstr(given, "\"type\":\"connected\"")) fail_msg("%s", given);
    fake_fanout_leave(FAKE_SINK);
    expect(200, call(reader_tables, house.reader, "HEAD /connect?userid=u&videoid=v", "", NULL), "");
    assert_true(fake_has_header(&house.f, "Content-Type: text/event-stream"));
    expect(400, call(reader_tables, house.reader, "GET /connect?userid=u", "", NULL), "missing_field");
}

static void test_a_viewer_of_another_readers_video_is_redirected(void **state) {
    (void)state;
    assert_true(world_assign(house.world, "v", other_url).changed);
    expect(307, call(reader_tables, house.reader, "GET /connect?userid=u&videoid=v", "", NULL), "");
    assert_true(fake_has_header(&house.f, "Location: http://10.0.0.2:4002/connect?userid=u&videoid=v&"));
}

static void test_a_viewer_that_has_gone_leaves_nothing(void **state) {
    (void)state;
    assert_true(world_assign(house.world, "v", reader_url).changed);
    const struct http_site site = {
        .mounts = (const struct http_mount[]){{.tables = reader_tables, .arg = house.reader}, {0}}};
    fake_handle(&house.f, &site, "GET /connect?userid=u&videoid=v", "", NULL);
    assert_int_equal(house.f.end, FAKE_OPEN);
    house.f.is_gone = true;
    wait_for(&house.f);
    assert_int_equal(house.f.end, FAKE_ABORTED);
    assert_false(fake_fanout_has(FAKE_SINK));
}

static void test_a_viewer_that_cannot_be_served_is_cut_off(void **state) {
    (void)state;
    assert_true(world_assign(house.world, "v", reader_url).changed);
    const struct http_site site = {
        .mounts = (const struct http_mount[]){{.tables = reader_tables, .arg = house.reader}, {0}}};
    fake_handle(&house.f, &site, "GET /connect?userid=u&videoid=v", "", NULL);
    stop_reader();
    wait_for(&house.f);
    assert_int_equal(house.f.end, FAKE_ABORTED); // an answer would keep a browser from coming back
}

// Has the request handled for a connection on another thread. What came of it is in house.f.
static void call_from_afar(struct distant_exchange *d) {
    pthread_t thread = distant_begin(d, house.world->loop);
    world_run(house.world);
    distant_end(d, thread);
    fake_exchange_release(&house.f);
    house.f = d->fake;
}

static void test_a_connection_may_live_on_another_thread(void **state) {
    (void)state;
    static const char comment[] = "{\"userid\":\"u\",\"videoid\":\"v\",\"comment\":\"hello\"}";
    struct distant_exchange d = {
        .site =
            &(struct http_site){
                .mounts = (const struct http_mount[]){{.tables = comment_tables, .arg = house.comment}, {0}}},
        .line = "POST /comment",
        .fields = JSON,
        .body = comment};
    call_from_afar(&d);
    assert_true(d.body_was_read);
    expect(201, buf_string(&house.f.body), "\"comment\":\"hello\"");
    assert_int_equal(world_head(house.world, "v").at.seq, 1);
}

static void test_a_distant_connection_waits_for_the_guard(void **state) {
    (void)state;
    struct distant_exchange d = {
        .site = &(struct http_site){.mounts =
                                        (const struct http_mount[]){
                                            {.tables = statistics_tables, .arg = house.statistics}, {0}}},
        .line = "POST /reader-api-statistics",
        .fields = JSON "Origin: http://page\r\n",
        .body = "{}"};
    call_from_afar(&d);
    assert_false(d.body_was_read);
    expect(403, buf_string(&house.f.body), "forbidden");
}

static void test_a_distant_connection_gives_a_sink_or_is_cut_off(void **state) {
    (void)state;
    const struct http_site site = {
        .mounts = (const struct http_mount[]){{.tables = reader_tables, .arg = house.reader}, {0}}};
    struct distant_exchange d = {.site = &site, .line = "GET /connect?userid=u&videoid=v", .fields = ""};
    struct distant_exchange late = d;
    assert_true(world_assign(house.world, "v", reader_url).changed);
    call_from_afar(&d);
    assert_int_equal(house.f.end, FAKE_STREAMS);
    assert_true(fake_fanout_has(FAKE_SINK));
    fake_fanout_leave(FAKE_SINK);
    late.after_handler = stop_reader;
    call_from_afar(&late);
    assert_int_equal(house.f.end, FAKE_ABORTED);
}

#define HOUSED(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void) {
    const struct CMUnitTest tests[] = {
        HOUSED(test_a_comment_is_answered_once_it_is_stored),
        HOUSED(test_an_exchange_outlives_its_engine),
        HOUSED(test_the_manager_registers_and_resolves),
        HOUSED(test_reports_are_for_services),
        HOUSED(test_a_viewer_gets_a_sink),
        HOUSED(test_a_viewer_of_another_readers_video_is_redirected),
        HOUSED(test_a_viewer_that_has_gone_leaves_nothing),
        HOUSED(test_a_viewer_that_cannot_be_served_is_cut_off),
        HOUSED(test_a_connection_may_live_on_another_thread),
        HOUSED(test_a_distant_connection_waits_for_the_guard),
        HOUSED(test_a_distant_connection_gives_a_sink_or_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
