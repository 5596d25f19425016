#include "runtime.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/machine_number.h"
#include "engine/embedded.h"
#include "engine/engine.h"
#include "engine/redis.h"
#include "fanout/fanout.h"
#include "http/client.h"
#include "http/hostnames.h"
#include "http/url.h"
#include "identity/jwks.h"
#include "identity/key_file.h"
#include "identity/keys.h"
#include "moderation/first_line.h"
#include "net/address.h"
#include "net/address_limits.h"
#include "net/networks.h"
#include "net/tls.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "service/internal_only.h"
#include "service/known_videos.h"

enum {
    RING_FRAMES = 16384,
    CHECK_MS = 250,
    READY_CHECK_MS = 1,
    READY_MS = 500,
    GRACE_SPARE_MS = 2000,
    DASHBOARD_HEARTBEAT_MS = 15000,
    DASHBOARD_STALL_MS = 30000
};

bool runtime_fail(struct runtime *r, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(r->why, r->why_size, format, args);
    va_end(args);
    return false;
}

static struct engine_limits limits_of(const struct settings *set) {
    return (struct engine_limits){.log_entries = (uint64_t)set->log_entries,
                                  .log_age_ms = set->log_age_ms,
                                  .log_min_age_ms = set->log_min_age_ms,
                                  .log_video_bytes = (uint64_t)set->log_video_bytes,
                                  .max_videos = (uint64_t)set->max_videos};
}

static bool runtime_open_redis(struct runtime *r, const char *url) {
    const struct settings *set = r->settings;
    struct redis_config config = {.url = url,
                                  .password = set->redis_password,
                                  .confirm_replicas = (int)set->confirm_replicas,
                                  .confirm_ms = (int)set->confirm_ms,
                                  .limits = limits_of(set)};
    char host[REDIS_HOST_SIZE];
    if (redis_url_needs_tls(url, host)) {
        r->redis_tls = tls_client_new(&(struct tls_client_config){.peer_name = host,
                                                                  .authorities = set->redis_ca,
                                                                  .certificate = set->redis_cert,
                                                                  .key = set->redis_key},
                                      r->why, r->why_size);
        if (!r->redis_tls) return false;
        config.transport = tls_client_transport_to;
        config.tls = r->redis_tls;
    }
    r->engine = redis_open(r->loop, &config);
    return true;
}

static struct engine *open_embedded(struct runtime *r, bool follows) {
    const struct settings *set = r->settings;
    return embedded_open(r->loop,
                         &(struct embedded_config){.folder = set->data,
                                                   .durable = set->durable,
                                                   .limits = limits_of(set),
                                                   .archive_ms = set->archive_days * 24 * 3600 * 1000,
                                                   .follows = follows},
                         r->why, r->why_size);
}

static bool runtime_open_engine(struct runtime *r) {
    char url[SETTINGS_REDIS_URL_SIZE];
    if (settings_redis_url(r->settings, url, sizeof url)) return runtime_open_redis(r, url);
    r->engine = open_embedded(r, false);
    return r->engine != NULL;
}

static bool runtime_open_archive(struct runtime *r) {
    if (r->command != COMMAND_ARCHIVE) return true;
    if (!r->settings->archive_days)
        return runtime_fail(r, "--archive-days is 0: give it for how many days comments are to be archived.");
    r->archive = open_embedded(r, true);
    return r->archive != NULL;
}

// Limits the backlog of slow viewers per video and worker; the readers' history may use the other half.
static uint32_t ring_bytes(const struct settings *set, unsigned workers) {
    size_t share = (size_t)set->memory / 2 / workers;
    return share < (8u << 20) ? (uint32_t)share : 8u << 20;
}

static bool has_viewers(const struct runtime *r) {
    return r->command != COMMAND_STATISTICS; // and not only dashboards, which have no options
}

static unsigned online_cores(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned)cores : 1;
}

unsigned runtime_workers(const struct runtime *r) {
    const struct settings *set = r->settings;
    if (set->workers) return (unsigned)set->workers;
    return has_viewers(r) ? online_cores() : 1;
}

