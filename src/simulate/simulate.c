#include "simulate/simulate.h"

#include <string.h>

static bool is_listed(const struct simulate_config *c, enum placement_policy policy) {
    for (size_t i = 0; i < c->policy_count; i++)
        if (c->policies[i] == policy) return true;
    return false;
}

bool simulate_parse_policies(const char *list, struct simulate_config *c) {
    c->policy_count = 0;
    for (;;) {
        enum placement_policy policy;
        size_t len = strcspn(list, ",");
        if (!policy_by_name(list, len, &policy) || is_listed(c, policy)) return false;
        c->policies[c->policy_count++] = policy;
        if (!list[len]) return true;
        list += len + 1;
    }
}

void simulation_init(struct simulation *s, const struct simulate_config *c) {
    *s = (struct simulation){.config = c};
    s->audience = audience_new(&c->audience, c->videos, c->viewers, c->seed);
    for (size_t i = 0; i < c->policy_count; i++)
        outcome_init(&s->outcomes[i], c->policies[i], s->audience, c->readers, c->lose, &c->fleet);
}

void simulation_release(struct simulation *s) {
    for (size_t i = 0; i < s->config->policy_count; i++) outcome_release(&s->outcomes[i]);
    audience_free(s->audience);
}
