// OpenSSL reads and writes through a BIO (tls_bio_*): it reads from the socket, and writes to a buffer, which
// always accepts; so nothing that was accepted has to be repeated with the same bytes, as SSL_write(3)
// demands, and a record that only reading causes (KeyUpdate) waits in order with the others.
#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "net/address.h"
#include "net/sock.h"

enum { RECORD_BYTES = SSL3_RT_MAX_PLAIN_LENGTH, WHY_SIZE = 160 };

struct tls_client {
    struct stream_ops ops;
    SSL_CTX *context;
    BIO_METHOD *bio;
    char *peer_name;
    char why[WHY_SIZE];      // the last handshake failed
    struct tls_client *next; // the same for another peer
};

// One connection.
struct tls {
    SSL *ssl;
    struct stream *stream;
    struct buf out; // sealed, and not accepted by the kernel yet
    bool shut;      // close_notify is the last record of it
};

static struct tls_client *client_of(const struct stream *s) {
    return container_of(s->ops, struct tls_client, ops);
}

// BIO

static int tls_bio_read(BIO *bio, char *bytes, int room) {
    struct tls *t = BIO_get_data(bio);
    ssize_t n = sock_read(t->stream->watch.fd, bytes, (size_t)room);
    BIO_clear_retry_flags(bio);
    if (n == -EAGAIN) BIO_set_retry_read(bio);
    return n < 0 ? -1 : (int)n;
}

static int tls_bio_write(BIO *bio, const char *bytes, int len) {
    struct tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buf_add(&t->out, bytes, (size_t)len);
    return len;
}

static long tls_bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH; // the only one that libssl needs an answer to
}

static BIO_METHOD *tls_bio_new(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "chorus socket");
    if (!method) mem_abort("a BIO");
    BIO_meth_set_read(method, tls_bio_read);
    BIO_meth_set_write(method, tls_bio_write);
    BIO_meth_set_ctrl(method, tls_bio_ctrl);
    return method;
}

// Sending

static void tls_flush(struct stream *s) {
    struct tls *t = s->state;
    while (t->out.len && !s->broken) {
        ssize_t n = sock_write(s->watch.fd, t->out.data, t->out.len);
        if (n == -EAGAIN) break;
        if (n < 0)
            s->broken = true;
        else
            buf_consume(&t->out, (size_t)n);
    }
    if (!t->out.len && t->shut) sock_shutdown(s->watch.fd);
    s->writable = s->broken || (!s->error && !t->out.len);
}

// Returns how many bytes were sealed; fewer than given if the kernel has no room for the last of them.
static ssize_t tls_seal(struct stream *s, const char *bytes, size_t len) {
    struct tls *t = s->state;
    size_t sealed = 0;
    while (sealed < len && s->writable && !s->broken) {
        size_t part = (size_t)min((int64_t)(len - sealed), RECORD_BYTES), done;
        ERR_clear_error();
        if (!SSL_write_ex(t->ssl, bytes + sealed, part, &done)) {
            s->broken = true;
            break;
        }
        sealed += done;
        tls_flush(s);
    }
    return sealed ? (ssize_t)sealed : s->broken ? -EPIPE : -EAGAIN;
}

static ssize_t tls_writev(struct stream *s, const struct iovec *iov, size_t count) {
    ssize_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (!iov[i].iov_len) continue;
        ssize_t n = tls_seal(s, iov[i].iov_base, iov[i].iov_len);
        if (n < 0) return total ? total : n;
        total += n;
        if ((size_t)n < iov[i].iov_len) break;
    }
    return total;
}

static void tls_shutdown(struct stream *s) {
    struct tls *t = s->state;
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    t->shut = true;
    tls_flush(s);
}

// Opening

static void tls_set_why(struct tls_client *c, const struct tls *t) {
    long verdict = SSL_get_verify_result(t->ssl);
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
        snprintf(c->why, sizeof c->why, "has a certificate that is not for %.80s", c->peer_name);
    else if (verdict != X509_V_OK)
        snprintf(c->why, sizeof c->why, "has a certificate that is not accepted: %.80s",
                 X509_verify_cert_error_string(verdict));
    else
        snprintf(c->why, sizeof c->why, "does not agree on TLS: %.80s",
                 reason ? reason : "the connection was closed");
}

static void tls_handshake(struct stream *s) {
    struct tls *t = s->state;
    ERR_clear_error();
    int result = SSL_do_handshake(t->ssl);
    if (result == 1) {
        s->error = 0;
        s->readable = true; // what followed the handshake may have been read already
    } else if (SSL_get_error(t->ssl, result) != SSL_ERROR_WANT_READ) {
        tls_set_why(client_of(s), t);
        s->error = -EPROTO;
    }
    tls_flush(s); // an alert too
    if (s->broken && s->error == -EINPROGRESS) s->error = -ECONNRESET;
}

static void tls_check_peer(const struct tls_client *c, SSL *ssl) {
    union address address;
    X509_VERIFY_PARAM *check = SSL_get0_param(ssl);
    bool is_address = address_parse(&address, c->peer_name);
    int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(check, c->peer_name)
                         : X509_VERIFY_PARAM_set1_host(check, c->peer_name, 0) &&
                               SSL_set_tlsext_host_name(ssl, c->peer_name);
    if (!set) mem_abort("the name of a TLS peer");
}

