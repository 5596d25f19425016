#!lua flags=allow-oom
-- Drops a comment that waits.
-- KEYS  1 held  2 chorus:held    ARGV  1 video  2 id
-- Returns {1 if it did wait, how many of the video still do}.
redis.call('ZREM', KEYS[2], ARGV[2] .. ' ' .. ARGV[1])
return {redis.call('HDEL', KEYS[1], ARGV[2]), redis.call('HLEN', KEYS[1])}
