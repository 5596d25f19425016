#include "demo.h"

#include <stdlib.h>

#include "app/settings.h"
#include "system.h"
#include "base/mem.h"
#include "base/random.h"
#include "clients/clients.h"
#include "http/client.h"

struct demo {
    struct http_client *client; // their own, so that they do not use connections of the system
    struct clients *clients;
};

struct demo *demo_start(struct system *s, const struct settings *set) {
    struct demo *d = mem_zalloc(sizeof *d);
    uint64_t seed = 1;
    random_bytes(&seed, sizeof seed); // a conversation of its own each time
    d->client = http_client_new(system_loop(s));
    d->clients = clients_new(system_loop(s), d->client,
                             &(struct clients_config){.manager_url = system_url(s, "manager"),
                                                      .comment_url = system_url(s, "comment"),
                                                      .statistics_url = system_url(s, "statistics"),
                                                      .token = set->internal_token,
                                                      .report_interval_ms = (int)set->statistics_interval_ms,
                                                      .rate = -1,
                                                      .talk = true,
                                                      .expects_outages = true,
                                                      .seed = seed});
    return d;
}

void demo_set_token(struct demo *d, const char *token) {
    clients_set_token(d->clients, token);
}

void demo_free(struct demo *d) {
    if (!d) return;
    clients_free(d->clients);
    http_client_free(d->client);
    free(d);
}