static void tls_open(struct stream *s, bool is_server) {
    const struct tls_client *c = client_of(s);
    struct tls *t = mem_zalloc(sizeof *t);
    BIO *bio = BIO_new(c->bio);
    assert(!is_server);
    s->state = t;
    s->error = -EINPROGRESS;
    t->stream = s;
    t->ssl = SSL_new(c->context);
    if (!bio || !t->ssl) mem_abort("a TLS connection");
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_connect_state(t->ssl);
    tls_check_peer(c, t->ssl);
    tls_handshake(s);
}

static void tls_connected(struct stream *s) {
    int error = sock_error(s->watch.fd);
    if (error)
        s->error = error;
    else
        tls_open(s, false);
}

static bool tls_on_socket(struct stream *s, uint32_t events) {
    if (!s->state) {
        tls_connected(s);
        return s->error != -EINPROGRESS;
    }
    if (events & (EPOLLERR | EPOLLHUP)) s->broken = true;
    if (events & EPOLLRDHUP) s->fin = true;
    if (s->error == -EINPROGRESS) {
        tls_handshake(s);
        return s->error != -EINPROGRESS;
    }
    tls_flush(s);
    s->readable = true; // reading finds out whether there is a whole record
    return true;
}

// Receiving

static ssize_t tls_read(struct stream *s, void *bytes, size_t room) {
    struct tls *t = s->state;
    size_t n = 0;
    ERR_clear_error();
    int result = SSL_read_ex(t->ssl, bytes, room, &n);
    if (t->out.len) tls_flush(s);
    if (result) return (ssize_t)n;
    s->readable = false;
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ: return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN: s->fin = true; return 0;
    default: s->broken = true; return -ECONNRESET; // also an end without close_notify: bytes may be missing
    }
}

static bool tls_has_unread(const struct stream *s) {
    const struct tls *t = s->state;
    return SSL_has_pending(t->ssl) || sock_unread(s->watch.fd) != 0;
}

static void tls_close(struct stream *s) {
    struct tls *t = s->state;
    if (!t) return;
    if (!s->error && !s->broken && !t->shut) tls_shutdown(s);
    SSL_free(t->ssl);
    buf_release(&t->out);
    free(t);
    s->state = NULL;
}

static const char *tls_why(const struct stream *s) {
    return s->error == -EPROTO ? client_of(s)->why : NULL;
}

static const struct stream_ops tls_ops = {.open = tls_open,
                                          .on_socket = tls_on_socket,
                                          .read = tls_read,
                                          .writev = tls_writev,
                                          .shutdown = tls_shutdown,
                                          .has_unread = tls_has_unread,
                                          .close = tls_close,
                                          .why = tls_why};

// The client

static bool tls_refuse(char *why, size_t why_size, const char *what, const char *file) {
    unsigned long error = ERR_peek_error();
    const char *reason =
        ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
    snprintf(why, why_size, "%s cannot be read from %.120s: %.80s.", what, file, reason ? reason : "unknown");
    return false;
}

static bool tls_load(SSL_CTX *context, const struct tls_client_config *config, char *why, size_t why_size) {
    const char *key = config->key ? config->key : config->certificate;
    if (config->authorities && !SSL_CTX_load_verify_file(context, config->authorities))
        return tls_refuse(why, why_size, "Certificates of authorities", config->authorities);
    if (!config->authorities && !SSL_CTX_set_default_verify_paths(context))
        return tls_refuse(why, why_size, "Certificates of authorities", "the system's folder");
    if (!config->certificate) return true;
    if (SSL_CTX_use_certificate_chain_file(context, config->certificate) != 1)
        return tls_refuse(why, why_size, "A certificate", config->certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return tls_refuse(why, why_size, "A private key", key);
    return true; // that the key is of the certificate was checked with it
}

// A key with a passphrase must not make the process ask for it.
static int no_passphrase(char *passphrase, int size, int writing, void *arg) {
    (void)passphrase, (void)size, (void)writing, (void)arg;
    return -1;
}

struct tls_client *tls_client_new(const struct tls_client_config *config, char *why, size_t why_size) {
    struct tls_client *c = mem_zalloc(sizeof *c);
    c->ops = tls_ops;
    c->peer_name = mem_strdup(config->peer_name);
    c->bio = tls_bio_new();
    c->context = SSL_CTX_new(TLS_client_method());
    if (!c->context) mem_abort("TLS");
    SSL_CTX_set_min_proto_version(c->context, TLS1_2_VERSION);
    SSL_CTX_set_options(c->context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(c->context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(c->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_passwd_cb(c->context, no_passphrase);
    ERR_clear_error();
    if (tls_load(c->context, config, why, why_size)) return c;
    tls_client_free(c);
    return NULL;
}

const struct stream_ops *tls_client_transport(const struct tls_client *c) {
    return &c->ops;
}

const struct stream_ops *tls_client_transport_to(void *client, const char *peer_name) {
    struct tls_client *c = client;
    for (; strcmp(c->peer_name, peer_name) != 0; c = c->next) {
        if (c->next) continue;
        struct tls_client *other = c->next = mem_zalloc(sizeof *other);
        other->ops = tls_ops;
        other->peer_name = mem_strdup(peer_name);
        other->context = c->context;
        SSL_CTX_up_ref(c->context);
        other->bio = tls_bio_new();
    }
    return &c->ops;
}

void tls_client_free(struct tls_client *c) {
    if (!c) return;
    tls_client_free(c->next);
    SSL_CTX_free(c->context);
    BIO_meth_free(c->bio);
    free(c->peer_name);
    free(c);
}
