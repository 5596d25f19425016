#include "app/demo.h"

#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "app/system.h"
#include "base/mem.h"
#include "clients/clients.h"
#include "net/http_client.h"

struct demo {
    struct http_client *client; // their own, so that they take no connection from the system's
    struct clients *clients;
};

static const char *url_of(const struct system *s, const char *name) {
    size_t count;
    const struct system_part *parts = system_parts(s, &count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(parts[i].name, name)) return parts[i].url;
    return "";
}

struct demo *demo_start(struct system *s, const struct settings *set) {
    struct demo *d = mem_zalloc(sizeof *d);
    d->client = http_client_new(system_loop(s));
    d->clients = clients_new(system_loop(s), d->client,
                             &(struct clients_config){.manager_url = url_of(s, "manager"),
                                                      .comment_url = url_of(s, "comment"),
                                                      .statistics_url = url_of(s, "statistics"),
                                                      .token = set->internal_token,
                                                      .report_interval_ms = (int)set->statistics_interval_ms,
                                                      .rate = -1});
    return d;
}

void demo_free(struct demo *d) {
    if (!d) return;
    clients_free(d->clients);
    http_client_free(d->client);
    free(d);
}
