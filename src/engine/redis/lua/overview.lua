-- Needs: each_shard
-- Totals, the newest comments and mappings.
-- ARGV  1 how many comments  2 how many mappings  3... empty, or in a Cluster the ends of keys (shared/shard.lua) that this
--       server has
-- Returns {{ends that could not be read...}, {comments, mappings, {when, json, ...}, {when it was used, us, video, reader, ...}}},
-- each list the newest first.
local comments, mappings, newest, mapped = 0, 0, {}, {}
-- What may fail comes first: of an end that cannot be read nothing may count.
local function read(shard)
    local count = redis.call('GET', 'chorus:comments' .. shard)
    local jsons = count and redis.call('LRANGE', 'chorus:newest' .. shard, 0, ARGV[1] - 1) or {}
    local known = redis.call('ZCARD', 'chorus:mapped' .. shard)
    local unmapped = known > 0 and redis.call('ZCARD', 'chorus:unmapped' .. shard) or 0
    local videos = known > 0 and redis.call('ZREVRANGE', 'chorus:mapped' .. shard, 0, ARGV[2] - 1, 'WITHSCORES') or {}
    local readers = {}
    for i = 1, #videos, 2 do
        local reader = redis.call('GET', shard == '' and 'video:' .. videos[i] .. ':reader' or '{video:' .. videos[i] .. '}:reader')
        if reader then readers[#readers + 1] = {videos[i + 1], videos[i], reader} end -- else it has been dropped since
    end
    comments = comments + (tonumber(count) or 0)
    mappings = mappings + math.max(known - unmapped, 0)
    for _, json in ipairs(jsons) do
        newest[#newest + 1] = {string.match(json, '"timestamp":"([^"]*)"') or '', json, #newest}
    end
    for _, reader in ipairs(readers) do mapped[#mapped + 1] = reader end
end
local missed = each_shard(3, read)
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
return {missed, {comments, mappings, jsons, list}}
