-- Needs: each_shard
-- Totals, the newest comments and mappings.
-- ARGV  1 how many comments  2 how many mappings  3... empty, or in a Cluster the ends of keys (shared/shard.lua) that this
--       server has
-- Returns {comments, mappings, {when, json, ...}, {when it was used, us, video, reader, ...}}, each list the newest first.
local comments, mappings, newest, mapped = 0, 0, {}, {}
local function read(shard)
    local count = redis.call('GET', 'chorus:comments' .. shard)
    comments = comments + (tonumber(count) or 0)
    for _, json in ipairs(count and redis.call('LRANGE', 'chorus:newest' .. shard, 0, ARGV[1] - 1) or {}) do
        newest[#newest + 1] = {string.match(json, '"timestamp":"([^"]*)"') or '', json, #newest}
    end
    local known = redis.call('ZCARD', 'chorus:mapped' .. shard)
    if known == 0 then return end
    mappings = mappings + math.max(known - redis.call('ZCARD', 'chorus:unmapped' .. shard), 0)
    local videos = redis.call('ZREVRANGE', 'chorus:mapped' .. shard, 0, ARGV[2] - 1, 'WITHSCORES')
    for i = 1, #videos, 2 do
        local reader = redis.call('GET', shard == '' and 'video:' .. videos[i] .. ':reader' or '{video:' .. videos[i] .. '}:reader')
        if reader then mapped[#mapped + 1] = {videos[i + 1], videos[i], reader} end -- else it has been dropped since
    end
end
each_shard(3, read)
if #ARGV > 3 then
    table.sort(newest, function(a, b) return a[1] > b[1] or (a[1] == b[1] and a[3] < b[3]) end)
    table.sort(mapped, function(a, b) return tonumber(a[1]) > tonumber(b[1]) end)
end
local jsons, list = {}, {}
for i = 1, math.min(#newest, tonumber(ARGV[1])) do
    jsons[#jsons + 1] = newest[i][1]
    jsons[#jsons + 1] = newest[i][2]
end
for i = 1, math.min(#mapped, tonumber(ARGV[2])) do
    for _, item in ipairs(mapped[i]) do list[#list + 1] = item end
end
return {comments, mappings, jsons, list}
