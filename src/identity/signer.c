#include "identity/signer.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/random.h"
#include "key.h"

enum { P256_SIZE = 32, ED25519_SIZE = 32, SECRET_SIZE = 32, RSA_BITS = 2048, RSA_BYTES_MAX = 1024 };

struct identity_signer {
    struct identity_key public; // and, of HS256, the secret
    EVP_PKEY *private;
};

// The public part is that of the key which was read before.
static EVP_PKEY *private_of_rsa(const EVP_PKEY *public, BIGNUM *d) {
    BIGNUM *n = NULL, *e = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (EVP_PKEY_get_bn_param(public, OSSL_PKEY_PARAM_RSA_N, &n) &&
        EVP_PKEY_get_bn_param(public, OSSL_PKEY_PARAM_RSA_E, &e) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d))
        key = identity_key_build("RSA", build, EVP_PKEY_KEYPAIR);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *private_of_p256(const EVP_PKEY *public, BIGNUM *d) {
    unsigned char point[1 + 2 * P256_SIZE];
    size_t len = 0;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (EVP_PKEY_get_octet_string_param(public, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len) &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, len) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d))
        key = identity_key_build("EC", build, EVP_PKEY_KEYPAIR);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static EVP_PKEY *private_of_ed25519(const BIGNUM *d) {
    unsigned char seed[ED25519_SIZE];
    if (BN_bn2binpad(d, seed, sizeof seed) < 0) return NULL;
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
}

static bool signer_read(struct identity_signer *s, const json_t *jwk, char *why, size_t why_size) {
    if (!identity_key_read(&s->public, jwk, why, why_size)) return false;
    if (s->public.algorithm == ALGORITHM_HS256) return true;
    BIGNUM *d = identity_key_number(jwk, "d");
    if (d && s->public.algorithm == ALGORITHM_RS256) s->private = private_of_rsa(s->public.asymmetric, d);
    if (d && s->public.algorithm == ALGORITHM_ES256) s->private = private_of_p256(s->public.asymmetric, d);
    if (d && s->public.algorithm == ALGORITHM_EDDSA) s->private = private_of_ed25519(d);
    BN_clear_free(d);
    if (s->private) return true;
    identity_key_release(&s->public);
    snprintf(why, why_size, "has no secret part (d)");
    return false;
}

struct identity_signer *identity_signer_new(const char *text, size_t len, char *why, size_t why_size) {
    json_t *document = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    json_t *list = json_object_get(document, "keys");
    struct identity_signer *s = mem_zalloc(sizeof *s);
    snprintf(why, why_size, document ? "has no keys" : "is not valid JSON");
    bool found = !list && document && signer_read(s, document, why, why_size);
    for (size_t i = 0; !found && i < json_array_size(list); i++)
        found = signer_read(s, json_array_get(list, i), why, why_size);
    json_decref(document);
    if (found) return s;
    identity_signer_free(s);
    return NULL;
}

void identity_signer_free(struct identity_signer *s) {
    if (!s) return;
    EVP_PKEY_free(s->private);
    identity_key_release(&s->public);
    free(s);
}

static void add_part(struct buf *token, const json_t *o) {
    char *text = json_dumps(o, JSON_COMPACT);
    if (!text) mem_abort("a token");
    base64url_add(token, text, strlen(text));
    free(text);
}

// Of DER makes what JOSE wants (RFC 7518, 3.4).
static size_t p256_of_der(unsigned char *signature, size_t len) {
    const unsigned char *at = signature;
    ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)len);
    if (!both) mem_abort("a signature");
    BN_bn2binpad(ECDSA_SIG_get0_r(both), signature, P256_SIZE);
    BN_bn2binpad(ECDSA_SIG_get0_s(both), signature + P256_SIZE, P256_SIZE);
    ECDSA_SIG_free(both);
    return 2 * P256_SIZE;
}

