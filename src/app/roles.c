#include "roles.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "comment/comment_api.h"
#include "manager/manager.h"
#include "reader/reader.h"
#include "runtime.h"
#include "statistics/statistics.h"
#include "statistics/statistics_routes.h"

static struct service_config service_config(const struct role_context *c) {
    const struct settings *set = c->runtime->settings;
    return (struct service_config){.instance_id = c->part->instance_id,
                                   .statistics_url = c->statistics_url,
                                   .statistics_interval_ms = (int)set->statistics_interval_ms,
                                   .token = set->internal_token};
}

static void *make_statistics(struct roles *all, const struct role_context *c) {
    const struct runtime *r = c->runtime;
    const struct settings *set = r->settings;
    all->statistics =
        statistics_new(r->loop, r->engine,
                       &(struct statistics_config){.instance_id = c->part->instance_id,
                                                   .interval_ms = (int)set->statistics_interval_ms,
                                                   .internal_from = set->internal_from,
                                                   .internal_token = set->internal_token});
    return all->statistics;
}

static void *make_manager(struct roles *all, const struct role_context *c) {
    const struct runtime *r = c->runtime;
    struct service_config config = service_config(c);
    all->manager = manager_new(r->loop, r->engine, r->placement, r->client, &config);
    return all->manager;
}

static void *make_comment(struct roles *all, const struct role_context *c) {
    const struct runtime *r = c->runtime;
    all->comment = comment_api_new(r->loop, r->engine, r->placement, r->client,
                                   &(struct comment_config){.service = service_config(c),
                                                            .log_age_ms = r->settings->log_age_ms,
                                                            .manager_url = c->manager_url,
                                                            .user_rate = (unsigned)r->settings->user_rate});
    return all->comment;
}

// A trailing slash is not part of a reader's name.
static void copy_url(char to[SYSTEM_URL_SIZE], const char *url) {
    size_t len = strlen(url);
    while (len && url[len - 1] == '/') len--;
    snprintf(to, SYSTEM_URL_SIZE, "%.*s", (int)len, url);
}

static void write_reader_urls(const struct settings *set, struct system_part *part) {
    if (set->public_host)
        snprintf(part->public_url, sizeof part->public_url, "http://%s%s", set->public_host,
                 strrchr(part->url, ':'));
    if (set->public_url) copy_url(part->public_url, set->public_url);
    if (set->url) copy_url(part->url, set->url);
}

// A reader run on its own that listens on all addresses serves other machines: all such readers would share
// the name 127.0.0.1. Its neighbours can resolve the host name of a container.
static void name_by_host(const struct settings *set, struct system_part *part) {
    char host[HOST_NAME_MAX + 1] = "";
    bool everywhere = !strcmp(set->bind, "0.0.0.0") || !strcmp(set->bind, "::");
    if (set->url || !everywhere || gethostname(host, sizeof host - 1) < 0 || !*host) return;
    char port[8];
    snprintf(port, sizeof port, "%s", strrchr(part->url, ':'));
    snprintf(part->url, sizeof part->url, "http://%s%s", host, port);
}

static void *make_reader(struct roles *all, const struct role_context *c) {
    struct runtime *r = c->runtime;
    const struct settings *set = r->settings;
    if (r->command == COMMAND_READER) name_by_host(set, c->part);
    write_reader_urls(set, c->part);
    struct reader *reader =
        reader_new(r->loop, r->engine, r->placement, r->fanout, &r->history, r->client,
                   &(struct reader_config){.service = service_config(c),
                                           .reader_url = c->part->url,
                                           .public_url = c->part->public_url[0] ? c->part->public_url : NULL,
                                           .stall_ms = (int)set->stall_timeout_ms,
                                           .unsubscribe_ms = (int)set->unsubscribe_ms});
    all->readers[all->reader_count++] = reader;
    return reader;
}

#define AT(field) offsetof(struct settings, field)

const struct role role_table[] = {
    {COMMAND_STATISTICS, "statistics", "statistics-port", AT(statistics_port), statistics_tables, NULL,
     make_statistics},
    {COMMAND_MANAGER, "manager", "manager-port", AT(manager_port), manager_tables, NULL, make_manager},
    {COMMAND_COMMENT, "comment", "comment-port", AT(comment_port), comment_tables, comment_assets,
     make_comment},
    {COMMAND_READER, "reader", "reader-ports", 0, reader_tables, NULL, make_reader},
    {0},
};

void roles_stop(struct roles *all) {
    for (size_t i = 0; i < all->reader_count; i++) reader_stop(all->readers[i]);
}

void roles_free(struct roles *all) {
    for (size_t i = 0; i < all->reader_count; i++) reader_free(all->readers[i]);
    comment_api_free(all->comment);
    manager_free(all->manager);
    statistics_free(all->statistics);
}
