// One key: from a JWK (RFC 7517, RFC 7518, 6, RFC 8037) to what OpenSSL verifies with (RFC 7518, 3).
#include "key.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/mem.h"

enum {
    SECRET_MIN = 32,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192,
    P256_SIZE = 32,
    ED25519_SIZE = 32,
    KID_MAX = 128
};

static const struct {
    const char *kty, *alg, *also, *curve;
} algorithms[ALGORITHMS] = {
    [ALGORITHM_HS256] = {"oct", "HS256"},
    [ALGORITHM_RS256] = {"RSA", "RS256"},
    [ALGORITHM_ES256] = {"EC", "ES256", .curve = "P-256"},
    [ALGORITHM_EDDSA] = {"OKP", "EdDSA", "Ed25519", "Ed25519"}, // RFC 9864 has named it again
};

const char *identity_algorithm_name(enum identity_algorithm a) {
    return algorithms[a].alg;
}

static bool key_refuse(char *why, size_t size, const char *clause) {
    snprintf(why, size, "%s", clause);
    return false;
}

static const char *jwk_text(const json_t *jwk, const char *name) {
    const char *text = json_string_value(json_object_get(jwk, name));
    return text ? text : "";
}

// Returns a member's bytes, which the caller frees, or NULL.
static unsigned char *jwk_bytes(const json_t *jwk, const char *name, size_t *len) {
    const json_t *member = json_object_get(jwk, name);
    size_t text_len = json_string_length(member);
    if (!text_len) return NULL;
    unsigned char *bytes = mem_alloc(BASE64URL_BYTES(text_len));
    ptrdiff_t n = base64url_decode(bytes, json_string_value(member), text_len);
    if (n > 0) {
        *len = (size_t)n;
        return bytes;
    }
    free(bytes);
    return NULL;
}

BIGNUM *identity_key_number(const json_t *jwk, const char *name) {
    size_t len = 0;
    unsigned char *bytes = jwk_bytes(jwk, name, &len);
    BIGNUM *number = bytes ? BN_bin2bn(bytes, (int)len, NULL) : NULL;
    if (bytes) OPENSSL_cleanse(bytes, len);
    free(bytes);
    return number;
}

EVP_PKEY *identity_key_build(const char *type, OSSL_PARAM_BLD *parts, int selection) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !context || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, selection, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *key_of_rsa(const json_t *jwk) {
    EVP_PKEY *key = NULL;
    BIGNUM *modulus = identity_key_number(jwk, "n"), *exponent = identity_key_number(jwk, "e");
    int bits = modulus ? BN_num_bits(modulus) : 0;
    bool usable = bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && exponent && BN_is_odd(exponent) &&
                  !BN_is_one(exponent) && BN_num_bits(exponent) <= 64;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (usable && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
        key = identity_key_build("RSA", build, EVP_PKEY_PUBLIC_KEY);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

// OpenSSL refuses a point that is not on the curve.
static EVP_PKEY *key_of_p256(const json_t *jwk) {
    size_t x_len = 0, y_len = 0;
    unsigned char *x = jwk_bytes(jwk, "x", &x_len), *y = jwk_bytes(jwk, "y", &y_len);
    EVP_PKEY *key = NULL;
    if (x && y && x_len == P256_SIZE && y_len == P256_SIZE) {
        unsigned char point[1 + 2 * P256_SIZE] = {POINT_CONVERSION_UNCOMPRESSED};
        memcpy(point + 1, x, P256_SIZE);
        memcpy(point + 1 + P256_SIZE, y, P256_SIZE);
        OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
            OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point))
            key = identity_key_build("EC", build, EVP_PKEY_PUBLIC_KEY);
        OSSL_PARAM_BLD_free(build);
    }
    free(x);
    free(y);
    return key;
}

static EVP_PKEY *key_of_ed25519(const json_t *jwk) {
    size_t len = 0;
    unsigned char *x = jwk_bytes(jwk, "x", &len);
    EVP_PKEY *key =
        x && len == ED25519_SIZE ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, len) : NULL;
    free(x);
    return key;
}

static bool key_read_secret(struct identity_key *k, const json_t *jwk, char *why, size_t why_size) {
    k->secret = jwk_bytes(jwk, "k", &k->secret_len);
    if (!k->secret) return key_refuse(why, why_size, "has no secret (k) in base64url");
    return k->secret_len >= SECRET_MIN ||
           key_refuse(why, why_size, "has a secret of less than 32 bytes (RFC 7518, 3.2)");
}

static bool key_read_material(struct identity_key *k, const json_t *jwk, char *why, size_t why_size) {
    switch (k->algorithm) {
    case ALGORITHM_HS256: return key_read_secret(k, jwk, why, why_size);
    case ALGORITHM_RS256: k->asymmetric = key_of_rsa(jwk); break;
    case ALGORITHM_ES256: k->asymmetric = key_of_p256(jwk); break;
    default: k->asymmetric = key_of_ed25519(jwk); break;
    }
    return k->asymmetric ||
           key_refuse(why, why_size,
                      k->algorithm == ALGORITHM_RS256 ? "is no RSA key of 2,048 to 8,192 bits"
                                                      : "has no point of its curve");
}