static struct fan_bounds bounds_of(const struct runtime *r) {
    const struct settings *set = r->settings;
    return (struct fan_bounds){.ring_frames = RING_FRAMES,
                               .ring_bytes = ring_bytes(set, runtime_workers(r)),
                               .heartbeat_ms =
                                   has_viewers(r) ? (int)set->heartbeat_ms : DASHBOARD_HEARTBEAT_MS,
                               .stall_ms = has_viewers(r) ? (int)set->stall_timeout_ms : DASHBOARD_STALL_MS,
                               .coalesce_us = set->max_coalesce_ms * 1000};
}

static void set_crowd(struct runtime *r) {
    const struct settings *set = r->settings;
    r->crowd.most = set->max_viewers;
    r->crowd.connects =
        set->connect_rate ? set->connect_rate : (int64_t)CROWD_CONNECTS_A_CORE * online_cores();
    r->crowd.machine = set->connect_rate ? 0 : machine_number();
}

static bool runtime_open_fanout(struct runtime *r) {
    const struct settings *set = r->settings;
    unsigned workers = runtime_workers(r);
    int error;
    r->history.max = (size_t)set->memory / 2;
    r->crowd.loop = r->loop;
    set_crowd(r);
    r->fanout =
        fanout_new(r->loop,
                   &(struct fanout_config){
                       .workers = workers, .own_descriptors = set->own_descriptors, .bounds = bounds_of(r)},
                   &error);
    r->crowd.fanout = r->fanout;
    if (r->fanout) return true;
    if (error == -ENOSYS || error == -EPERM)
        return runtime_fail(r, "--own-descriptors needs close_range(2), Linux 5.9 or later: %s.",
                            strerror(-error));
    return runtime_fail(r, "%u worker threads cannot be started: %s; give fewer with --workers.", workers,
                        strerror(-error));
}

// Logs when the store becomes unavailable and available again.
static void on_store_check(struct loop_timer *t) {
    struct runtime *r = container_of(t, struct runtime, check);
    const char *why = NULL;
    bool away = !r->engine->ops->ready(r->engine, &why);
    if (away && !r->store_away) log_error("engine", "unavailable", "why=\"%s\"", why ? why : "");
    if (!away && r->store_away) log_info("engine", "available", NULL);
    r->store_away = away;
    loop_timer_start(r->loop, t, CHECK_MS);
}

static void on_ready_check(struct loop_timer *t) {
    struct runtime *r = container_of(t, struct runtime, check);
    const char *why;
    bool is_ready =
        r->engine->ops->ready(r->engine, &why) && (!r->placement || placement_ready(r->placement));
    if (is_ready || loop_now_ms(r->loop) >= r->ready_by_ms)
        loop_stop(r->loop);
    else
        loop_timer_start(r->loop, t, READY_CHECK_MS);
}

// Runs the loop until all parts are ready. Does not wait for a store that is away.
static bool runtime_await_ready(struct runtime *r) {
    r->check.on_due = on_ready_check;
    r->ready_by_ms = clock_monotonic_ms() + READY_MS;
    loop_timer_start(r->loop, &r->check, 0);
    int error = loop_run(r->loop);
    return !error || runtime_fail(r, "The event loop failed: %s.", strerror(-error));
}

static bool has_redis(const struct settings *set) {
    char url[SETTINGS_REDIS_URL_SIZE];
    return settings_redis_url(set, url, sizeof url);
}

// With Redis readers may be other processes, started at the same time.
static int grace_ms(const struct settings *set) {
    return has_redis(set) ? READERS_LEASE_MS + GRACE_SPARE_MS : 0;
}

// Services have all rights by the token that they have anyway.
static struct identity_demands demands_of(const struct settings *set) {
    return (struct identity_demands){
        .issuer = set->jwt_issuer, .audience = set->jwt_audience, .service_token = set->internal_token};
}

static bool is_loopback(const char *host) {
    union address a;
    return !strcmp(host, "localhost") || (address_parse(&a, host) && address_is_loopback(&a));
}

static void warn_of_plain_keys(const char *url, const char *host) {
    if (!is_loopback(host))
        log_warn("identity", "keys_unprotected",
                 "url=%s action=\"use https: on the way to this machine anybody could exchange the keys\"",
                 url);
}

