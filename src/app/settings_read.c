// Reads the settings, and checks what a row of the table cannot express.
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "engine/redis.h"
#include "net/address.h"

#define AT(field) offsetof(struct settings, field)

enum { ROLES = COMMAND_MANAGER | COMMAND_COMMENT | COMMAND_READER | COMMAND_STATISTICS | COMMAND_ARCHIVE };

// Takes the next port from a list like "4001,4005"; after the last one they count up.
static bool next_port(const char **list, long *port) {
    if (!**list) {
        if (*port) ++*port;
        return *port <= 65535;
    }
    char *end;
    errno = 0;
    *port = strtol(*list, &end, 10);
    if (end == *list || errno || *port < 0 || *port > 65535 || (*end && *end != ',')) return false;
    *list = end + (*end == ',');
    return true;
}

bool settings_reader_ports(const struct settings *s, int ports[READERS_MAX]) {
    const char *list = s->reader_ports;
    long port = 0;
    for (int64_t i = 0; i < s->readers; i++) {
        if (!next_port(&list, &port)) return false;
        ports[i] = (int)port;
    }
    return !*list;
}

bool settings_redis_url(const struct settings *s, char *url, size_t size) {
    if (!s->redis && !s->redis_host) return false;
    if (s->redis_host && (s->redis_host_counts || !s->redis))
        snprintf(url, size, "redis://%s", s->redis_host);
    else
        snprintf(url, size, "%s", s->redis);
    return true;
}

void settings_control_path(const struct settings *s, char path[SETTINGS_PATH_MAX]) {
    snprintf(path, SETTINGS_PATH_MAX, "%s%s", s->control ? s->control : s->data,
             s->control ? "" : "/control.sock");
}

// A name that is looked up may take seconds: not while the process runs, unless it is another one.
static void check_bind(const struct settings *s, struct options *o, const struct settings *running) {
    union address address;
    if (running && !strcmp(s->bind, running->bind)) return;
    if (address_resolve(s->bind, &address, 1) <= 0)
        options_error(o, AT(bind), "is \"%s\", but must be an address, or a host name that resolves to one.",
                      s->bind);
}

// Files for an encrypted connection, where the URL asks for a plain one.
static void check_redis_tls(const struct settings *s, struct options *o) {
    static const char unused[] = "is used with a rediss://, sentinels:// or clusters:// URL only.";
    char url[SETTINGS_REDIS_URL_SIZE], host[REDIS_HOST_SIZE];
    bool tls = settings_redis_url(s, url, sizeof url) && redis_url_needs_tls(url, host);
    if (s->redis_ca && !tls) options_error(o, AT(redis_ca), unused);
    if (s->redis_cert && !tls) options_error(o, AT(redis_cert), unused);
    if (s->redis_key && !tls) options_error(o, AT(redis_key), unused);
    if (s->redis_key && !s->redis_cert) options_error(o, AT(redis_key), "needs --redis-cert.");
}

static void check_engine(struct settings *s, struct options *o) {
    char url[SETTINGS_REDIS_URL_SIZE];
    if (o->command & ROLES && s->redis && s->redis_host)
        s->redis_host_counts = options_value(o, AT(redis_host))->source > options_value(o, AT(redis))->source;
    if (o->command & ROLES && !settings_redis_url(s, url, sizeof url))
        buf_add_string(
            &o->errors,
            "A service run on its own needs Redis to work with the others: set --redis redis://HOST:PORT.\n");
    if (s->confirm_replicas && !settings_redis_url(s, url, sizeof url))
        options_error(o, AT(confirm_replicas), "is for a Redis: set --redis too.");
    check_redis_tls(s, o);
}

static void check_ports(const struct settings *s, struct options *o) {
    int ports[READERS_MAX];
    if (o->command == COMMAND_UP && !settings_reader_ports(s, ports))
        options_error(
            o, AT(reader_ports),
            "is \"%s\", but must be ports up to 65535, %d at most (--readers); further readers count up "
            "from the last.",
            s->reader_ports, (int)s->readers);
}

static void check_keys(const struct settings *s, struct options *o) {
    if (s->jwt_keys && s->jwks_url)
        options_error(o, AT(jwks_url),
                      "cannot be given together with --jwt-keys: say where the keys are once.");
}

