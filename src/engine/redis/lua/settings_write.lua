#!lua flags=allow-oom
-- Writes the settings of a video, or removes them.
-- KEYS  settings    ARGV  1 video  2 its settings, empty: none  3 how many videos may have some, 0: any
-- Returns 1, or 0 if there are too many.
if ARGV[2] == '' then
    redis.call('HDEL', KEYS[1], ARGV[1])
    return 1
end
local most = tonumber(ARGV[3])
if most > 0 and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= most then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
