#include "identity/keys.h"

#include <jansson.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uthash.h"
#include "key.h"

enum { WAITING_OF_ADDRESS = IDENTITY_WAITING_MAX / 8 };

static char *copy_of(const char *text) {
    return text && *text ? mem_strdup(text) : NULL;
}

static void keys_release_demands(struct identity_keys *k) {
    free(k->issuer);
    free(k->audience);
    free(k->service_token);
}

struct identity_keys *identity_keys_new(const struct identity_demands *d) {
    struct identity_keys *k = mem_zalloc(sizeof *k);
    identity_keys_demand(k, d);
    return k;
}

void identity_keys_demand(struct identity_keys *k, const struct identity_demands *d) {
    keys_release_demands(k);
    k->issuer = copy_of(d->issuer);
    k->audience = copy_of(d->audience);
    k->service_token = copy_of(d->service_token);
}

static void keys_drop(struct identity_key *keys, size_t count) {
    for (size_t i = 0; i < count; i++) identity_key_release(&keys[i]);
    free(keys);
}

void identity_keys_free(struct identity_keys *k) {
    if (!k) return;
    keys_drop(k->keys, k->count);
    keys_release_demands(k);
    free(k);
}

void identity_keys_on_unknown(struct identity_keys *k, identity_refresh *refresh, void *arg) {
    k->refresh = refresh;
    k->refresh_arg = arg;
}

struct identity_waiter {
    identity_awaited *cb;
    void *arg;
    address_key address;
    bool late; // the keys on the way were asked for before
    struct identity_waiter *next;
};

bool identity_keys_await(struct identity_keys *k, address_key address, identity_awaited *cb, void *arg) {
    if (!k->expected || k->waiting == IDENTITY_WAITING_MAX) return false;
    if (!address_share_take(&k->waiting_of, address, WAITING_OF_ADDRESS)) return false;
    struct identity_waiter *w = mem_alloc(sizeof *w);
    *w = (struct identity_waiter){.cb = cb, .arg = arg, .address = address, .late = k->asked};
    LL_PREPEND(k->waiters, w);
    k->waiting++;
    return true;
}

void identity_keys_expect(struct identity_keys *k) {
    k->expected = true;
}

void identity_keys_ask(struct identity_keys *k) {
    k->expected = k->asked = true;
}

bool identity_keys_are_final(const struct identity_keys *k) {
    return k->final;
}

// Calls back, and frees, all of a list.
static void waiters_wake(struct identity_waiter *all, enum identity_keys_fate fate) {
    struct identity_waiter *w, *next;
    LL_FOREACH_SAFE(all, w, next) {
        w->cb(w->arg, fate);
        free(w);
    }
}

// Gives all their places back, as a callback may wait again, and turns their order round.
static void keys_part_waiters(struct identity_keys *k, struct identity_waiter **early,
                              struct identity_waiter **late) {
    struct identity_waiter *all = k->waiters, *w, *next;
    LL_FOREACH_SAFE(all, w, next) {
        struct identity_waiter **list = w->late ? late : early;
        address_share_give_back(&k->waiting_of, w->address);
        LL_PREPEND(*list, w);
    }
    k->waiters = NULL;
}

void identity_keys_settle(struct identity_keys *k, enum identity_keys_fate fate) {
    struct identity_waiter *early = NULL, *late = NULL;
    keys_part_waiters(k, &early, &late);
    k->waiting = 0;
    k->expected = k->asked = false;
    k->final = fate == IDENTITY_KEYS_CAME;
    waiters_wake(early, fate);
    k->final = false;
    waiters_wake(late, fate);
}

// Two keys of one name would make it unclear which one is meant.
static bool keys_have(const struct identity_key *keys, size_t count, const struct identity_key *one) {
    for (size_t i = 0; i < count; i++)
        if (one->kid && keys[i].kid && keys[i].algorithm == one->algorithm && !strcmp(keys[i].kid, one->kid))
            return true;
    return false;
}

// Reads those that can be used. why: what is wrong with the last that cannot; empty if all can.
static size_t keys_read(struct identity_key *keys, const json_t *list, char *why, size_t why_size) {
    size_t count = 0, i;
    const json_t *jwk;
    why[0] = 0;
    json_array_foreach(list, i, jwk) {
        char clause[128];
        if (count == IDENTITY_KEYS_MAX) break;
        if (!identity_key_read(&keys[count], jwk, clause, sizeof clause)) {
            snprintf(why, why_size, "has a key that cannot be used: number %zu %s", i + 1, clause);
        } else if (keys_have(keys, count, &keys[count])) {
            identity_key_release(&keys[count]);
        } else {
            count++;
        }
    }
    ERR_clear_error(); // of keys that OpenSSL has refused
    return count;
}

size_t identity_keys_load(struct identity_keys *k, const char *text, size_t len, char *why, size_t why_size) {
    json_error_t error;
    json_t *document = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!document) {
        snprintf(why, why_size, "is not valid JSON (line %d)", error.line);
        return 0;
    }
    json_t *list = json_object_get(document, "keys"), *single = NULL;
    if (json_object_get(document, "kty")) list = single = json_pack("[O]", document);
    struct identity_key *keys = mem_zalloc(IDENTITY_KEYS_MAX * sizeof *keys);
    size_t count = keys_read(keys, list, why, why_size);
    if (!count && !*why) snprintf(why, why_size, "has no keys");
    if (!json_is_array(list)) snprintf(why, why_size, "is no JWK set: {\"keys\":[...]}");
    json_decref(single);
    json_decref(document);
    if (!count) {
        keys_drop(keys, 0);
        return 0;
    }
    keys_drop(k->keys, k->count);
    k->keys = keys;
    k->count = count;
    return count;
}
