#include "placement/policy.h"

size_t policy_pick(enum placement_policy policy, const struct policy_candidate *candidates, size_t count,
                   uint64_t turn) {
    (void)candidates;
    switch (policy) {
    case POLICY_ROUND_ROBIN: break;
    }
    return (size_t)(turn % count);
}
