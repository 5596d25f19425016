-- Needs: shard, admit
-- Returns a mapping, and marks it as used where Redis takes writes. (A script with flags would count as one that writes, and
-- be refused where it does not.)
-- KEYS  mapping    ARGV  1 video  2 how long a mapping is kept unused, ms
-- Returns the reader, or nil.
local reader = redis.call('GET', KEYS[1])
if reader then
    redis.pcall('PEXPIRE', KEYS[1], ARGV[2])
    pcall(mark_used, ARGV[1])
end
return reader