static bool runtime_open_jwks(struct runtime *r) {
    const struct settings *set = r->settings;
    struct identity_jwks_config config = {.url = set->jwks_url, .interval_ms = (int)set->jwks_interval_ms};
    struct http_url url;
    if (!http_url_parse_https(&url, set->jwks_url)) {
        r->jwks_tls =
            tls_client_new(&(struct tls_client_config){.peer_name = url.host, .authorities = set->jwks_ca},
                           r->why, r->why_size);
        if (!r->jwks_tls) return false;
        config.tls = tls_client_transport(r->jwks_tls);
    } else if (!http_url_parse(&url, set->jwks_url)) {
        warn_of_plain_keys(set->jwks_url, url.host);
    }
    r->jwks = identity_jwks_new(r->loop, r->keys, &config);
    return true;
}

// The transport of an https --review-hook.
static bool runtime_open_review(struct runtime *r) {
    const struct settings *set = r->settings;
    struct http_url url;
    if (!set->review_hook || http_url_parse_https(&url, set->review_hook)) return true;
    r->review_tls =
        tls_client_new(&(struct tls_client_config){.peer_name = url.host, .authorities = set->review_ca},
                       r->why, r->why_size);
    if (r->review_tls) r->review_transport = tls_client_transport(r->review_tls);
    return r->review_tls;
}

static struct first_line_rules first_line_rules(const struct settings *set) {
    return (struct first_line_rules){.links_refused = set->links_refused,
                                     .capitals_percent = (unsigned)set->capitals,
                                     .capitals_from = (unsigned)set->capitals_from,
                                     .repeat_ms = set->repeat_ms,
                                     .strikes = (unsigned)set->strikes,
                                     .strikes_within_ms = set->strikes_within_ms,
                                     .time_out_ms = set->time_out_ms};
}

static bool runtime_open_first_line(struct runtime *r) {
    char why[256];
    if (!(r->command & (COMMAND_UP | COMMAND_COMMENT))) return true;
    struct first_line_rules rules = first_line_rules(r->settings);
    r->first_line = first_line_new(r->loop, r->settings->word_list, &rules, why, sizeof why);
    return r->first_line || runtime_fail(r, "The file of --word-list, %s, %s.", r->settings->word_list, why);
}

static bool runtime_read_keys(struct runtime *r) {
    const struct settings *set = r->settings;
    char why[256];
    if (!set->jwt_keys && !set->jwks_url) return true;
    struct identity_demands demands = demands_of(set);
    r->process.keys = r->keys = identity_keys_new(&demands);
    if (set->jwks_url) return runtime_open_jwks(r);
    r->key_file = identity_key_file_new(r->loop, r->keys, set->jwt_keys, why, sizeof why);
    return r->key_file || runtime_fail(r, "The file of --jwt-keys, %s, %s.", set->jwt_keys, why);
}

static void set_address_limits(const struct settings *set) {
    address_limits_set(&(struct address_bounds){.streams = set->limit_streams,
                                                .connections = set->limit_connections,
                                                .connects = set->limit_connects,
                                                .posts = set->limit_posts,
                                                .bytes = set->limit_bytes},
                       set->trusted_proxies, set->limit_local);
}

// An IPv6 address need not be in the list.
static void add_host_of(struct buf *list, const char *url) {
    struct http_url parsed;
    char as_http[SETTINGS_URL_MAX + sizeof "http"];
    if (!url) return;
    snprintf(as_http, sizeof as_http, "http%s", strstr(url, "://"));
    if (!http_url_parse(&parsed, as_http) && !parsed.ipv6) buf_printf(list, ",%s", parsed.host);
}

// Those of --hostnames, and what this process itself says that it is called.
static void set_hostnames(const struct runtime *r) {
    const struct settings *set = r->settings;
    struct buf list = {0};
    char host[HOST_NAME_MAX + 1] = "";
    if (set->hostnames) {
        gethostname(host, sizeof host - 1);
        buf_printf(&list, "%s,%s", set->hostnames, host);
        if (set->public_host) buf_printf(&list, ",%s", set->public_host);
        add_host_of(&list, set->public_url);
        add_host_of(&list, set->url);
    }
    hostnames_set(r->hostnames, set->hostnames ? buf_string(&list) : NULL);
    buf_release(&list);
}

static enum placement_policy policy_of(const struct settings *set) {
    enum placement_policy policy = POLICY_ROUND_ROBIN;
    policy_by_name(set->policy, strlen(set->policy), &policy);
    return policy;
}

