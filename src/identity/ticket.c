// A ticket in bytes, before base64url: nonce, issued_ms, until_s, the user and the video, each ended by a
// NUL, and the signature, which is that of these bytes and the reader's URL.
#include "identity/ticket.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/mem.h"

enum { TIMES = 3 * 8, IDS_MAX = 2 * (ID_MAX + 1), MAC = 32, BYTES_MAX = TIMES + IDS_MAX + MAC };
_Static_assert((BYTES_MAX * 4 + 2) / 3 <= TICKET_TEXT_MAX, "the longest ids fit");

static void ticket_sign(unsigned char mac[MAC], const unsigned char *bytes, size_t len,
                        const unsigned char key[TICKET_KEY], const char *reader_url) {
    struct buf text = {0};
    unsigned mac_len = 0;
    buf_add(&text, bytes, len);
    buf_add_string(&text, reader_url);
    if (!HMAC(EVP_sha256(), key, TICKET_KEY, (const unsigned char *)text.data, text.len, mac, &mac_len) ||
        mac_len != MAC)
        mem_abort("HMAC");
    buf_release(&text);
}

static void add_number(struct buf *b, uint64_t n) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(n >> (56 - 8 * i));
    buf_add(b, bytes, sizeof bytes);
}

static uint64_t number_at(const unsigned char *bytes) {
    uint64_t n = 0;
    for (int i = 0; i < 8; i++) n = n << 8 | bytes[i];
    return n;
}

void ticket_write(struct buf *out, const struct ticket *t, const unsigned char key[TICKET_KEY],
                  const char *reader_url) {
    struct buf b = {0};
    unsigned char mac[MAC];
    add_number(&b, t->nonce);
    add_number(&b, (uint64_t)t->issued_ms);
    add_number(&b, (uint64_t)t->until_s);
    buf_add(&b, t->user, strlen(t->user) + 1);
    buf_add(&b, t->video, strlen(t->video) + 1);
    ticket_sign(mac, (const unsigned char *)b.data, b.len, key, reader_url);
    buf_add(&b, mac, sizeof mac);
    base64url_add(out, b.data, b.len);
    buf_release(&b);
}

// Returns the number of bytes, or 0 if it is no ticket.
static size_t ticket_decode(unsigned char bytes[BASE64URL_BYTES(TICKET_TEXT_MAX)], const char *text) {
    size_t len = strlen(text);
    ptrdiff_t n = len <= TICKET_TEXT_MAX ? base64url_decode(bytes, text, len) : -1;
    return n >= TIMES + 4 + MAC && n <= BYTES_MAX ? (size_t)n : 0;
}

bool ticket_issued(const char *text, int64_t *issued_ms) {
    unsigned char bytes[BASE64URL_BYTES(TICKET_TEXT_MAX)];
    if (!ticket_decode(bytes, text)) return false;
    *issued_ms = (int64_t)number_at(bytes + 8);
    return true;
}

// Copies an id and its NUL. Returns what follows it, or NULL if it is none.
static const char *take_id(char id[ID_MAX + 1], const char *at, const char *end) {
    const char *nul = memchr(at, 0, (size_t)(end - at));
    if (!nul || !id_is_valid(at, (size_t)(nul - at))) return NULL;
    memcpy(id, at, (size_t)(nul - at) + 1);
    return nul + 1;
}

bool ticket_read(struct ticket *t, const char *text, const unsigned char key[TICKET_KEY],
                 const char *reader_url) {
    unsigned char bytes[BASE64URL_BYTES(TICKET_TEXT_MAX)], mac[MAC];
    size_t len = ticket_decode(bytes, text);
    if (!len) return false;
    ticket_sign(mac, bytes, len - MAC, key, reader_url);
    if (CRYPTO_memcmp(mac, bytes + len - MAC, MAC) != 0) return false;
    const char *at = (const char *)bytes + TIMES, *end = (const char *)bytes + len - MAC;
    t->nonce = number_at(bytes);
    t->issued_ms = (int64_t)number_at(bytes + 8);
    t->until_s = (int64_t)number_at(bytes + 16);
    at = take_id(t->user, at, end);
    return at && take_id(t->video, at, end) == end && t->nonce;
}
