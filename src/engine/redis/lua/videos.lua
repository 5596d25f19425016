-- Names of videos, of the first of these shards that has any from an offset on; the one used last first.
-- ARGV  1 offset in the first  2 how many  3... empty, or in a Cluster the ends of keys (shared/shard.lua) that this server has;
--       by itself with a key, as in shared/each_shard.lua
-- Returns {how many shards are read to their end, names...}. {0} without a name: the first cannot be read here.
local offset, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local function read(shard) return redis.call('ZREVRANGE', 'chorus:mapped' .. shard, offset, offset + most - 1) end
if ARGV[3] == '' or #KEYS > 0 then
    local names = read(ARGV[3])
    table.insert(names, 1, #names < most and 1 or 0)
    return names
end
for i = 3, #ARGV do
    local ok, names = pcall(read, ARGV[i])
    if not ok then return {i - 3} end
    if #names > 0 then
        table.insert(names, 1, #names < most and i - 2 or i - 3)
        return names
    end
    offset = 0
end
return {#ARGV - 2}
