#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "not_inside.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/json_reader.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "http/client.h"
#include "http/server.h"
#include "service/internal_only.h"
#include "service/service.h"
#include "net/loop.h"
#include "statistics/figures.h"
#include "statistics/statistics.h"
#include "statistics/statistics_routes.h"

enum { SILENT_MS = 15000 };

static const int64_t wall = 1763932000123; // 2025-11-23T21:06:40.123Z

// Figures: a pure module, so the clock is a number.

static int64_t now_ms;

static int figures_set_up(void **state) {
    now_ms = 1000000;
    *state = figures_new(SILENT_MS);
    return 0;
}

static int figures_tear_down(void **state) {
    figures_free(*state);
    return 0;
}

// JSON with ' for ", so that it can be read here.
static json_t *json(const char *text) {
    char *copy = mem_strdup(text);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    json_t *value = json_loads(copy, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    free(copy);
    return value;
}

static bool try_report(struct figures *f, enum report_kind kind, json_t *report,
                       struct report_refusal *refusal) {
    char *text = json_dumps(report, JSON_ENCODE_ANY);
    struct json_reader reader;
    json_reader_init(&reader, text, strlen(text));
    bool taken = figures_take(f, kind, &reader, now_ms, wall + now_ms, refusal);
    free(text);
    json_decref(report);
    return taken;
}

static void report(struct figures *f, enum report_kind kind, const char *text) {
    struct report_refusal refusal;
    assert_true(try_report(f, kind, json(text), &refusal));
}

static json_t *document(struct figures *f) {
    json_t *stored = json("{'total':0,'comments':[]}");
    figures_expire(f, now_ms);
    json_t *d = figures_document(f, stored, wall);
    json_decref(stored);
    assert_non_null(d);
    return d;
}

static void assert_json(const json_t *value, const char *expected) {
    json_t *e = json(expected);
    char *is = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    char *should = json_dumps(e, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    assert_string_equal(is, should);
    free(is);
    free(should);
    json_decref(e);
}

// Compares a member of the document, found by a path such as "readerApis.totalReaders".
static void assert_at(struct figures *f, const char *path, const char *expected) {
    json_t *d = document(f);
    const json_t *at = d;
    char *copy = mem_strdup(path), *rest = copy;
    for (char *name; (name = strsep(&rest, "."));) at = json_object_get(at, name);
    assert_non_null(at);
    assert_json(at, expected);
    free(copy);
    json_decref(d);
}

static void test_empty_document(void **state) {
    json_t *d = document(*state);
    assert_json(
        d, "{'commentApi':{'totalComments':0,'commentsByVideo':{},'activeTopics':[],"
           "'topicSubscribers':{},'lastUpdated':null},"
           "'readerApis':{'totalReaders':0,'totalActiveConnections':0,'totalMessagesSent':0,"
           "'allSubscribedTopics':[],'readers':[]},"
           "'clients':{'totalClients':0,'totalCommentsGenerated':0,'totalCommentsConsumed':0,'clients':[]},"
           "'storedComments':{'total':0,'comments':[]},"
           "'readerApiManager':{'service':'reader-api-manager','registeredVideos':0,"
           "'availableReaderApis':0,'registrationCount':0,'videoMappings':{},'lastUpdated':null},"
           "'timestamp':'2025-11-23T21:06:40.123Z'}");
    json_decref(d);
}

static void test_original_reports(void **state) {
    report(*state, REPORT_COMMENT_API,
           "{'totalComments':7,'commentsByVideo':{'v1':4,'v2':3},"
           "'activeTopics':['video:v1'],'topicSubscribers':{'video:v1':2}}");
    report(*state, REPORT_MANAGER,
           "{'service':'reader-api-manager','registeredVideos':2,'availableReaderApis':3,"
           "'registrationCount':9,'videoMappings':{'v1':'http://r:4001'}}");
    report(*state, REPORT_READER,
           "{'instanceId':'reader-1','activeConnections':5,'subscribedTopics':['video:v1'],"
           "'messagesSent':50}");
    report(*state, REPORT_CLIENT,
           "{'clientId':'client-1','userId':'user1','videoId':'v1','commentsGenerated':1,"
           "'commentsConsumed':6,'subscribedTopics':['video:v1'],"
           "'connectedReader':'http://r:4001'}");
    json_t *d = document(*state);
    static const char at[] = "'lastUpdated':'2025-11-23T21:23:20.123Z'";
    struct buf expected = {0};
    buf_printf(
        &expected,
        "{'commentApi':{'totalComments':7,'commentsByVideo':{'v1':4,'v2':3},'activeTopics':['video:v1'],"
        "'topicSubscribers':{'video:v1':2},%s},"
        "'readerApis':{'totalReaders':1,'totalActiveConnections':5,'totalMessagesSent':50,"
        "'allSubscribedTopics':['video:v1'],'readers':[{'instanceId':'reader-1','activeConnections':5,"
        "'subscribedTopics':['video:v1'],'messagesSent':50,%s}]},"
        "'clients':{'totalClients':1,'totalCommentsGenerated':1,'totalCommentsConsumed':6,'clients':["
        "{'clientId':'client-1','userId':'user1','videoId':'v1','commentsGenerated':1,'commentsConsumed':6,"
        "'subscribedTopics':['video:v1'],'connectedReader':'http://r:4001',%s}]},"
        "'storedComments':{'total':0,'comments':[]},"
        "'readerApiManager':{'service':'reader-api-manager','registeredVideos':2,'availableReaderApis':3,"
        "'registrationCount':9,'videoMappings':{'v1':'http://r:4001'},%s},"
        "'timestamp':'2025-11-23T21:06:40.123Z'}",
        at, at, at, at);
    assert_json(d, buf_string(&expected));
    buf_release(&expected);
    json_decref(d);
}

static void test_all_fields_are_optional(void **state) {
    report(*state, REPORT_COMMENT_API, "{}");
    report(*state, REPORT_MANAGER, "{'service':null,'registeredVideos':null,'videoMappings':null}");
    report(*state, REPORT_READER, "{'instanceId':'r','activeConnections':null}");
    report(*state, REPORT_CLIENT, "{'clientId':'c','more':{'deep':[1]}}");
    assert_at(*state, "commentApi.totalComments", "0");
    assert_at(*state, "readerApiManager.service", "'reader-api-manager'");
    assert_at(*state, "readerApis.readers",
              "[{'instanceId':'r','activeConnections':0,'subscribedTopics':[],"
              "'messagesSent':0,'lastUpdated':'2025-11-23T21:23:20.123Z'}]");
    assert_at(*state, "clients.clients",
              "[{'clientId':'c','userId':null,'videoId':null,'commentsGenerated':0,'commentsConsumed':0,"
              "'subscribedTopics':[],'connectedReader':null,'lastUpdated':'2025-11-23T21:23:20.123Z'}]");
}

static void assert_refused(struct figures *f, enum report_kind kind, const char *text, const char *code,
                           const char *field) {
    struct report_refusal refusal;
    uint64_t before = figures_version(f);
    assert_false(try_report(f, kind, json(text), &refusal));
    assert_string_equal(refusal.code, code);
    assert_int_equal(strncmp(refusal.sentence, field, strlen(field)), 0);
    assert_null(strpbrk(refusal.sentence, "\"\\\n"));
    assert_int_equal(figures_version(f), before);
}

static void test_malformed_reports(void **state) {
    assert_refused(*state, REPORT_READER, "{}", "missing_field", "instanceId is required");
    assert_refused(*state, REPORT_READER, "{'instanceId':''}", "missing_field", "instanceId is required");
    assert_refused(*state, REPORT_READER, "{'instanceId':null}", "missing_field", "instanceId is required");
    assert_refused(*state, REPORT_READER, "{'instanceId':7}", "invalid_field", "instanceId ");
    assert_refused(*state, REPORT_READER, "{'instanceId':'a b'}", "invalid_field", "instanceId ");
    assert_refused(*state, REPORT_CLIENT, "{'instanceId':'c'}", "missing_field", "clientId is required");
    assert_refused(*state, REPORT_COMMENT_API, "{'instanceId':[]}", "invalid_field", "instanceId ");
    static const char *const numbers[] = {"-1",   "1.5", "'1'", "[]", "{}", "true", "9007199254740992",
                                          "1e300"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[128];
        snprintf(text, sizeof text, "{'clientId':'c','commentsConsumed':%s}", numbers[i]);
        assert_refused(*state, REPORT_CLIENT, text, "invalid_field", "commentsConsumed ");
        snprintf(text, sizeof text, "{'topicSubscribers':{'video:v':%s}}", numbers[i]);
        assert_refused(*state, REPORT_COMMENT_API, text, "invalid_field", "topicSubscribers ");
    }
    assert_refused(*state, REPORT_CLIENT, "{'clientId':'c','userId':7}", "invalid_field", "userId ");
    assert_refused(*state, REPORT_CLIENT, "{'clientId':'c','subscribedTopics':{}}", "invalid_field",
                   "subscribedTopics ");
    assert_refused(*state, REPORT_CLIENT, "{'clientId':'c','subscribedTopics':['a',7]}", "invalid_field",
                   "subscribedTopics ");
    assert_refused(*state, REPORT_MANAGER, "{'videoMappings':{'v':7}}", "invalid_field", "videoMappings ");
    assert_refused(*state, REPORT_MANAGER, "{'videoMappings':[]}", "invalid_field", "videoMappings ");
    assert_refused(*state, REPORT_MANAGER, "{'availableReaderApis':['http://r']}", "invalid_field",
                   "availableReaderApis ");
}

static json_t *text_of(size_t len) {
    char *text = mem_alloc(len + 1);
    memset(text, 'x', len);
    text[len] = 0;
    json_t *value = json_string(text);
    free(text);
    return value;
}

static bool takes_texts(struct figures *f, size_t len) {
    struct report_refusal refusal;
    bool text = try_report(f, REPORT_CLIENT, json_pack("{s:s, s:o}", "clientId", "c", "userId", text_of(len)),
                           &refusal);
    bool list =
        try_report(f, REPORT_CLIENT,
                   json_pack("{s:s, s:[o]}", "clientId", "c", "subscribedTopics", text_of(len)), &refusal);
    assert_int_equal(text, list);
    return text;
}

static bool takes_key(struct figures *f, size_t len) {
    struct report_refusal refusal;
    json_t *key = text_of(len), *counts = json_object();
    json_object_set_new(counts, json_string_value(key), json_integer(1));
    json_decref(key);
    return try_report(f, REPORT_COMMENT_API, json_pack("{s:o}", "commentsByVideo", counts), &refusal);
}

static bool takes_id(struct figures *f, size_t len) {
    struct report_refusal refusal;
    return try_report(f, REPORT_CLIENT, json_pack("{s:o}", "clientId", text_of(len)), &refusal);
}

static void test_texts_are_bounded(void **state) {
    assert_true(takes_texts(*state, REPORT_TEXT_MAX));
    assert_false(takes_texts(*state, REPORT_TEXT_MAX + 1));
    assert_true(takes_key(*state, REPORT_TEXT_MAX));
    assert_false(takes_key(*state, REPORT_TEXT_MAX + 1));
    assert_true(takes_id(*state, 128));
    assert_false(takes_id(*state, 129));
}

static void test_whole_reals_are_numbers(void **state) {
    report(*state, REPORT_READER, "{'instanceId':'r','messagesSent':5.0,'activeConnections':1e3}");
    assert_at(*state, "readerApis.totalMessagesSent", "5");
    assert_at(*state, "readerApis.totalActiveConnections", "1000");
}

static void test_instances_are_merged(void **state) {
    report(*state, REPORT_COMMENT_API,
           "{'instanceId':'a','totalComments':5,'commentsByVideo':{'x':5},"
           "'activeTopics':['video:x','video:y'],'topicSubscribers':{'video:x':2}}");
    report(*state, REPORT_COMMENT_API,
           "{'instanceId':'b','totalComments':7,'commentsByVideo':{'x':4,'y':3},"
           "'activeTopics':['video:y','video:z'],'topicSubscribers':{'video:x':3}}");
    report(*state, REPORT_COMMENT_API, "{'totalComments':1}");
    report(*state, REPORT_COMMENT_API, "{'instanceId':'','totalComments':2}"); // the same one without a name
    now_ms += 1000;
    report(*state, REPORT_COMMENT_API,
           "{'instanceId':'a','totalComments':6,'commentsByVideo':{'x':6},"
           "'activeTopics':['video:x','video:y'],'topicSubscribers':{'video:x':2}}");
    assert_at(
        *state, "commentApi",
        "{'totalComments':15,'commentsByVideo':{'x':10,'y':3},'activeTopics':['video:x','video:y','video:z'],"
        "'topicSubscribers':{'video:x':3},'lastUpdated':'2025-11-23T21:23:21.123Z'}");
}

// Both managers count the same mappings and the same readers.
static void test_shared_figures_are_not_counted_twice(void **state) {
    report(*state, REPORT_MANAGER,
           "{'instanceId':'m1','registeredVideos':9,'availableReaderApis':3,"
           "'registrationCount':4,'videoMappings':{'v1':'http://r1'}}");
    report(*state, REPORT_MANAGER,
           "{'instanceId':'m2','registeredVideos':8,'availableReaderApis':3,"
           "'registrationCount':5,'videoMappings':{'v1':'http://r1','v2':'http://r2'}}");
    assert_at(*state, "readerApiManager.registeredVideos", "9");
    assert_at(*state, "readerApiManager.availableReaderApis", "3");
    assert_at(*state, "readerApiManager.registrationCount", "9");
    assert_at(*state, "readerApiManager.videoMappings", "{'v1':'http://r1','v2':'http://r2'}");
}

static void test_topics_of_readers_are_active(void **state) {
    report(*state, REPORT_READER, "{'instanceId':'r1','subscribedTopics':['video:a','video:b']}");
    report(*state, REPORT_READER, "{'instanceId':'r2','subscribedTopics':['video:b']}");
    assert_at(*state, "commentApi.activeTopics", "['video:a','video:b']");
    assert_at(*state, "commentApi.topicSubscribers", "{'video:a':1,'video:b':2}");
    report(*state, REPORT_COMMENT_API,
           "{'activeTopics':['video:b','video:c'],'topicSubscribers':{'video:a':5}}");
    assert_at(*state, "commentApi.activeTopics", "['video:b','video:c','video:a']");
    assert_at(*state, "commentApi.topicSubscribers", "{'video:a':5,'video:b':2}");
    assert_at(*state, "readerApis.allSubscribedTopics", "['video:a','video:b']");
}

static void test_a_report_replaces_the_one_before(void **state) {
    report(*state, REPORT_READER,
           "{'instanceId':'r','activeConnections':9,'messagesSent':100,"
           "'subscribedTopics':['video:a']}");
    report(*state, REPORT_READER, "{'instanceId':'r','activeConnections':2,'messagesSent':90}");
    assert_at(*state, "readerApis.totalReaders", "1");
    assert_at(*state, "readerApis.totalActiveConnections", "2");
    assert_at(*state, "readerApis.totalMessagesSent", "90");
    assert_at(*state, "readerApis.allSubscribedTopics", "[]");
}

static void test_silent_instances_are_dropped(void **state) {
    report(*state, REPORT_READER, "{'instanceId':'gone','activeConnections':5}");
    report(*state, REPORT_COMMENT_API, "{'instanceId':'gone','totalComments':5}");
    report(*state, REPORT_CLIENT, "{'clientId':'gone','commentsConsumed':5}");
    report(*state, REPORT_MANAGER, "{'registrationCount':5}");
    now_ms += 10000;
    report(*state, REPORT_READER, "{'instanceId':'here','activeConnections':3}");
    report(*state, REPORT_CLIENT, "{'clientId':'here','commentsConsumed':3}");
    now_ms += 4999;
    assert_at(*state, "readerApis.totalReaders", "2");
    assert_at(*state, "clients.totalCommentsConsumed", "8");
    uint64_t before = figures_version(*state);
    now_ms += 1; // 15 s
    assert_at(*state, "readerApis.totalReaders", "1");
    assert_at(*state, "readerApis.totalActiveConnections", "3");
    assert_at(*state, "clients.totalClients", "1");
    assert_at(*state, "clients.totalCommentsConsumed", "3");
    assert_at(*state, "commentApi.totalComments", "0");
    assert_at(*state, "readerApiManager.lastUpdated", "null");
    assert_true(figures_version(*state) != before);
    now_ms += 9999;
    report(*state, REPORT_READER, "{'instanceId':'here','activeConnections':4}"); // it goes on living
    now_ms += 14999;
    assert_at(*state, "readerApis.totalActiveConnections", "4");
    assert_at(*state, "clients.totalClients", "0");
}

// 150 topics, as a list and as a map.
static void add_topics(struct buf *list, struct buf *map) {
    for (int i = 0; i < 150; i++) {
        buf_printf(list, "%s'video:t%d'", i ? "," : "[", i);
        buf_printf(map, "%s'video:t%d':%d", i ? "," : "{", i, i);
    }
    buf_add_string(list, "]");
    buf_add_string(map, "}");
}

static void assert_size(struct figures *f, const char *part, const char *name, size_t size) {
    json_t *d = document(f);
    const json_t *at = json_object_get(json_object_get(d, part), name);
    assert_int_equal(json_is_array(at) ? json_array_size(at) : json_object_size(at), size);
    json_decref(d);
}

static void test_lists_and_maps_are_cut(void **state) {
    struct buf list = {0}, map = {0}, text = {0};
    add_topics(&list, &map);
    buf_printf(&text, "{'totalComments':150,'commentsByVideo':%s,'activeTopics':%s,'topicSubscribers':%s}",
               buf_string(&map), buf_string(&list), buf_string(&map));
    report(*state, REPORT_COMMENT_API, buf_string(&text));
    buf_clear(&text);
    buf_printf(&text, "{'instanceId':'other','commentsByVideo':{'w':1,'video:t0':7},'activeTopics':['w']}");
    report(*state, REPORT_COMMENT_API, buf_string(&text));
    buf_clear(&text);
    buf_printf(&text, "{'instanceId':'r','subscribedTopics':%s}", buf_string(&list));
    report(*state, REPORT_READER, buf_string(&text));
    assert_size(*state, "commentApi", "commentsByVideo", 100);
    assert_size(*state, "commentApi", "activeTopics", 100);
    assert_size(*state, "commentApi", "topicSubscribers", 100);
    assert_size(*state, "readerApis", "allSubscribedTopics", 100);
    assert_at(*state, "commentApi.commentsByVideo.video:t0", "7"); // summed though the map is full
    assert_at(*state, "commentApi.totalComments", "150");
    buf_release(&list);
    buf_release(&map);
    buf_release(&text);
}

static void report_many(struct figures *f, enum report_kind kind, const char *id_field, int first,
                        int count) {
    for (int i = first; i < first + count; i++) {
        char text[160];
        snprintf(text, sizeof text, "{'%s':'i%d','messagesSent':1,'commentsConsumed':1,'userId':'u%d'}",
                 id_field, i, i);
        report(f, kind, text);
    }
}

static void test_readers_are_bounded(void **state) {
    report_many(*state, REPORT_READER, "instanceId", 0, FIGURES_INSTANCES);
    assert_at(*state, "readerApis.totalReaders", "1000");
    assert_size(*state, "readerApis", "readers", 100);
    report_many(*state, REPORT_READER, "instanceId", 0, 1); // the first is the newest now
    report_many(*state, REPORT_READER, "instanceId", FIGURES_INSTANCES, 1);
    assert_at(*state, "readerApis.totalReaders", "1000");
    assert_at(*state, "readerApis.totalMessagesSent", "1000");
    json_t *d = document(*state);
    const json_t *readers = json_object_get(json_object_get(d, "readerApis"), "readers");
    assert_string_equal(json_string_value(json_object_get(json_array_get(readers, 0), "instanceId")), "i0");
    assert_string_equal(json_string_value(json_object_get(json_array_get(readers, 1), "instanceId")), "i2");
    json_decref(d);
}

static void test_clients_are_bounded_and_totals_correct(void **state) {
    report_many(*state, REPORT_CLIENT, "clientId", 0, FIGURES_CLIENTS + 10);
    assert_at(*state, "clients.totalClients", "100000");
    assert_at(*state, "clients.totalCommentsConsumed", "100000");
    assert_size(*state, "clients", "clients", 100); // the newest took the places of those that made room
    assert_at(*state, "clients.totalCommentsGenerated", "0");
    json_t *d = document(*state);
    const json_t *clients = json_object_get(json_object_get(d, "clients"), "clients");
    assert_string_equal(json_string_value(json_object_get(json_array_get(clients, 0), "clientId")), "i10");
    assert_string_equal(json_string_value(json_object_get(json_array_get(clients, 99), "clientId")),
                        "i100009");
    json_decref(d);
}

static void test_a_free_row_goes_to_the_client_that_reports_next(void **state) {
    report_many(*state, REPORT_CLIENT, "clientId", 0, 100);
    now_ms += 10000;
    report_many(*state, REPORT_CLIENT, "clientId", 50, 100);
    assert_size(*state, "clients", "clients", 100);
    now_ms += 5000;
    assert_at(*state, "clients.totalClients", "100");
    assert_size(*state, "clients", "clients", 50);
    report_many(*state, REPORT_CLIENT, "clientId", 100, 50);
    assert_size(*state, "clients", "clients", 100);
}

static void test_huge_sums_stay_numbers(void **state) {
    for (int i = 0; i < 1000; i++) {
        char text[128];
        snprintf(text, sizeof text, "{'instanceId':'r%d','messagesSent':9007199254740991}", i);
        report(*state, REPORT_READER, text);
    }
    assert_at(*state, "readerApis.totalMessagesSent", "9007199254740991000");
    report(*state, REPORT_COMMENT_API, "{'instanceId':'a','commentsByVideo':{'v':9007199254740991}}");
    report(*state, REPORT_COMMENT_API, "{'instanceId':'b','commentsByVideo':{'v':9007199254740991}}");
    assert_at(*state, "commentApi.commentsByVideo.v", "18014398509481982");
}

// The role, with an engine that answers overview() when the test tells it to.

struct role_world {
    struct engine engine; // first
    struct engine_ops ops;
    struct loop *loop;
    struct internal_only *guard;
    struct statistics *statistics;
    engine_overview_cb *pending;
    void *pending_arg;
    unsigned asked, answered;
    bool answer_immediately;
    uint64_t comments;
    char *document; // the latest; NULL: none
    struct http_server *server;
    struct http_client *client;
    struct loop_job answer;
};

static void give_overview(struct role_world *w, enum engine_status status) {
    static const char body[] = "\"userid\":\"u\",\"comment\":\"hi\"";
    struct engine_entry entry = {
        .at = {7, 1}, .prev = {6, 9}, .kind = ENTRY_COMMENT, .body = body, .body_len = sizeof body - 1};
    struct engine_overview o = {
        .comments = w->comments, .newest = &entry, .newest_count = w->comments ? 1 : 0};
    engine_overview_cb *pending = w->pending;
    w->pending = NULL;
    assert_non_null(pending);
    pending(w->pending_arg, status, status == ENGINE_OK ? &o : NULL);
}

static void on_answer_job(struct loop_job *job) {
    struct role_world *w = container_of(job, struct role_world, answer);
    give_overview(w, ENGINE_OK);
}

static void fake_overview(struct engine *e, engine_overview_cb *cb, void *arg) {
    struct role_world *w = (struct role_world *)e;
    assert_null(w->pending);
    w->pending = cb;
    w->pending_arg = arg;
    w->asked++;
    w->answer.run = on_answer_job;
    if (w->answer_immediately) loop_post(w->loop, &w->answer);
}

static bool fake_ready(struct engine *e, const char **why) {
    (void)e;
    (void)why;
    return true;
}

static struct engine_stats fake_stats(struct engine *e) {
    (void)e;
    return (struct engine_stats){0};
}

static int role_set_up(void **state) {
    struct role_world *w = mem_zalloc(sizeof *w);
    w->ops = (struct engine_ops){
        .name = "fake", .overview = fake_overview, .ready = fake_ready, .stats = fake_stats};
    w->engine.ops = &w->ops;
    w->loop = loop_new();
    w->guard = internal_only_new(NULL, "secret");
    w->statistics = statistics_new(
        w->loop, &w->engine,
        &(struct statistics_config){.instance_id = "statistics-1", .interval_ms = 20, .guard = w->guard});
    *state = w;
    return 0;
}

static int role_tear_down(void **state) {
    struct role_world *w = *state;
    if (w->client) http_client_free(w->client);
    http_server_free(w->server);
    statistics_free(w->statistics);
    if (w->pending) give_overview(w, ENGINE_CLOSED);
    loop_free(w->loop);
    internal_only_free(w->guard);
    free(w->document);
    free(w);
    return 0;
}

static void on_document(void *arg, const char *text, size_t len) {
    struct role_world *w = arg;
    assert_not_inside();
    w->answered++;
    free(w->document);
    w->document = text ? mem_strndup(text, len) : NULL;
}

static bool shows(struct role_world *w, const char *what) {
    return w->document && strstr(w->document, what);
}

static void ask(struct role_world *w) {
    INSIDE(statistics_document(w->statistics, on_document, w));
}

static void post_reader(struct role_world *w, int connections) {
    struct report_refusal refusal;
    struct json_reader r;
    char text[64];
    int len = snprintf(text, sizeof text, "{\"instanceId\":\"r\",\"activeConnections\":%d}", connections);
    json_reader_init(&r, text, (size_t)len);
    assert_true(statistics_report(w->statistics, REPORT_READER, &r, &refusal));
}

static void test_gets_share_one_query(void **state) {
    struct role_world *w = *state;
    w->comments = 41;
    for (int i = 0; i < 10; i++) ask(w);
    assert_int_equal(w->asked, 1);
    assert_int_equal(w->answered, 0);
    give_overview(w, ENGINE_OK);
    assert_int_equal(w->answered, 10);
    assert_true(shows(w, "\"storedComments\":{\"total\":41,\"comments\":[{\"id\":\"7-1\",\"userid\":\"u\","
                         "\"comment\":\"hi\"}]}"));
}

static void ask_and_answer(struct role_world *w) {
    ask(w);
    give_overview(w, ENGINE_OK);
}

static void test_reports_are_shown_immediately(void **state) {
    struct role_world *w = *state;
    for (int i = 1; i <= 5; i++) {
        post_reader(w, i);
        ask_and_answer(w);
        char text[64];
        snprintf(text, sizeof text, "\"totalActiveConnections\":%d,", i);
        assert_true(shows(w, text));
    }
}

static void test_comments_are_shown_immediately(void **state) {
    struct role_world *w = *state;
    for (int i = 0; i <= 5; i++) {
        w->comments = (uint64_t)i;
        ask_and_answer(w);
        char text[64];
        snprintf(text, sizeof text, "\"storedComments\":{\"total\":%d,", i);
        assert_true(shows(w, text));
    }
}

static void test_engine_away_before_anything_is_known(void **state) {
    struct role_world *w = *state;
    ask(w);
    give_overview(w, ENGINE_UNAVAILABLE);
    assert_int_equal(w->answered, 1);
    assert_null(w->document);
    ask(w);
    give_overview(w, ENGINE_OK);
    assert_true(shows(w, "\"total\":0"));
}

static void test_engine_away_later(void **state) {
    struct role_world *w = *state;
    w->comments = 41;
    ask(w);
    give_overview(w, ENGINE_OK);
    post_reader(w, 3);
    ask(w);
    give_overview(w, ENGINE_UNAVAILABLE);
    assert_int_equal(w->answered, 2);
    assert_true(shows(w, "\"total\":41"));
    assert_true(shows(w, "\"totalActiveConnections\":3,"));
}

static void on_stop(struct loop_timer *t) {
    struct role_world *w = *(struct role_world **)(t + 1);
    loop_stop(w->loop);
}

static void run_for(struct role_world *w, int ms) {
    struct {
        struct loop_timer timer;
        struct role_world *world;
    } end = {.timer.on_due = on_stop, .world = w};
    loop_timer_start(w->loop, &end.timer, ms);
    loop_run(w->loop);
}

static void test_engine_that_does_not_answer(void **state) {
    struct role_world *w = *state;
    w->comments = 41;
    ask(w);
    give_overview(w, ENGINE_OK);
    ask(w);
    run_for(w, 500);
    assert_int_equal(w->answered, 1);
    run_for(w, 700); // a second has passed
    assert_int_equal(w->answered, 2);
    assert_true(shows(w, "\"total\":41"));
}

// The loop's clock does not move meanwhile, so no budget is regained.
static void test_polling_is_bounded(void **state) {
    struct role_world *w = *state;
    for (int i = 0; i < 1000; i++) {
        ask(w);
        if (!w->pending) continue;
        int64_t began_us = clock_monotonic_us();
        while (clock_monotonic_us() - began_us < 200) continue; // an engine that takes this long
        give_overview(w, ENGINE_OK);
    }
    run_for(w, 1);
    assert_int_equal(w->answered, 1000);
    assert_in_range(w->asked, 1, 250);
}

static void test_silent_reader_leaves_the_document(void **state) {
    struct role_world *w = *state;
    post_reader(w, 3);
    ask(w); // in the same turn of the loop: no time has passed
    give_overview(w, ENGINE_OK);
    assert_true(shows(w, "\"totalReaders\":1"));
    run_for(w, 80); // three intervals of 20 ms since the report
    ask(w);
    give_overview(w, ENGINE_OK);
    assert_true(shows(w, "\"totalReaders\":0"));
}

static void test_free_calls_back_waiting_requests(void **state) {
    struct role_world *w = *state;
    ask(w);
    ask(w);
    statistics_free(w->statistics);
    w->statistics = NULL;
    assert_int_equal(w->answered, 2);
    assert_null(w->document);
    run_for(w, 1);
    give_overview(w, ENGINE_OK); // late: no request waits
}

// The routes, through a real server and client.

struct answer {
    struct role_world *world;
    int status;
    char body[4096];
};

static void on_http_answer(void *arg, const struct http_client_response *a) {
    struct answer *answer = arg;
    assert_int_equal(a->error, 0);
    answer->status = a->status;
    snprintf(answer->body, sizeof answer->body, "%.*s", (int)a->body_len, a->body);
    loop_stop(answer->world->loop);
}

static void start_server(struct role_world *w) {
    static struct http_mount mounts[2];
    mounts[0] = (struct http_mount){.tables = statistics_tables, .arg = w->statistics};
    int error;
    w->answer_immediately = true;
    w->client = http_client_new(w->loop);
    w->server = http_server_new(w->loop,
                                &(struct http_server_config){.role = "statistics",
                                                             .bind = "127.0.0.1",
                                                             .header_timeout_ms = 10000,
                                                             .body_timeout_ms = 10000,
                                                             .idle_timeout_ms = 10000,
                                                             .max_connections = 100,
                                                             .site = {.mounts = mounts}},
                                &error);
    assert_non_null(w->server);
    ((struct service *)(void *)w->statistics)->http = http_server_counters(w->server);
}

static struct answer call(struct role_world *w, const char *method, const char *path, const char *body) {
    struct answer answer = {.world = w};
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", http_server_port(w->server), path);
    http_client_request(w->client,
                        &(struct http_client_request){.method = method,
                                                      .url = url,
                                                      .body = body,
                                                      .body_len = body ? strlen(body) : 0,
                                                      .timeout_ms = 20000},
                        on_http_answer, &answer);
    loop_run(w->loop);
    return answer;
}

static void test_routes(void **state) {
    struct role_world *w = *state;
    start_server(w);
    struct answer a =
        call(w, "POST", "/reader-api-statistics", "{\"instanceId\":\"r\",\"activeConnections\":4}");
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "{\"success\":true}\n");
    assert_int_equal(call(w, "POST", "/comment-api-statistics", "{\"totalComments\":3}").status, 200);
    assert_int_equal(call(w, "POST", "/reader-api-manager-statistics", "{\"registeredVideos\":2}").status,
                     200);
    assert_int_equal(call(w, "POST", "/client-statistics", "{\"clientId\":\"c\"}").status, 200);
    a = call(w, "GET", "/statistics", NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"totalActiveConnections\":4,"));
    assert_non_null(strstr(a.body, "\"totalComments\":3,"));
    assert_non_null(strstr(a.body, "\"registeredVideos\":2,"));
    assert_non_null(strstr(a.body, "\"totalClients\":1,"));
    assert_int_equal(call(w, "HEAD", "/statistics", NULL).status, 200);
    assert_int_equal(call(w, "GET", "/health", NULL).status, 200);
}