// RFC 7517, 4.2 and 4.3: what it is for, if it says so.
static bool jwk_verifies(const json_t *jwk) {
    const char *use = jwk_text(jwk, "use");
    const json_t *operations = json_object_get(jwk, "key_ops"), *operation;
    size_t i;
    bool verifies = !operations;
    json_array_foreach(operations, i, operation) {
        const char *name = json_string_value(operation);
        verifies |= name && (!strcmp(name, "verify") || !strcmp(name, "sign"));
    }
    return verifies && (!*use || !strcmp(use, "sig"));
}

static bool key_find_algorithm(struct identity_key *k, const json_t *jwk, char *why, size_t why_size) {
    const char *kty = jwk_text(jwk, "kty"), *alg = jwk_text(jwk, "alg"), *curve = jwk_text(jwk, "crv");
    for (k->algorithm = 0; k->algorithm < ALGORITHMS; k->algorithm++) {
        if (strcmp(kty, algorithms[k->algorithm].kty) != 0) continue;
        const char *also = algorithms[k->algorithm].also, *wanted = algorithms[k->algorithm].curve;
        if (*alg && strcmp(alg, algorithms[k->algorithm].alg) != 0 && (!also || strcmp(alg, also) != 0))
            break;
        if (wanted && strcmp(curve, wanted) != 0) break;
        return true;
    }
    snprintf(why, why_size,
             "is for an algorithm that is not known (kty \"%.16s\", alg \"%.16s\", crv \"%.16s\")", kty, alg,
             curve);
    return false;
}

bool identity_key_read(struct identity_key *k, const json_t *jwk, char *why, size_t why_size) {
    *k = (struct identity_key){0};
    const json_t *kid = json_object_get(jwk, "kid");
    if (!json_is_object(jwk)) return key_refuse(why, why_size, "is no JSON object");
    if (!jwk_verifies(jwk)) return key_refuse(why, why_size, "is not for signatures");
    if (!key_find_algorithm(k, jwk, why, why_size)) return false;
    if (kid && (!json_string_length(kid) || json_string_length(kid) > KID_MAX ||
                strlen(json_string_value(kid)) != json_string_length(kid)))
        return key_refuse(why, why_size, "has a kid that is no text of 1 to 128 bytes");
    if (kid) k->kid = mem_strdup(json_string_value(kid));
    if (key_read_material(k, jwk, why, why_size)) return true;
    identity_key_release(k);
    return false;
}

void identity_key_release(struct identity_key *k) {
    EVP_PKEY_free(k->asymmetric);
    if (k->secret) OPENSSL_cleanse(k->secret, k->secret_len);
    free(k->secret);
    free(k->kid);
    *k = (struct identity_key){0};
}

static bool verify_secret(const struct identity_key *k, const char *text, size_t len,
                          const unsigned char *signature, size_t signature_len) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    if (!HMAC(EVP_sha256(), k->secret, (int)k->secret_len, (const unsigned char *)text, len, mac, &mac_len))
        return false;
    return signature_len == mac_len && !CRYPTO_memcmp(mac, signature, mac_len);
}

// JOSE writes the two numbers side by side (RFC 7518, 3.4), OpenSSL reads them as DER. Returns its length, or
// 0 if it is no signature of this curve.
static size_t der_of_p256(unsigned char der[80], const unsigned char *signature, size_t len) {
    if (len != 2 * P256_SIZE) return 0;
    ECDSA_SIG *both = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, P256_SIZE, NULL), *s = BN_bin2bn(signature + P256_SIZE, P256_SIZE, NULL);
    if (!both || !r || !s || !ECDSA_SIG_set0(both, r, s)) mem_abort("a signature");
    unsigned char *end = der;
    int der_len = i2d_ECDSA_SIG(both, &end);
    ECDSA_SIG_free(both);
    return der_len > 0 ? (size_t)der_len : 0;
}

bool identity_key_verify(const struct identity_key *k, const char *text, size_t len,
                         const unsigned char *signature, size_t signature_len) {
    unsigned char der[80];
    if (k->algorithm == ALGORITHM_HS256) return verify_secret(k, text, len, signature, signature_len);
    if (k->algorithm == ALGORITHM_ES256) {
        signature_len = der_of_p256(der, signature, signature_len);
        signature = der;
    }
    const EVP_MD *digest = k->algorithm == ALGORITHM_EDDSA ? NULL : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && signature_len &&
                EVP_DigestVerifyInit(context, NULL, digest, NULL, k->asymmetric) == 1 &&
                EVP_DigestVerify(context, signature, signature_len, (const unsigned char *)text, len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}
