-- Names of videos, of the first of these shards that has any from an offset on; the one used last first.
-- ARGV  1 offset in the first  2 how many  3... empty, or in a Cluster the ends of keys (shared/shard.lua) that this server has
-- Returns {how many shards are read to their end, names...}.
local offset, most = tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 3, #ARGV do
    local ok, names = pcall(redis.call, 'ZREVRANGE', 'chorus:mapped' .. ARGV[i], offset, offset + most - 1)
    if ok and #names > 0 then
        table.insert(names, 1, #names < most and i - 2 or i - 3)
        return names
    end
    offset = 0
end
return {#ARGV - 2}
