-- Needs: allow_oom, shard, admit
-- Drops a mapping, if it is the expected one.
-- KEYS  mapping    ARGV  1 video  2 expected
-- Returns 1 if it did.
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
if redis.call('EXISTS', '{video:' .. ARGV[1] .. '}:pos', '{video:' .. ARGV[1] .. '}:room') == 0 then
    forget(ARGV[1])
else
    redis.call('ZADD', 'chorus:unmapped' .. SHARD, digits(next_use()), ARGV[1])
end
return 1
