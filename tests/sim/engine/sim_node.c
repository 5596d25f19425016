// The table of operations, and a server's data as a whole.
#include "sim_node_inner.h"

static void node_notify(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    (void)n, (void)c, (void)a; // nothing is stored
}

void sim_node_carry_out(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    static void (*const all[])(struct sim_node *, const struct sim_call *, struct sim_answer *) = {
        [SIM_APPEND] = sim_node_append,
        [SIM_AMEND] = sim_node_amend,
        [SIM_HEAD] = sim_node_head,
        [SIM_RANGE] = sim_node_range,
        [SIM_RANGE_BEFORE] = sim_node_range_before,
        [SIM_LOOKUP] = sim_node_lookup,
        [SIM_ASSIGN] = sim_node_assign,
        [SIM_REASSIGN] = sim_node_reassign,
        [SIM_RELEASE] = sim_node_release,
        [SIM_WATCH] = sim_node_watch,
        [SIM_LEASE_RENEW] = sim_node_lease_renew,
        [SIM_LEASE_DROP] = sim_node_lease_drop,
        [SIM_LEASES] = sim_node_leases,
        [SIM_COUNTER] = sim_node_counter,
        [SIM_OVERVIEW] = sim_node_overview,
        [SIM_NOTIFY] = node_notify,
        [SIM_SET_READ] = sim_node_set_read,
        [SIM_SET_WRITE] = sim_node_set_write,
        [SIM_SETTINGS_READ] = sim_node_settings_read,
        [SIM_SETTINGS_WRITE] = sim_node_settings_write,
        [SIM_ROOMS_READ] = sim_node_rooms_read,
        [SIM_ROOM_WRITE] = sim_node_room_write,
        [SIM_BAN_WRITE] = sim_node_ban_write,
        [SIM_BANS_READ] = sim_node_bans_read,
        [SIM_HELD_READ] = sim_node_held_read,
        [SIM_HELD_DROP] = sim_node_held_drop,
        [SIM_AUDIT_READ] = sim_node_audit_read,
        [SIM_SECRET] = sim_node_secret,
    };
    all[c->op](n, c, a);
}

// Life

struct sim_node *sim_node_new(void) {
    return mem_zalloc(sizeof(struct sim_node));
}

void sim_node_clear(struct sim_node *n) {
    struct counter *k, *next;
    struct settings *s, *next_settings;
    struct secret *secret, *next_secret;
    while (n->videos) sim_video_drop(n, n->videos);
    while (n->leases) lease_remove(&n->leases, n->leases);
    LL_FOREACH_SAFE(n->counters, k, next) {
        free(k->name);
        free(k);
    }
    LL_FOREACH_SAFE(n->settings, s, next_settings) sim_settings_free(s);
    LL_FOREACH_SAFE(n->secrets, secret, next_secret) {
        free(secret->name);
        free(secret);
    }
    for (int i = 0; i < ENGINE_NEWEST; i++) sim_body_unref(n->newest[i].body);
    *n = (struct sim_node){0};
}

void sim_node_free(struct sim_node *n) {
    if (!n) return;
    sim_node_clear(n);
    free(n);
}

void sim_node_copy(struct sim_node *n, const struct sim_node *from) {
    const struct video *v;
    const struct lease *l;
    const struct counter *k;
    const struct settings *s;
    const struct secret *secret;
    sim_node_clear(n);
    DL_FOREACH(from->videos, v) sim_video_copy(n, v);
    DL_FOREACH(from->leases, l) sim_lease_copy(n, l);
    LL_FOREACH(from->counters, k) {
        struct counter *copy = mem_alloc(sizeof *copy);
        *copy = (struct counter){.name = mem_strdup(k->name), .value = k->value};
        LL_APPEND(n->counters, copy);
    }
    LL_FOREACH(from->settings, s) sim_settings_add(n, s->video, s->text);
    LL_FOREACH(from->secrets, secret) sim_secret_add(n, secret->name, secret->bytes);
    n->clock = from->clock;
    n->comments = from->comments;
    for (int i = 0; i < ENGINE_NEWEST; i++) {
        n->newest[i] = from->newest[i];
        sim_body_ref(n->newest[i].body);
    }
}
