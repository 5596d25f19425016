-- Needs: shard, admission_begin, admit, admission_end, audit
-- Bans a user, or lifts the ban.
-- KEYS  1 room  2 bans  3 audit trail    ARGV  1 video  2 user  3 for how long, ms, 0: lift it, below 0: until it is lifted  4 1: shadow
-- 5 a room for a video that has none  6 for how long it is kept unused, ms  7 how many videos there may be, 0: any
-- 8 how many bans  9 a note, or empty
-- Returns {until, ms, or 0}, {} if the ban was lifted, or {"full"}.
if ARGV[3] == '0' then
    if redis.call('HDEL', KEYS[2], ARGV[2]) == 1 then audit(KEYS[3], ARGV[9], ARGV[6]) end
    return {}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most = tonumber(ARGV[8])
if redis.call('HLEN', KEYS[2]) >= most and redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then
    local all = redis.call('HGETALL', KEYS[2])
    for i = 1, #all, 2 do
        local until_ms = tonumber(string.match(all[i + 1], '^%d+'))
        if until_ms > 0 and until_ms <= now then redis.call('HDEL', KEYS[2], all[i]) end
    end
    if redis.call('HLEN', KEYS[2]) >= most then return {'full'} end
end
if not admission()(ARGV[1], tonumber(ARGV[7])) then return {'full'} end
local until_ms = '0'
if tonumber(ARGV[3]) > 0 then until_ms = string.format('%.0f', now + tonumber(ARGV[3])) end
redis.call('SET', KEYS[1], redis.call('GET', KEYS[1]) or ARGV[5], 'PX', ARGV[6])
redis.call('HSET', KEYS[2], ARGV[2], until_ms .. ' ' .. ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
audit(KEYS[3], ARGV[9], ARGV[6])
return {until_ms}
