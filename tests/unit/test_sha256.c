#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"

static void expect(const char *text, size_t times, size_t piece, const char *hex) {
    struct sha256 h;
    unsigned char digest[SHA256_SIZE];
    char got[2 * SHA256_SIZE + 1];
    sha256_init(&h);
    for (size_t i = 0; i < times; i++)
        for (size_t at = 0, len = strlen(text); at < len; at += piece)
            sha256_add(&h, text + at, len - at < piece ? len - at : piece);
    sha256_end(&h, digest);
    for (int i = 0; i < SHA256_SIZE; i++) snprintf(got + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(got, hex);
}

// FIPS 180-4's examples, and a length on each side of a block's end.
static void gives_the_digests_of_the_standard(void **state) {
    (void)state;
    expect("", 1, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", 1, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, 7,
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect("aaaaaaaaaa", 100000, 10, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    expect("a", 55, 1, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    expect("a", 56, 1, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
    expect("a", 64, 1, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_the_digests_of_the_standard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
