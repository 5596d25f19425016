// Private to identity: one key, whose algorithm is fixed by what it is, and a set of them.
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "identity/keys.h"
#include "net/address_share.h"

enum identity_algorithm { ALGORITHM_HS256, ALGORITHM_RS256, ALGORITHM_ES256, ALGORITHM_EDDSA, ALGORITHMS };

struct identity_key {
    enum identity_algorithm algorithm;
    char *kid;             // NULL: none
    EVP_PKEY *asymmetric;  // NULL for HS256
    unsigned char *secret; // NULL for others
    size_t secret_len;
};

struct identity_waiter;

struct identity_keys {
    struct identity_key *keys;
    size_t count;
    char *issuer, *audience, *service_token; // NULL: none
    identity_refresh *refresh;               // NULL: none
    void *refresh_arg;
    bool expected, asked, final;     // see identity_keys_settle()
    struct identity_waiter *waiters; // the latest first
    size_t waiting;
    struct address_shares waiting_of;
};

// Reads a JWK. Returns false, with a clause in `why`, if it cannot be used to verify.
struct json_t;
bool identity_key_read(struct identity_key *, const struct json_t *jwk, char *why, size_t why_size);
void identity_key_release(struct identity_key *);

// Returns a member that is a number, which the caller frees; NULL if there is none.
BIGNUM *identity_key_number(const struct json_t *jwk, const char *name);

// Makes a key of its parts; `selection` is EVP_PKEY_PUBLIC_KEY or EVP_PKEY_KEYPAIR. The caller frees it. NULL
// if they are not those of a key.
EVP_PKEY *identity_key_build(const char *type, OSSL_PARAM_BLD *parts, int selection);

// Returns the name of an algorithm in JOSE.
const char *identity_algorithm_name(enum identity_algorithm);

// Whether `signature` is that of the text by this key.
bool identity_key_verify(const struct identity_key *, const char *text, size_t len,
                         const unsigned char *signature, size_t signature_len);
