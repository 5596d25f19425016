# embed_text(<file> <symbol> <out>): writes a C file with the file's bytes as a NUL-terminated char array.
function(embed_text file symbol out)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  file(CONFIGURE OUTPUT ${out} CONTENT "const char ${symbol}[] = {${bytes}0};\n" @ONLY)
endfunction()