static size_t signer_sign(const struct identity_signer *s, const unsigned char *text, size_t len,
                          unsigned char *signature, size_t size) {
    const struct identity_key *k = &s->public;
    unsigned mac_len = 0;
    if (k->algorithm == ALGORITHM_HS256) {
        HMAC(EVP_sha256(), k->secret, (int)k->secret_len, text, len, signature, &mac_len);
        return mac_len;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *digest = k->algorithm == ALGORITHM_EDDSA ? NULL : EVP_sha256();
    if (EVP_DigestSignInit(context, NULL, digest, NULL, s->private) != 1 ||
        EVP_DigestSign(context, signature, &size, text, len) != 1)
        mem_abort("a signature");
    EVP_MD_CTX_free(context);
    return k->algorithm == ALGORITHM_ES256 ? p256_of_der(signature, size) : size;
}

void identity_sign(const struct identity_signer *s, const char *claims, size_t len, struct buf *token) {
    unsigned char signature[RSA_BYTES_MAX];
    size_t begin = token->len;
    json_t *header = json_pack("{s:s,s:s,s:s*}", "alg", identity_algorithm_name(s->public.algorithm), "typ",
                               "JWT", "kid", s->public.kid);
    add_part(token, header);
    json_decref(header);
    buf_add(token, ".", 1);
    base64url_add(token, claims, len);
    size_t n = signer_sign(s, (const unsigned char *)token->data + begin, token->len - begin, signature,
                           sizeof signature);
    buf_add(token, ".", 1);
    base64url_add(token, signature, n);
}

static void set_bytes(json_t *jwk, const char *name, const unsigned char *bytes, size_t len) {
    struct buf text = {0};
    base64url_add(&text, bytes, len);
    json_object_set_new(jwk, name, json_stringn(text.data, text.len));
    buf_release(&text);
}

// `size`: of the bytes; 0: as many as there are.
static void set_number(json_t *jwk, const char *name, const EVP_PKEY *key, const char *param, int size) {
    unsigned char bytes[RSA_BYTES_MAX];
    BIGNUM *number = NULL;
    if (!EVP_PKEY_get_bn_param(key, param, &number)) mem_abort("a key");
    int len = BN_bn2binpad(number, bytes, size ? size : BN_num_bytes(number));
    set_bytes(jwk, name, bytes, (size_t)len);
    BN_clear_free(number);
}

static void fill_rsa(json_t *jwk, const EVP_PKEY *key, bool secret) {
    set_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
    set_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
    if (secret) set_number(jwk, "d", key, OSSL_PKEY_PARAM_RSA_D, 0);
}

static void fill_p256(json_t *jwk, const EVP_PKEY *key, bool secret) {
    json_object_set_new(jwk, "crv", json_string("P-256"));
    set_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, P256_SIZE);
    set_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, P256_SIZE);
    if (secret) set_number(jwk, "d", key, OSSL_PKEY_PARAM_PRIV_KEY, P256_SIZE);
}

static void fill_ed25519(json_t *jwk, const EVP_PKEY *key, bool secret) {
    unsigned char bytes[ED25519_SIZE];
    size_t len = sizeof bytes;
    json_object_set_new(jwk, "crv", json_string("Ed25519"));
    EVP_PKEY_get_raw_public_key(key, bytes, &len);
    set_bytes(jwk, "x", bytes, len);
    if (!secret) return;
    EVP_PKEY_get_raw_private_key(key, bytes, &len);
    set_bytes(jwk, "d", bytes, len);
}

static const struct maker {
    const char *algorithm, *kty, *type;
    void (*fill)(json_t *, const EVP_PKEY *, bool secret); // NULL: it is a secret and nothing else
} makers[] = {{"HS256", "oct"},
              {"RS256", "RSA", "RSA", fill_rsa},
              {"ES256", "EC", "EC", fill_p256},
              {"EdDSA", "OKP", "ED25519", fill_ed25519}};

static EVP_PKEY *maker_generate(const struct maker *m) {
    if (!strcmp(m->type, "RSA")) return EVP_PKEY_Q_keygen(NULL, NULL, m->type, (size_t)RSA_BITS);
    if (!strcmp(m->type, "EC")) return EVP_PKEY_Q_keygen(NULL, NULL, m->type, "P-256");
    return EVP_PKEY_Q_keygen(NULL, NULL, m->type);
}

static void add_jwk(struct buf *out, const struct maker *m, const char *kid, const EVP_PKEY *key,
                    const unsigned char *bytes, bool secret) {
    json_t *jwk =
        json_pack("{s:s,s:s,s:s,s:s}", "kty", m->kty, "alg", m->algorithm, "use", "sig", "kid", kid);
    if (m->fill)
        m->fill(jwk, key, secret);
    else
        set_bytes(jwk, "k", bytes, SECRET_SIZE);
    char *text = json_dumps(jwk, JSON_COMPACT);
    buf_add_string(out, text);
    free(text);
    json_decref(jwk);
}

bool identity_make_key(const char *algorithm, const char *kid, struct buf *secret, struct buf *shared) {
    unsigned char bytes[SECRET_SIZE];
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        const struct maker *m = &makers[i];
        if (strcmp(m->algorithm, algorithm) != 0) continue;
        EVP_PKEY *key = m->fill ? maker_generate(m) : NULL;
        if (m->fill ? !key : !random_bytes(bytes, sizeof bytes)) mem_abort("a key");
        add_jwk(secret, m, kid, key, bytes, true);
        add_jwk(shared, m, kid, key, bytes, false);
        EVP_PKEY_free(key);
        return true;
    }
    return false;
}
