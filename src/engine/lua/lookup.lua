-- Gives a mapping, and marks it as used.
-- KEYS  mapping    ARGV  1 video  2 how long a mapping is kept unused, ms
-- Returns the reader, or nil.
local reader = redis.call('GETEX', KEYS[1], 'PX', ARGV[2])
if reader then mark_used(ARGV[1]) end
return reader
