// The description of the HTTP interface against the tables of routes: each has what the other has.
#include "unit.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <version.h>

#include "archive/archive.h"
#include "comment/comment_api.h"
#include "http/asset.h"
#include "http/router.h"
#include "manager/manager.h"
#include "reader/reader.h"
#include "service/service.h"
#include "statistics/statistics_routes.h"

static const struct role {
    const char *name;
    const struct http_route *const *tables;
    const struct http_asset *assets;
} roles[] = {{"comment", comment_tables, comment_assets},
             {"reader", reader_tables, NULL},
             {"statistics", statistics_demo_tables, statistics_assets},
             {"manager", manager_tables, NULL},
             {"archive", archive_tables, NULL}};
enum { ROLES = sizeof roles / sizeof *roles };

static json_t *document;

#define FOREACH_ROLE(role) for (const struct role *role = roles; role < roles + ROLES; role++)
#define FOREACH_ROUTE(role, r)                                                                               \
    for (const struct http_route *const *t = (role)->tables; *t; t++)                                        \
        for (const struct http_route *r = *t; r->pattern; r++)

// "/resolve/:videoid" as OpenAPI writes it, "/resolve/{videoid}".
static const char *template_of(const char *pattern) {
    static char text[256];
    char *to = text;
    for (bool inside = false; *pattern || inside; pattern++) {
        if (inside && (*pattern == '/' || !*pattern)) {
            inside = false;
            *to++ = '}';
        }
        if (!*pattern) break;
        inside |= *pattern == ':';
        *to++ = *pattern == ':' ? '{' : *pattern;
    }
    *to = 0;
    return text;
}

static bool has_text(const json_t *list, const char *text) {
    const json_t *entry;
    size_t i;
    json_array_foreach(list, i, entry)
        if (!strcmp(json_string_value(entry), text)) return true;
    return false;
}

static json_t *operation(const char *pattern, const char *method) {
    char lower[8] = "";
    for (size_t i = 0; method[i] && i < sizeof lower - 1; i++) lower[i] = (char)tolower(method[i]);
    return json_object_get(json_object_get(json_object_get(document, "paths"), template_of(pattern)), lower);
}

static void assert_described(const struct role *role, const char *method, const char *pattern) {
    const json_t *op = operation(pattern, method);
    if (!op) fail_msg("%s %s of %s is missing in openapi.json", method, pattern, role->name);
    if (!has_text(json_object_get(op, "tags"), role->name))
        fail_msg("%s %s in openapi.json lacks the tag %s", method, pattern, role->name);
}

static void test_every_route_is_described(void **state) {
    (void)state;
    FOREACH_ROLE(role)
    FOREACH_ROUTE(role, r) assert_described(role, r->method, r->pattern);
}

static void test_every_page_is_described(void **state) {
    (void)state;
    FOREACH_ROLE(role)
    for (const struct http_asset *a = role->assets; a && a->path; a++)
        if (!strncmp(a->type, "text/html", 9)) assert_described(role, "GET", a->path);
}

static bool serves(const struct role *role, const char *method, const char *path) {
    FOREACH_ROUTE(role, r)
    if (!strcasecmp(r->method, method) && !strcmp(template_of(r->pattern), path)) return true;
    for (const struct http_asset *a = role->assets; a && a->path; a++)
        if (!strcasecmp("get", method) && !strcmp(template_of(a->path), path)) return true;
    return false;
}

static void check_tags(const char *method, const char *path, const json_t *op) {
    const json_t *tags = json_object_get(op, "tags");
    size_t known = 0;
    FOREACH_ROLE(role) {
        if (!has_text(tags, role->name)) continue;
        known++;
        if (!serves(role, method, path))
            fail_msg("openapi.json has %s %s, %s has not", method, path, role->name);
    }
    if (!known || known != json_array_size(tags)) fail_msg("the tags of %s %s are no roles", method, path);
}

// A path that not every role serves has the servers that do.
static void check_servers(const char *path, const json_t *item, const json_t *tags) {
    const json_t *servers = json_object_get(item, "servers"), *server;
    size_t i;
    if (!servers) servers = json_object_get(document, "servers");
    if (json_array_size(servers) != json_array_size(tags))
        fail_msg("the servers of %s are not its tags", path);
    json_array_foreach(servers, i, server) {
        const char *name = json_string_value(json_object_get(server, "description"));
        if (!has_text(tags, name)) fail_msg("%s: a server %s, and no such tag", path, name);
    }
}

static void test_everything_described_is_there(void **state) {
    (void)state;
    const char *path, *method;
    json_t *item, *op;
    json_object_foreach(json_object_get(document, "paths"), path, item) {
        json_object_foreach(item, method, op) {
            if (!strcmp(method, "servers") || !strcmp(method, "parameters")) continue;
            check_tags(method, path, op);
            check_servers(path, item, json_object_get(op, "tags"));
        }
    }
}

static void test_it_is_of_this_version(void **state) {
    (void)state;
    assert_string_equal(json_string_value(json_object_get(json_object_get(document, "info"), "version")),
                        CHORUS_VERSION);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_is_described), cmocka_unit_test(test_every_page_is_described),
        cmocka_unit_test(test_everything_described_is_there), cmocka_unit_test(test_it_is_of_this_version)};
    assert_string_equal(service_assets[0].path, "/openapi.json");
    document = json_loadb(service_assets[0].bytes, service_assets[0].len, 0, NULL);
    assert_non_null(document);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(document);
    return failed;
}
