-- Returns a video's set of readers, and keeps it where Redis takes writes.
-- KEYS  set    ARGV  1 how long it is kept unused, ms
-- Returns "<generation> <text>", or nil.
local set = redis.call('GET', KEYS[1])
if set then redis.pcall('PEXPIRE', KEYS[1], ARGV[1]) end
return set
