#include "roles.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "comment/comment_api.h"
#include "manager/manager.h"
#include "placement/hot_set.h"
#include "reader/reader.h"
#include "runtime.h"
#include "statistics/statistics.h"
#include "statistics/statistics_routes.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uthash.h"

static struct service_config service_config(const struct role_context *c) {
    const struct settings *set = c->runtime->settings;
    return (struct service_config){.instance_id = c->part->instance_id,
                                   .statistics_url = c->statistics_url,
                                   .statistics_interval_ms = (int)set->statistics_interval_ms,
                                   .token = set->internal_token,
                                   .process = &c->runtime->process};
}

static void *make_statistics(struct roles *all, const struct role_context *c) {
    struct runtime *r = c->runtime;
    all->statistics =
        statistics_new(r->loop, r->engine,
                       &(struct statistics_config){.instance_id = c->part->instance_id,
                                                   .interval_ms = (int)r->settings->statistics_interval_ms,
                                                   .guard = r->internal,
                                                   .process = &r->process,
                                                   .demo = c->demo,
                                                   .fanout = r->fanout});
    return all->statistics;
}

static void *make_manager(struct roles *all, const struct role_context *c) {
    const struct runtime *r = c->runtime;
    struct service_config config = service_config(c);
    struct hot_times hot = {.grow_ms = r->settings->hot_after_ms, .shrink_ms = r->settings->cool_after_ms};
    all->manager =
        manager_new(r->loop, r->engine, r->placement, r->client, &config, runtime_has_sets(r) ? &hot : NULL);
    return all->manager;
}

static struct comment_rates comment_rates(const struct settings *set) {
    return (struct comment_rates){.user = (unsigned)set->user_rate,
                                  .limited_user = (unsigned)set->limit_user_posts,
                                  .limited_video = (unsigned)set->limit_video_posts};
}

static struct text_rules text_rules(const struct settings *set) {
    struct text_rules rules = {.lines = (unsigned)set->text_lines, .marks = (unsigned)set->text_marks};
    text_rules_parse(set->text_rules, &rules.on);
    return rules;
}

static struct review_bounds review_bounds(const struct settings *set) {
    return (struct review_bounds){.timeout_ms = (int)set->review_timeout_ms, .refuses = set->review_refuses};
}

static void *make_comment(struct roles *all, const struct role_context *c) {
    const struct runtime *r = c->runtime;
    all->comment = comment_api_new(r->loop, r->engine, r->placement, r->client,
                                   &(struct comment_config){.service = service_config(c),
                                                            .log_age_ms = r->settings->log_age_ms,
                                                            .manager_url = c->manager_url,
                                                            .rates = comment_rates(r->settings),
                                                            .texts = text_rules(r->settings),
                                                            .first = r->first_line,
                                                            .review_url = r->settings->review_hook,
                                                            .review_tls = r->review_transport,
                                                            .review = review_bounds(r->settings)});
    return all->comment;
}

// A trailing slash is not part of a reader's name.
static void copy_url(char to[SYSTEM_URL_SIZE], const char *url) {
    size_t len = strlen(url);
    while (len && url[len - 1] == '/') len--;
    snprintf(to, SYSTEM_URL_SIZE, "%.*s", (int)len, url);
}

static void write_reader_urls(const struct role_context *c) {
    const struct settings *set = c->runtime->settings;
    struct system_part *part = c->part;
    if (set->public_host)
        snprintf(part->public_url, sizeof part->public_url, "http://%s%s", set->public_host,
                 strrchr(part->url, ':'));
    else if (c->address)
        snprintf(part->public_url, sizeof part->public_url, "%s", c->address);
    if (set->public_url) copy_url(part->public_url, set->public_url);
    if (set->url) copy_url(part->url, set->url);
}

static bool is_one_of_many(const struct settings *set) {
    char url[SETTINGS_REDIS_URL_SIZE];
    return settings_redis_url(set, url, sizeof url);
}