bool runtime_start(struct runtime *r) {
    const struct settings *set = r->settings;
    bool has_streams = r->command & (COMMAND_UP | COMMAND_READER | COMMAND_STATISTICS);
    budget_set((size_t)set->memory);
    set_address_limits(set);
    if (set->trusted_proxies) r->trusted_proxies = networks_new(set->trusted_proxies);
    r->hostnames = hostnames_new(NULL);
    set_hostnames(r);
    r->internal = internal_only_new(set->internal_from, set->internal_token);
    internal_only_know(r->internal, r->hostnames);
    r->process = (struct service_process){
        .internal = r->internal, .started_ms = clock_wall_ms(), .configured_ms = clock_wall_ms()};
    r->loop = loop_new();
    if (!r->loop) return runtime_fail(r, "There is no file descriptor left: raise the limit (ulimit -n).");
    if (!runtime_read_keys(r) || !runtime_open_first_line(r) || !runtime_open_review(r)) return false;
    if (!runtime_open_engine(r) || !runtime_open_archive(r)) return false;
    if (has_streams && !runtime_open_fanout(r)) return false;
    if (set->videos_known) r->process.known = known_videos_new(r->loop, r->engine);
    r->client = http_client_new(r->loop);
    // The engine first, so that the leases of our own readers are in the first listing.
    if (!runtime_await_ready(r)) return false;
    if (r->command & (COMMAND_STATISTICS | COMMAND_ARCHIVE)) return true;
    r->placement = placement_new(r->loop, r->engine,
                                 &(struct placement_config){.static_readers = set->reader_urls,
                                                            .policy = policy_of(set),
                                                            .grace_ms = grace_ms(set),
                                                            .sets = runtime_has_sets(r),
                                                            .distant_readers = has_redis(set)});
    return true;
}

bool runtime_has_sets(const struct runtime *r) {
    return r->command == COMMAND_UP ? r->settings->hot_set : !r->settings->single_reader;
}

bool runtime_begin(struct runtime *r) {
    if (r->placement) {
        placement_start(r->placement);
        if (!runtime_await_ready(r)) return false;
    }
    r->check.on_due = on_store_check;
    loop_timer_start(r->loop, &r->check, CHECK_MS);
    return true;
}

bool runtime_read_files_again(struct runtime *r) {
    if (r->jwks) identity_jwks_fetch(r->jwks);
    bool has_words = !r->first_line || first_line_read_words(r->first_line);
    return (!r->key_file || identity_key_file_read(r->key_file)) && has_words;
}

void runtime_configure(struct runtime *r) {
    const struct settings *set = r->settings;
    struct engine_limits limits = limits_of(set);
    budget_set((size_t)set->memory);
    set_address_limits(set);
    set_hostnames(r);
    internal_only_set(r->internal, set->internal_from, set->internal_token);
    r->engine->ops->set_limits(r->engine, &limits);
    struct identity_demands demands = demands_of(set);
    if (r->keys) identity_keys_demand(r->keys, &demands);
    struct first_line_rules rules = first_line_rules(set);
    if (r->first_line) first_line_set(r->first_line, &rules);
    if (!r->fanout) return;
    struct fan_bounds bounds = bounds_of(r);
    r->history.max = (size_t)set->memory / 2;
    set_crowd(r);
    fanout_set_bounds(r->fanout, &bounds);
}

void runtime_close(struct runtime *r) {
    if (r->loop) loop_timer_stop(r->loop, &r->check);
    fanout_free(r->fanout);
    if (r->engine) r->engine->ops->close(r->engine);
    if (r->archive) r->archive->ops->close(r->archive);
    known_videos_free(r->process.known);
    r->process.known = NULL;
    placement_free(r->placement);
    if (r->client) http_client_free(r->client);
    identity_jwks_free(r->jwks);
    r->jwks = NULL;
}

void runtime_release(struct runtime *r) {
    identity_key_file_free(r->key_file);
    first_line_free(r->first_line);
    identity_keys_free(r->keys);
    networks_free(r->trusted_proxies);
    address_limits_release();
    loop_free(r->loop);
    tls_client_free(r->jwks_tls);
    tls_client_free(r->review_tls);
    tls_client_free(r->redis_tls); // what the engine has left to free at the turn's end is freed
    internal_only_free(r->internal);
    hostnames_free(r->hostnames);
}
