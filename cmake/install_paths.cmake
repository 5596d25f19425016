# Run by `cmake --install`, which may be given another prefix than was configured: the units, the manual page and the
# configuration file, with the paths of that prefix.
set(prefix ${CMAKE_INSTALL_PREFIX})
set(made ${binary}/installed)
set(documentation ${prefix}/${docdir})
set(sysconfdir ${prefix}/etc)
if(prefix MATCHES "^/usr(/local)?/?$")
  set(sysconfdir /etc)
endif()
set(configuration ${sysconfdir}/chorus/chorus.conf)
set(examples ${prefix}/${datadir}/chorus/deploy)
set(chorus ${prefix}/${bindir}/chorus)
file(MAKE_DIRECTORY ${made})
execute_process(COMMAND ${binary}/chorus config example OUTPUT_FILE ${made}/chorus.conf COMMAND_ERROR_IS_FATAL ANY)

function(unit name what command)
  set(unit ${name})
  set(state "${ARGN}")
  configure_file(${source}/deploy/systemd/chorus.service.in ${made}/${name}.service @ONLY)
  file(INSTALL ${made}/${name}.service DESTINATION ${prefix}/lib/systemd/system)
endfunction()

set(overrides "# Options of this process alone, which count before the configuration: CHORUS_PUBLIC_URL=https://live.example.org/r1
EnvironmentFile=-${sysconfdir}/chorus/")
# Where `up` keeps its data is said here, so that it is the folder that the unit may write to.
unit(chorus "all parts in one process" "${chorus} up --config ${configuration} --data /var/lib/chorus"
     "${overrides}chorus.env
StateDirectory=chorus
StateDirectoryMode=0750
WorkingDirectory=/var/lib/chorus")
# One control socket is enough for a fleet, and a manager is always there: `chorus ctl` looks here.
unit(chorus-manager "the manager" "${chorus} manager --config ${configuration} --control /run/chorus/control.sock"
     "${overrides}manager.env
RuntimeDirectory=chorus
RuntimeDirectoryMode=0700")
unit(chorus-comment "the comment API" "${chorus} comment --config ${configuration}" "${overrides}comment.env")
unit(chorus-reader@ "the reader at port %i" "${chorus} reader --config ${configuration} --port %i" "${overrides}reader-%i.env")
unit(chorus-archive "the archive of a Redis" "${chorus} archive --config ${configuration} --data /var/lib/chorus-archive"
     "${overrides}archive.env
StateDirectory=chorus-archive
StateDirectoryMode=0750
WorkingDirectory=/var/lib/chorus-archive")
unit(chorus-statistics "the statistics service" "${chorus} statistics --config ${configuration}" "${overrides}statistics.env")
configure_file(${source}/deploy/systemd/chorus.sysusers ${made}/sysusers/chorus.conf COPYONLY)
file(INSTALL ${made}/sysusers/chorus.conf DESTINATION ${prefix}/lib/sysusers.d)

execute_process(COMMAND ${binary}/chorus --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "^.*OPTIONS\\]\n|\n\n`.*$" "" help "${help}")
string(REGEX REPLACE "\n  ([a-z]+) +" "\n.TP\n.B \\1\n" commands "${help}")
configure_file(${source}/deploy/package/chorus.1.in ${made}/chorus.1 @ONLY)
file(INSTALL ${made}/chorus.1 DESTINATION ${prefix}/${mandir}/man1)

# Debian's place for both
file(READ ${source}/LICENSE license)
file(READ ${source}/NOTICE notice)
file(WRITE ${made}/copyright "${license}\n\n${notice}")
file(INSTALL ${made}/copyright DESTINATION ${prefix}/${docdir})

# The administrator's own file stays.
if(EXISTS $ENV{DESTDIR}${configuration})
  message(STATUS "Kept: $ENV{DESTDIR}${configuration}")
else()
  file(INSTALL ${made}/chorus.conf DESTINATION ${sysconfdir}/chorus)
endif()
file(INSTALL ${made}/chorus.conf DESTINATION ${prefix}/${docdir}/examples)
