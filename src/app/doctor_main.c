#include "app/doctor_main.h"

#include <stdio.h>
#include <string.h>

#include "app/settings.h"
#include "base/log.h"
#include "doctor/doctor.h"
#include "engine/redis.h"
#include "net/tls.h"
#include "roles.h"

const char doctor_usage[] =
    "[--command up|manager|comment|reader|statistics|archive] [OPTIONS OF THE COMMAND]\n"
    "                     [--ask URL] [--video ID] [--token TOKEN] [--json]\n\n"
    "The options, the environment and the file are read as the command reads them (default: up).\n"
    "  --ask URL      watch a stream there, as browsers do; by default at --public-url\n"
    "  --video ID     that video; by default the one with the most viewers\n"
    "  --token TOKEN  with this token\n"
    "  --json         print one line of JSON";

enum {
    WRONG_USAGE = 2,
    ROLES = COMMAND_MANAGER | COMMAND_COMMENT | COMMAND_READER | COMMAND_STATISTICS | COMMAND_ARCHIVE
};

static void add_port(struct doctor_config *c, const struct role *role, const char *flag, int64_t port) {
    bool for_browsers = role->command & (COMMAND_COMMENT | COMMAND_READER);
    c->port[c->ports++] = (struct doctor_port){
        .part = role->name, .flag = flag, .port = (int)port, .for_browsers = for_browsers};
}

static void add_ports_of_up(struct doctor_config *c, const struct settings *set) {
    int ports[READERS_MAX];
    settings_reader_ports(set, ports);
    for (const struct role *role = role_table; role->name; role++) {
        if (!role->flag || (set->single_port && role->command != COMMAND_COMMENT)) continue;
        for (int64_t i = 0; role->command == COMMAND_READER && i < set->readers; i++)
            add_port(c, role, role->flag, ports[i]);
        if (role->command != COMMAND_READER)
            add_port(c, role, role->flag, *(const int64_t *)(const void *)((const char *)set + role->port));
    }
}

// A further address serves what the port does, of up that of the comment API.
static void add_addresses(struct doctor_config *c, const char *part, const char *flag, const char *list,
                          bool for_browsers) {
    for (const char *at = list; at && *at && c->ports < DOCTOR_PORTS; at += *at == ',') {
        struct doctor_port *p = &c->port[c->ports++];
        size_t len = strcspn(at, ",");
        *p = (struct doctor_port){.part = part, .flag = flag, .for_browsers = for_browsers};
        snprintf(p->at, sizeof p->at, "%.*s", (int)len, at);
        at += len;
    }
}

static void add_ports(struct doctor_config *c, const struct settings *set, enum command command) {
    if (command == COMMAND_UP) add_ports_of_up(c, set);
    for (const struct role *role = role_table; role->name; role++)
        if (role->command == command) add_port(c, role, "port", set->port);
    const char *part = command == COMMAND_UP ? "comment" : settings_command_name(command);
    bool for_browsers = command & (COMMAND_UP | COMMAND_COMMENT | COMMAND_READER);
    add_addresses(c, part, "listen", set->listen, for_browsers);
    add_addresses(c, part, "proxy-listen", set->proxy_listen, for_browsers);
    add_addresses(c, "admin", "admin-bind", set->admin_bind, false);
}

static struct doctor_config config_of(const struct settings *set, enum command command) {
    struct doctor_config c = {.bind = set->bind,
                              .public_url = set->public_url,
                              .trusted_proxies = set->trusted_proxies,
                              .jwt_keys = set->jwt_keys,
                              .jwks_url = set->jwks_url,
                              .has_comments = command & (COMMAND_UP | COMMAND_COMMENT),
                              .review_hook = set->review_hook,
                              .word_list = set->word_list,
                              .review_refuses = set->review_refuses,
                              .has_streams = command & (COMMAND_UP | COMMAND_READER),
                              .limit = {{"limit-streams", set->limit_streams},
                                        {"limit-connections", set->limit_connections},
                                        {"limit-connects", set->limit_connects},
                                        {"limit-posts", set->limit_posts},
                                        {"limit-bytes", set->limit_bytes}},
                              .max_connections = set->max_connections,
                              .memory = set->memory,
                              .heartbeat_ms = set->heartbeat_ms ? set->heartbeat_ms : 15000,
                              .own_descriptors = set->own_descriptors,
                              .durable = set->durable,
                              .data = set->redis && command == COMMAND_UP ? NULL : set->data,
                              .redis_password = set->redis_password,
                              .confirm_replicas = set->confirm_replicas};
    add_ports(&c, set, command);
    return c;
}

static int print_report(const struct doctor_report *report, bool json) {
    static const int codes[] = {
        [DOCTOR_OK] = 0, [DOCTOR_UNKNOWN] = 0, [DOCTOR_WARNING] = 1, [DOCTOR_FAULT] = 3};
    struct buf out = {0};
    if (json)
        doctor_json(report, &out);
    else
        doctor_text(report, &out);
    fputs(buf_string(&out), stdout);
    buf_release(&out);
    return codes[doctor_worst(report)];
}

static int examine(const struct settings *set, struct doctor_config c, bool json) {
    char url[SETTINGS_REDIS_URL_SIZE], host[REDIS_HOST_SIZE], why[256];
    struct tls_client *tls = NULL;
    struct doctor_report report;
    if (settings_redis_url(set, url, sizeof url)) c.redis = url;
    if (c.redis && redis_url_needs_tls(url, host)) {
        tls = tls_client_new(&(struct tls_client_config){.peer_name = host,
                                                         .authorities = set->redis_ca,
                                                         .certificate = set->redis_cert,
                                                         .key = set->redis_key},
                             why, sizeof why);
        c.redis_tls = tls;
        c.redis_trouble = tls ? NULL : why;
    }
    doctor_examine(&c, "", &report);
    int code = print_report(&report, json);
    doctor_report_release(&report);
    tls_client_free(tls);
    return code;
}

static int refuse_usage(const char *what) {
    fprintf(stderr, "chorus doctor: %s Try `chorus doctor --help`.\n", what);
    return WRONG_USAGE;
}

int doctor_main(int argc, char **argv) {
    struct settings set;
    struct options options;
    const char *name = settings_take_value(&argc, argv, "--command");
    const char *ask = settings_take_value(&argc, argv, "--ask");
    const char *video = settings_take_value(&argc, argv, "--video");
    const char *token = settings_take_value(&argc, argv, "--token");
    bool json = settings_take_flag(&argc, argv, "--json");
    enum command command = name ? settings_command_named(name) : COMMAND_UP;
    if (!(command & (COMMAND_UP | ROLES)))
        return refuse_usage("--command is up, manager, comment, reader, statistics or archive.");
    if (video && !id_is_valid(video, strlen(video))) return refuse_usage("--video is no id.");
    if (token && strpbrk(token, "\r\n")) return refuse_usage("--token is none.");
    if (!settings_begin(&set, &options, command, argc, argv)) return WRONG_USAGE;
    log_set_level(LOG_ERROR);
    struct doctor_config c = config_of(&set, command);
    c.ask = ask ? ask : set.public_url;
    c.video = video;
    c.token = token;
    int code = examine(&set, c, json);
    options_release(&options);
    return fflush(stdout) || ferror(stdout) ? 1 : code;
}
