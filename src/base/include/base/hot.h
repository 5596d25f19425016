// For the few functions that run once for each delivery, where the hardening of the build
// (cmake/hardening.cmake) would be a noticeable part of the work: without a check of the stack, as they hold
// no buffer that a client fills, and without a landing pad for indirect calls, as nothing calls them through
// a pointer.
#pragma once

#if defined __has_attribute && __has_attribute(no_stack_protector)
#define HOT_WITHOUT_CANARY __attribute__((no_stack_protector))
#else
#define HOT_WITHOUT_CANARY
#endif

#ifdef __CET__
#define HOT_DIRECT_ONLY __attribute__((nocf_check))
#else
#define HOT_DIRECT_ONLY
#endif

#define HOT_PATH HOT_WITHOUT_CANARY HOT_DIRECT_ONLY
