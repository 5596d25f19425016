# Makes a mistake in the code harder to exploit, in builds without a sanitizer: link `hardening`. scripts/check verifies in the
# built program that it took effect.
include(CheckCCompilerFlag)
add_library(hardening INTERFACE)
if(CHORUS_SANITIZE)
  return()
endif()

set(CMAKE_REQUIRED_FLAGS -Werror)
foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
  string(MAKE_C_IDENTIFIER "CHORUS_KNOWS${flag}" known)
  check_c_compiler_flag(${flag} ${known})
  if(${known})
    target_compile_options(hardening INTERFACE ${flag})
  endif()
endforeach()
unset(CMAKE_REQUIRED_FLAGS)

# The C library's size checks need an optimising compiler.
target_compile_options(hardening INTERFACE -fPIE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
                                           $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
target_link_options(hardening INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
