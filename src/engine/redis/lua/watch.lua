-- Needs: allow_oom, shard, admit
-- Notes which videos are watched, or are not any more.
-- KEYS  chorus:watched    ARGV  1 how long a mapping is kept unused, ms  2 1 if they are watched  3... videos
local at = watch_clock()

-- Whether more than one process has subscribed: another one may still have viewers, and if not the note expires.
local function is_shared(video)
    local subscribers = redis.pcall('PUBSUB', SHARD == '' and 'NUMSUB' or 'SHARDNUMSUB', 'video:' .. video)
    return subscribers[2] and subscribers[2] > 1
end

for i = 3, #ARGV do
    if ARGV[2] == '1' then
        redis.call('ZADD', KEYS[1], digits(at), ARGV[i])
        if redis.call('PEXPIRE', mapping_of(ARGV[i]), ARGV[1]) == 1 then mark_used(ARGV[i]) end
    elseif not is_shared(ARGV[i]) then
        redis.call('ZREM', KEYS[1], ARGV[i])
    end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', digits(at - WATCHED_MS))
return #ARGV - 2
