// TEMPORARY by the lead, replaced by statistics.c: delete me
#include <stdlib.h>
#include "net/http_server.h"
#include "statistics/statistics.h"
#include "statistics/statistics_routes.h"
struct statistics { struct service service; };
struct statistics *statistics_new(struct loop *l, struct engine *e, const struct statistics_config *c) { struct statistics *s = calloc(1, sizeof *s); s->service = (struct service){.role="statistics",.instance_id=c->instance_id,.loop=l,.engine=e}; return s; }
void statistics_free(struct statistics *s) { free(s); }
const struct http_route *const statistics_tables[] = {service_routes, NULL};
