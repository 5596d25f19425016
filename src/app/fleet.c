#include "fleet.h"

#include <string.h>

#include "engine/engine.h"
#include "placement/orders_topic.h"
#include "placement/readers.h"

const char *fleet_state(const struct reader_row *row) {
    if (row->state != READER_LIVE) return row->given_up ? "stopped" : "gone";
    return row->load.draining ? "draining" : reader_load_is_full(&row->load, row->viewers) ? "full" : "live";
}

bool fleet_may_take(const struct reader_row *row) {
    return row->state == READER_LIVE && !row->load.draining && !reader_load_is_full(&row->load, row->viewers);
}

const struct reader_row *fleet_find(const struct readers *r, const char *name) {
    const struct reader_row *found = readers_find(r, name);
    for (size_t i = 0; i < r->count; i++) {
        const struct reader_row *row = &r->rows[i];
        bool named = row->instance_id && !strcmp(row->instance_id, name);
        if (named && (!found || row->state == READER_LIVE)) found = row;
    }
    return found;
}

const struct reader_row *fleet_emptiest_but(const struct readers *r, const char *url) {
    const struct reader_row *best = NULL;
    for (size_t i = 0; i < r->count; i++) {
        const struct reader_row *row = &r->rows[i];
        if (!fleet_may_take(row) || !strcmp(row->reader_url, url)) continue;
        if (!best || row->viewers < best->viewers) best = row;
    }
    return best;
}

void fleet_order(struct engine *e, const char *reader_url, const char *text) {
    char topic[ENGINE_TOPIC_MAX + 1];
    orders_topic(topic, reader_url);
    e->ops->notify(e, topic, text, strlen(text));
}