static void test_routes_refuse(void **state) {
    struct role_world *w = *state;
    start_server(w);
    struct answer a = call(w, "POST", "/client-statistics", "{}");
    assert_int_equal(a.status, 400);
    assert_string_equal(a.body, "{\"error\":\"clientId is required.\",\"code\":\"missing_field\"}\n");
    assert_int_equal(call(w, "POST", "/client-statistics", "[]").status, 400);
    assert_int_equal(call(w, "POST", "/client-statistics", "{").status, 400);
    assert_int_equal(call(w, "POST", "/client-statistics", NULL).status, 415);
    assert_int_equal(call(w, "POST", "/statistics", "{}").status, 405);
    char *large = mem_alloc(1048577);
    memset(large, ' ', 1048576);
    large[1048576] = 0;
    memcpy(large, "{\"clientId\":\"c\"}", 16);
    assert_int_equal(call(w, "POST", "/client-statistics", large).status, 200); // 1 MiB is the limit
    free(large);
}

static void test_routes_are_internal(void **state) {
    struct role_world *w = *state;
    assert_true(internal_only_set(w->guard, "10.0.0.0/8", NULL));
    start_server(w);
    struct answer a = call(w, "POST", "/client-statistics", "{\"clientId\":\"c\"}");
    assert_int_equal(a.status, 403);
    assert_non_null(strstr(a.body, "\"code\":\"forbidden\""));
    assert_int_equal(call(w, "GET", "/statistics", NULL).status, 200);
}

