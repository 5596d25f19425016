-- Needs: allow_oom, shard, admission_begin, admit, admission_end, position, audit
-- Appends an entry that is no comment, and takes the comments that it retracts or purges out of the log: all of it or
-- nothing. Their numbers are kept beside the log for as long as its entries are: so a hole in it is known to be one.
-- The room changes as well (room_amend() in engine/room.h): its 1st field, the revision, with its 11th, whether the video is
-- over, or its 12th, the comment that is pinned.
-- KEYS  1 log  2 position  3 room  4 numbers taken out: a sorted set, by when  5 audit trail
-- ARGV  1-5 as in position.lua  6 latest moment to do it, ms  7 the entry's kind  8 its body  9 the comment that it is
--       about, or empty  10 the user whose comments go, or empty  11 a room for a video that has none  12 a note, or empty  13 as the last one of append.lua
-- Returns {"ok", id, prev or "", how many were taken out}; {"done"} if the comment has been taken out, or the video has
-- ended, before; {"none"} if there is no such comment; {"full"} and {"late"} as append.lua.
if now > tonumber(ARGV[6]) then return {'late', text_of(now)} end
local RETRACT, PIN, START, END, NONE, CHUNK = '2', '4', '5', '6', '0-0', 500
local target, user = ARGV[9], ARGV[10]
local gone, texts = {}, {} -- ids, and their JSON

-- Returns the JSON of a comment that is kept.
local function comment_of(entry)
    local fields = entry[2]
    if fields[1] ~= 't' or fields[3] ~= 'j' or #fields > 4 or (tonumber(fields[2]) or 0) < now - ARGV[4] then return nil end
    return not string.find(fields[4], '^{"id":"[%d-]+"}$') and not string.find(fields[4], '^{"id":"[%d-]+","prev":"[%d-]+"}$')
        and fields[4] or nil
end

local function take(entry, json)
    gone[#gone + 1], texts[#texts + 1] = entry[1], json
end

if target ~= '' then
    local entry = redis.call('XRANGE', KEYS[1], target, target)[1]
    local json = entry and comment_of(entry)
    if not json then
        local before = ARGV[7] == RETRACT and not entry and redis.call('ZSCORE', KEYS[4], target)
        return {before and 'done' or 'none'}
    end
    if ARGV[7] == RETRACT then take(entry, json) end
end
if user ~= '' then
    local from, member = '-', '"userid":"' .. user .. '"'
    repeat
        local read = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', CHUNK)
        for _, entry in ipairs(read) do
            local json = comment_of(entry)
            if json and string.find(json, member, 1, true) then take(entry, json) end
            from = '(' .. entry[1]
        end
    until #read < CHUNK
end

local old_room, new_room, fields = redis.call('GET', KEYS[3]), nil, {}
for field in string.gmatch(old_room or ARGV[11], '%S+') do fields[#fields + 1] = field end
local was_over, was_pinned = fields[11] or '0', fields[12] or NONE
local over, pinned = was_over, was_pinned
if ARGV[7] == START then over = '0' end
if ARGV[7] == END then over = '1' end
if ARGV[7] == PIN then pinned = target ~= '' and target or NONE end
for i = 1, #gone do
    if gone[i] == pinned then pinned = NONE end
end
if over ~= was_over or pinned ~= was_pinned then
    fields[1], fields[11], fields[12] = text_of(fields[1] + 1), over, pinned
    new_room = table.concat(fields, ' ')
elseif ARGV[7] == END then
    return {'done'}
end

local at, epoch, seq, at_run, prevs = read_position()
local run = read_run()
if not run then return redis.error_reply(NO_MASTER) end
local said = ''
if not at and not admission()(string.sub(ARGV[3], 7), tonumber(ARGV[#ARGV])) then return {'full'} end
if at_run ~= run or (ARGV[1] ~= '' and ARGV[1] ~= at) then
    local _, _, _, enter_epoch = epochs()
    epoch, seq, prevs, said = enter_epoch(at, epoch, seq, at_run, run, prevs)
    if not epoch then return seq end
end
local id = text_of(epoch) .. '-' .. text_of(seq + 1)
if new_room then redis.call('SET', KEYS[3], new_room, 'PX', ARGV[5]) end
local problem = store(id, run, prevs, compose(id, said, '', ARGV[7]), ARGV[7], ARGV[8], false)
if problem then
    if new_room and old_room then redis.pcall('SET', KEYS[3], old_room, 'PX', ARGV[5]) end
    if new_room and not old_room then redis.pcall('DEL', KEYS[3]) end
    return problem
end

for i = 1, #gone do
    redis.call('XDEL', KEYS[1], gone[i])
    redis.call('ZADD', KEYS[4], text_of(now), gone[i])
    redis.pcall('LREM', 'chorus:newest' .. SHARD, 0, texts[i])
end
if user ~= '' then -- the list of the newest may have what the log does not keep any more
    local member, of = '"userid":"' .. user .. '"', '"videoid":"' .. string.sub(ARGV[3], 7) .. '"'
    for _, json in ipairs(redis.pcall('LRANGE', 'chorus:newest' .. SHARD, 0, -1)) do
        if string.find(json, member, 1, true) and string.find(json, of, 1, true) then redis.pcall('LREM', 'chorus:newest' .. SHARD, 0, json) end
    end
end
if #gone > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', text_of(now - ARGV[4]))
    redis.call('PEXPIRE', KEYS[4], ARGV[4])
end
audit(KEYS[5], ARGV[12], ARGV[5])
return {'ok', id, said, #gone}
