-- Erases one user's comments from one video's log in Redis:
--   redis-cli --eval deploy/erase/user.lua '{video:launch}:log' , ann
-- and, as chorus:newest instead, from the list of the newest comments of all videos. A comment stays in its place, with the
-- user `erased` and the text `[erased]`: so numbers and positions stay, and no viewer gets a gap. Returns how many there were.
local key, user = KEYS[1], ARGV[1]

-- The JSON of a comment without what is the user's; nil for any other.
local function erased(json)
    local ok, comment = pcall(cjson.decode, json)
    if not ok or type(comment) ~= 'table' or comment.userid ~= user then return nil end
    local head = string.match(json, '^{"id":"[^"]*","prev":"[^"]*"') or string.match(json, '^{"id":"[^"]*"')
    return (head and head .. ',' or '{') .. '"userid":"erased","videoid":"' .. comment.videoid .. '","comment":"[erased]","timestamp":"'
        .. comment.timestamp .. '"}'
end

local count = 0
if redis.call('TYPE', key).ok == 'list' then
    for i, json in ipairs(redis.call('LRANGE', key, 0, -1)) do
        local instead = erased(json)
        if instead then
            redis.call('LSET', key, i - 1, instead)
            count = count + 1
        end
    end
    return count
end

-- The entries of a stream cannot be changed, so the stream is made again beside it, and takes its place.
local copy = key .. ':copy'
redis.call('DEL', copy)
for _, entry in ipairs(redis.call('XRANGE', key, '-', '+')) do
    local id, fields = entry[1], entry[2]
    for i = 1, #fields, 2 do
        local instead = fields[i] == 'j' and erased(fields[i + 1])
        if instead then
            fields[i + 1] = instead
            count = count + 1
        end
    end
    redis.call('XADD', copy, id, unpack(fields))
end
if count == 0 then
    redis.call('DEL', copy)
    return 0
end
local left_ms = redis.call('PTTL', key)
redis.call('RENAME', copy, key)
if left_ms > 0 then redis.call('PEXPIRE', key, left_ms) end
return count
