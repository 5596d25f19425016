#!lua flags=allow-oom
-- Reads the comments that wait and are due, of any video.
-- KEYS  1 chorus:held    ARGV  1 how many
-- Returns {video, id, record, ...}, in the order in which they became due. A record reads as append.lua writes it.
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000000 + time[2])
local found = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
    local id, video = string.match(member, '^(%S+) (.+)$')
    local record = redis.call('HGET', '{video:' .. video .. '}:held', id)
    if record then
        local n = #found
        found[n + 1], found[n + 2], found[n + 3] = video, id, record
    else
        redis.call('ZREM', KEYS[1], member) -- its video has been evicted
    end
end
return found
