// What is a list of its own: leases, counters, settings and secrets.
#include "sim_node_inner.h"

// Leases: a stamp is when the lease ends by the server's clock, as with Redis, and differs after each renewal

void sim_node_lease_renew(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct engine_lease asked = c->lease;
    asked.reader_url = c->name;
    asked.public_url = c->public_url;
    asked.instance_id = c->instance_id;
    asked.load = c->load;
    uint64_t before = 0;
    const struct lease *l;
    DL_FOREACH(n->leases, l) {
        if (!strcmp(l->reader_url, c->name)) before = l->stamp;
    }
    struct lease *renewed = lease_renew(&n->leases, &asked, c->ttl_ms, c->wall_ms, &a->lease);
    if (a->lease.outcome != LEASE_TAKEN) {
        renewed->stamp = (uint64_t)renewed->ends_ms;
        renewed->stamp += renewed->stamp == before;
        a->lease.stamp = renewed->stamp;
    }
    a->lease.instance_id = mem_strdup(a->lease.instance_id);
}

void sim_node_lease_drop(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    (void)a;
    lease_drop(n->leases, c->name, c->lease.generation, c->wall_ms);
}

void sim_node_leases(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct lease *l;
    DL_COUNT(n->leases, l, a->count);
    struct engine_lease *to = a->leases = mem_zalloc((a->count + 1) * sizeof *to);
    DL_FOREACH(n->leases, l) {
        *to = lease_view(l, c->wall_ms);
        to->reader_url = sim_copy_text(to->reader_url);
        to->public_url = sim_copy_text(to->public_url);
        to->instance_id = sim_copy_text(to->instance_id);
        to->load = sim_copy_text(to->load);
        to++;
    }
}

// Counters and settings

void sim_node_counter(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct counter *k;
    LL_FOREACH(n->counters, k) {
        if (!strcmp(k->name, c->name)) break;
    }
    if (!k) {
        k = mem_zalloc(sizeof *k);
        k->name = mem_strdup(c->name);
        LL_PREPEND(n->counters, k);
    }
    a->number = k->value++;
}

static struct settings *settings_find(const struct sim_node *n, const char *video) {
    struct settings *s = n->settings;
    while (s && strcmp(s->video, video) != 0) s = s->next;
    return s;
}

void sim_settings_free(struct settings *s) {
    free(s->video);
    free(s->text);
    free(s);
}

void sim_settings_add(struct sim_node *n, const char *video, const char *text) {
    struct settings *s = mem_zalloc(sizeof *s);
    s->video = mem_strdup(video);
    s->text = mem_strdup(text);
    LL_PREPEND(n->settings, s);
}

void sim_node_settings_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const char *video = c->body->bytes, *end = video + c->body->len;
    a->mapped = mem_zalloc(ENGINE_SETTINGS_BATCH * sizeof *a->mapped);
    for (; video < end; video += strlen(video) + 1) {
        const struct settings *s = settings_find(n, video);
        a->mapped[a->mapped_count++].reader_url = s ? mem_strdup(s->text) : NULL;
    }
}

void sim_node_settings_write(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct settings *s = settings_find(n, c->name);
    size_t count = 0;
    const struct settings *each;
    LL_COUNT(n->settings, each, count);
    if (!s && c->body && c->limits.max_videos && count >= c->limits.max_videos) {
        a->status = ENGINE_FULL;
        return;
    }
    if (s) LL_DELETE(n->settings, s);
    if (s) sim_settings_free(s);
    if (c->body) sim_settings_add(n, c->name, c->body->bytes);
}

void sim_secret_add(struct sim_node *n, const char *name, const unsigned char *bytes) {
    struct secret *s = mem_zalloc(sizeof *s);
    s->name = mem_strdup(name);
    memcpy(s->bytes, bytes, sizeof s->bytes);
    LL_PREPEND(n->secrets, s);
}

void sim_node_secret(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct secret *s;
    LL_FOREACH(n->secrets, s) {
        if (!strcmp(s->name, c->name)) break;
    }
    if (!s) sim_secret_add(n, c->name, c->offered);
    memcpy(a->secret, s ? s->bytes : c->offered, sizeof a->secret);
}

void sim_lease_copy(struct sim_node *n, const struct lease *from) {
    struct lease *l = mem_alloc(sizeof *l);
    *l = *from;
    l->reader_url = sim_copy_text(from->reader_url);
    l->public_url = sim_copy_text(from->public_url);
    l->instance_id = sim_copy_text(from->instance_id);
    l->load = sim_copy_text(from->load);
    DL_APPEND(n->leases, l);
}
