// The methods that routes can be for.
#pragma once

// Bits, so that a set of them is a number.
enum http_method {
    HTTP_METHOD_OTHER = 0,
    HTTP_METHOD_GET = 1,
    HTTP_METHOD_HEAD = 2,
    HTTP_METHOD_POST = 4,
    HTTP_METHOD_OPTIONS = 8,
    HTTP_METHOD_PUT = 16,
    HTTP_METHOD_DELETE = 32,
    HTTP_METHOD_PATCH = 64
};
