#include "net/address_share.h"

bool address_share_take(struct address_shares *s, address_key key, unsigned most) {
    uint16_t *taken = &s->taken[key % ADDRESS_SHARES];
    if (!key) return true;
    if (*taken >= most) return false;
    ++*taken;
    return true;
}

void address_share_give_back(struct address_shares *s, address_key key) {
    if (key) s->taken[key % ADDRESS_SHARES]--;
}
