#!lua flags=allow-oom
-- Deletes the row of a reader, if its stamp is still the one that was seen.
-- KEYS  1 readers  2 chorus:{readers}:load    ARGV  1 reader  2 stamp
local stamp = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^%d+')
if stamp ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