// A client that can send a proxy's header can claim any address.
static void check_proxies(const struct settings *s, struct options *o) {
    for (const char *at = s->proxy_listen ? s->proxy_listen : ""; *at;
         at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, "unix:", 5) != 0 && !s->trusted_proxies) {
            options_error(o, AT(proxy_listen), "needs --trusted-proxies, which says who may connect there.");
            return;
        }
}

static void settings_check(struct settings *s, struct options *o, const struct settings *running) {
    check_keys(s, o);
    check_proxies(s, o);
    check_bind(s, o, running);
    check_engine(s, o);
    check_ports(s, o);
}

bool settings_read(struct settings *s, struct options *o, enum command command, int argc, char *const *argv,
                   const struct settings *running) {
    *s = (struct settings){.log_level = LOG_LEVEL_NOT_GIVEN};
    bool ok = options_read(o, &settings_table, command, argc, argv, s);
    if (ok && command & (COMMAND_UP | ROLES)) settings_check(s, o, running);
    return !o->errors.len;
}

void settings_read_file(struct options *o, enum command command, const char *path) {
    struct settings s = {.log_level = LOG_LEVEL_NOT_GIVEN};
    options_read_file(o, &settings_table, command, path, &s);
    check_ports(&s, o);
}

const char *settings_command_name(enum command command) {
    unsigned bit = 0;
    while (!(command & 1u << bit)) bit++;
    return settings_table.commands[bit];
}

void settings_say(const struct buf *sentences, enum command command) {
    for (const char *at = sentences->data, *end = at + sentences->len; at < end;) {
        size_t len = strcspn(at, "\n");
        fprintf(stderr, "chorus %s: %.*s\n", settings_command_name(command), (int)len, at);
        at += len + 1;
    }
}

void settings_refuse(const struct options *o, enum command command) {
    const char *name = settings_command_name(command), *first = o->errors.data;
    bool in_file = o->file && !strncmp(first, o->file, strlen(o->file)) && first[strlen(o->file)] == ':';
    fprintf(stderr, "chorus %s: %.*s Try `chorus %s%s`.\n", name, (int)strcspn(first, "\n"), first,
            in_file ? "config check " : name, in_file ? o->file : " --help");
}

bool settings_begin(struct settings *s, struct options *o, enum command command, int argc,
                    char *const *argv) {
    bool ok = settings_read(s, o, command, argc, argv, NULL);
    settings_say(&o->warnings, command);
    if (ok) return true;
    settings_refuse(o, command);
    options_release(o);
    return false;
}

static bool takes_value(enum command command, const char *flag) {
    for (size_t i = 0; i < settings_table.count; i++) {
        const struct option_row *row = &settings_table.rows[i];
        if (row->commands & command && !strcmp(row->flag, flag)) return row->type != OPTION_BOOL;
    }
    return !strchr(flag, '=');
}

char *settings_take_operand(enum command command, int *argc, char **argv) {
    for (int i = 0; i < *argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            char *operand = argv[i];
            memmove(argv + i, argv + i + 1, (size_t)(--*argc - i) * sizeof *argv);
            return operand;
        }
        if (takes_value(command, argv[i] + 2)) i++;
    }
    return NULL;
}

static void take_out(int *argc, char **argv, int at, int count) {
    *argc -= count;
    memmove(argv + at, argv + at + count, (size_t)(*argc - at) * sizeof *argv);
}

const char *settings_take_value(int *argc, char **argv, const char *flag) {
    size_t len = strlen(flag);
    const char *value = NULL;
    for (int i = 0; i < *argc;) {
        bool joined = !strncmp(argv[i], flag, len) && argv[i][len] == '=';
        if (!joined && (strcmp(argv[i], flag) != 0 || i + 1 == *argc)) {
            i++;
            continue;
        }
        value = joined ? argv[i] + len + 1 : argv[i + 1];
        take_out(argc, argv, i, joined ? 1 : 2);
    }
    return value;
}

bool settings_take_flag(int *argc, char **argv, const char *flag) {
    bool found = false;
    for (int i = 0; i < *argc;) {
        bool is_it = !strcmp(argv[i], flag);
        if (is_it)
            take_out(argc, argv, i, 1);
        else
            i++;
        found = found || is_it;
    }
    return found;
}

enum command settings_command_named(const char *name) {
    for (unsigned i = 0; settings_table.commands[i]; i++)
        if (!strcmp(settings_table.commands[i], name)) return (enum command)(1u << i);
    return (enum command)0;
}