int main(void) {
#define FIGURES(name) cmocka_unit_test_setup_teardown(name, figures_set_up, figures_tear_down)
#define ROLE(name)    cmocka_unit_test_setup_teardown(name, role_set_up, role_tear_down)
    const struct CMUnitTest tests[] = {
        FIGURES(test_empty_document),
        FIGURES(test_original_reports),
        FIGURES(test_all_fields_are_optional),
        FIGURES(test_malformed_reports),
        FIGURES(test_texts_are_bounded),
        FIGURES(test_whole_reals_are_numbers),
        FIGURES(test_instances_are_merged),
        FIGURES(test_shared_figures_are_not_counted_twice),
        FIGURES(test_topics_of_readers_are_active),
        FIGURES(test_a_report_replaces_the_one_before),
        FIGURES(test_silent_instances_are_dropped),
        FIGURES(test_lists_and_maps_are_cut),
        FIGURES(test_readers_are_bounded),
        FIGURES(test_clients_are_bounded_and_totals_correct),
        FIGURES(test_a_free_row_goes_to_the_client_that_reports_next),
        FIGURES(test_huge_sums_stay_numbers),
        ROLE(test_gets_share_one_query),
        ROLE(test_reports_are_shown_immediately),
        ROLE(test_comments_are_shown_immediately),
        ROLE(test_engine_away_before_anything_is_known),
        ROLE(test_engine_away_later),
        ROLE(test_engine_that_does_not_answer),
        ROLE(test_polling_is_bounded),
        ROLE(test_silent_reader_leaves_the_document),
        ROLE(test_free_calls_back_waiting_requests),
        ROLE(test_routes),
        ROLE(test_routes_refuse),
        ROLE(test_routes_are_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