static void add_path(struct system_part *part) {
    size_t len = strlen(part->url);
    snprintf(part->url + len, sizeof part->url - len, "/%s", part->name);
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
    // With one port for all, a reader's name is a path there, and browsers use the address itself.
    if (c->address) snprintf(c->part->url, sizeof c->part->url, "%s", c->address);
    if (r->command == COMMAND_READER || (c->address && is_one_of_many(set))) name_by_host(set, c->part);
    write_reader_urls(c);
    if (c->address) add_path(c->part);
    struct reader *reader =
        reader_new(r->loop, r->engine, r->placement, r->fanout, &r->history, r->client,
                   &(struct reader_config){.service = service_config(c),
                                           .reader_url = c->part->url,
                                           .public_url = c->part->public_url[0] ? c->part->public_url : NULL,
                                           .heartbeat_ms = (int)set->heartbeat_ms,
                                           .stall_ms = (int)set->stall_timeout_ms,
                                           .unsubscribe_ms = (int)set->unsubscribe_ms,
                                           .crowd = &r->crowd,
                                           .cores = runtime_has_sets(r) ? 1000 * runtime_workers(r) : 0});
    all->readers[c->number] = reader;
    if (c->number == all->reader_count) all->reader_count++;
    return reader;
}

static void *make_archive(struct roles *all, const struct role_context *c) {
    const struct runtime *r = c->runtime;
    struct service_config config = service_config(c);
    all->archive = archive_new(r->loop, r->engine, r->archive, &config);
    return all->archive;
}

#define AT(field) offsetof(struct settings, field)

const struct role role_table[] = {
    {COMMAND_STATISTICS, "statistics", "statistics-port", AT(statistics_port), statistics_tables,
     statistics_demo_tables, statistics_assets, true, make_statistics},
    {COMMAND_MANAGER, "manager", "manager-port", AT(manager_port), manager_tables, NULL, NULL, false,
     make_manager},
    {COMMAND_COMMENT, "comment", "comment-port", AT(comment_port), comment_tables, NULL, comment_assets,
     false, make_comment},
    {COMMAND_READER, "reader", "reader-ports", 0, reader_tables, NULL, NULL, false, make_reader},
    {COMMAND_ARCHIVE, "archive", NULL, 0, archive_tables, NULL, NULL, false, make_archive},
    {0},
};

struct dead_reader {
    struct reader *reader;
    struct dead_reader *next;
};

void roles_kill_reader(struct roles *all, size_t number) {
    struct dead_reader *dead = mem_alloc(sizeof *dead);
    *dead = (struct dead_reader){.reader = all->readers[number]};
    all->readers[number] = NULL;
    LL_PREPEND(all->dead, dead);
    reader_kill(dead->reader);
}

static void dead_reader_free(struct roles *all, struct dead_reader *dead) {
    LL_DELETE(all->dead, dead);
    log_debug("chorus", "dead_reader_freed", NULL);
    reader_free(dead->reader);
    free(dead);
}

void roles_bury(struct roles *all) {
    struct dead_reader *dead, *next;
    LL_FOREACH_SAFE(all->dead, dead, next) {
        if (reader_is_settled(dead->reader)) dead_reader_free(all, dead);
    }
}

void roles_configure(struct roles *all, const struct runtime *r) {
    const struct settings *set = r->settings;
    struct service *s;
    DL_FOREACH(r->process.services, s) service_set_token(s, set->internal_token);
    if (all->comment) comment_api_set_token(all->comment, set->internal_token);
    struct comment_rates rates = comment_rates(set);
    if (all->comment) {
        struct text_rules texts = text_rules(set); // an option of this role
        struct review_bounds review = review_bounds(set);
        comment_api_set_limits(all->comment, &rates, &texts, &review, set->log_age_ms);
    }
    for (size_t i = 0; i < all->reader_count; i++)
        if (all->readers[i])
            reader_set_times(all->readers[i], (int)set->heartbeat_ms, (int)set->stall_timeout_ms,
                             (int)set->unsubscribe_ms);
}

void roles_stop(struct roles *all) {
    archive_stop(all->archive);
    statistics_stop(all->statistics);
    for (size_t i = 0; i < all->reader_count; i++)
        if (all->readers[i]) reader_stop(all->readers[i]);
}

bool roles_take_leave(struct roles *all) {
    bool done = true;
    for (size_t i = 0; i < all->reader_count && !all->statistics; i++)
        if (all->readers[i]) done &= reader_takes_leave(all->readers[i]);
    return done;
}

void roles_free(struct roles *all) {
    while (all->dead) dead_reader_free(all, all->dead);
    for (size_t i = 0; i < all->reader_count; i++) reader_free(all->readers[i]);
    archive_free(all->archive);
    comment_api_free(all->comment);
    manager_free(all->manager);
    statistics_free(all->statistics);
}
