-- Needs: each_shard
-- Reads the comments that wait and are due, of any video.
-- ARGV  1 how many  2... empty, or in a Cluster the ends of keys (shared/shard.lua) that this server has
-- Returns {{ends that could not be read...}, {video, id, record, ...}}, in the order in which they became due. A record reads as
-- append.lua writes it.
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000000 + time[2])
local found = {}
local function read(shard)
    local key = 'chorus:held' .. shard
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, ARGV[1])) do
        local id, video = string.match(member, '^(%S+) (.+)$')
        local record = redis.call('HGET', '{video:' .. video .. '}:held', id)
        if record then
            local n = #found
            found[n + 1], found[n + 2], found[n + 3] = video, id, record
        else
            redis.call('ZREM', key, member) -- its video has been evicted
        end
    end
end
local missed = each_shard(2, read)
return {missed, found}
