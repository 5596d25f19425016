// The keys that sign users' tokens: a JWK set (RFC 7517), and what is demanded of a token besides. A key's
// kty fixes the algorithm: oct HS256, RSA RS256, EC with P-256 ES256, OKP with Ed25519 EdDSA. Private parts
// are ignored. Control loop only. At most IDENTITY_KEYS_MAX keys.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "net/address_limits.h"

struct identity_keys;

enum { IDENTITY_KEYS_MAX = 64, IDENTITY_KEYS_BYTES = 1 << 18, IDENTITY_WAITING_MAX = 4096 };

struct identity_demands {
    const char *issuer;        // NULL: any
    const char *audience;      // NULL: a token that has an aud is refused (RFC 7519, 4.1.3)
    const char *service_token; // NULL: none
};

// Makes a set without keys: until identity_keys_load() all tokens get IDENTITY_NO_KEYS. Demands are copied.
struct identity_keys *identity_keys_new(const struct identity_demands *);
void identity_keys_free(struct identity_keys *); // NULL is fine

void identity_keys_demand(struct identity_keys *, const struct identity_demands *);

// Exchanges the keys for those of a JWK set, or of a single JWK. Keys for other purposes and with algorithms
// that are not known are skipped, as RFC 7517, 5, asks; `why` gets a clause about the last of these, and is
// empty if there is none. Returns the number of keys that are used; 0, with a clause, and those before
// remain, if the text is no JWK set or has none.
size_t identity_keys_load(struct identity_keys *, const char *text, size_t len, char *why, size_t why_size);

// Called for a token whose key is not known. Returns whether there are other keys now (the token is checked
// once more), or on the way (*pending: IDENTITY_NO_KEYS, instead of IDENTITY_UNKNOWN_KEY).
typedef bool identity_refresh(void *arg, bool *pending);
void identity_keys_on_unknown(struct identity_keys *, identity_refresh *, void *arg);

// Calls back when the keys that are on the way have come, or have failed to. Returns false, and does not call
// back, if none are, or as many wait already as may: IDENTITY_WAITING_MAX, or an eighth of these of the
// address. The earliest is called first.
enum identity_keys_fate {
    IDENTITY_KEYS_CAME,
    IDENTITY_KEYS_FAILED,
    IDENTITY_KEYS_ENDED // nothing fetches them any more: what has waited may have been freed
};
typedef void identity_awaited(void *arg, enum identity_keys_fate);
bool identity_keys_await(struct identity_keys *, address_key, identity_awaited *, void *arg);

// For what fetches them: they are to be fetched; have been asked for; and have come, or failed to. Within
// identity_keys_settle() identity_keys_are_final() is true for requests that waited before they were asked
// for: a key that is still unknown does not exist. What was asked for before a token came may lack its key.
void identity_keys_expect(struct identity_keys *);
void identity_keys_ask(struct identity_keys *);
void identity_keys_settle(struct identity_keys *, enum identity_keys_fate);
bool identity_keys_are_final(const struct identity_keys *);
