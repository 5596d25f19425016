# embed_text(<file> <symbol> <out>): writes a C file with the file's bytes as a NUL-terminated char array.
function(embed_text file symbol out)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  file(CONFIGURE OUTPUT ${out} CONTENT "const char ${symbol}[] = {${bytes}0};\n" @ONLY)
endfunction()

# embed_redis_script(<file> <shared> <out>): writes a C file with the script as a struct redis_script. A line `-- Needs: a, b`
# names the files of the folder <shared> that are put in front of it.
function(embed_redis_script file shared out)
  get_filename_component(name ${file} NAME_WE)
  file(STRINGS ${file} line REGEX "^-- Needs: " LIMIT_COUNT 1)
  string(REGEX REPLACE "^-- Needs: " "" line "${line}")
  string(REGEX MATCHALL "[^, ]+" parts "${line}")
  list(TRANSFORM parts PREPEND "${shared}/")
  list(TRANSFORM parts APPEND ".lua")
  set(text "")
  foreach(part ${parts} ${file})
    cmake_path(NORMAL_PATH part)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${part})
    file(READ ${part} read)
    string(APPEND text "${read}")
  endforeach()
  string(SHA1 sha "${text}")
  string(HEX "${text}" hex)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT "#include \"redis_script.h\"
static const char text[] = {${bytes}0};
const struct redis_script redis_script_${name} = {\"${name}\", \"${sha}\", text, sizeof text - 1};
")
endfunction()
