-- Needs: shard_of_count, admission_begin, admit, admission_end, position, gate
-- Numbers, logs, counts and publishes one entry: all of it or nothing.
-- KEYS  1 log  2 position  3 count of all comments; with a token: 4 tokens  5 older tokens  6 count of all tokens
--       7 the key in which an earlier version keeps this token; with a gate, the last one: room
-- ARGV  1-5 as in position.lua  6 latest moment to do it, ms  7 `<!, if there is no age><entries to keep> <and those younger
--       than this, ms> <as long as all take no more than this many bytes>`: in one, as each costs  8 the entry's kind,
--       0: a tombstone, 1: a comment  9 its body: the members of an object; with a token: 10 its name  11 its digest
--       12 its moment, ms; with a gate, the last but one: `<+, if it is to wait><author> <hash of the text> <its length>
--       <id> <checks> <badges>`; the last one: how many videos there may be, 0: any, -1: it is no video
-- Returns {"ok", id, prev or "", 1 if the video is new}; {"repeat", id, moment} of the first with this token; {"whole",
-- json} of one that an earlier version stored; {"reused"} if the first had another digest; {"refused",
-- why, number, how many wait} if the room does not admit it; {"full"} if there are too many videos; or {"late"}: the caller has already
-- answered that it failed.
if now > tonumber(ARGV[6]) then return {'late', text_of(now)} end
local gated = #KEYS % 4 == 0
local room = gated and redis.call('GET', KEYS[#KEYS])
local at, epoch, seq, at_run, prevs = read_position()

local remember -- keeps the token for an entry
if KEYS[7] then
    local TOKENS, TOKENS_WHEN_MANY = 25000, 100 -- of a video in each of its two hashes
    local TOKENS_IN_ALL = SHARD == '' and 1000000 or 2 * TOKENS -- here, or in a slot of a Cluster
    -- A repeat stores nothing, but its answer replaces what the caller knows: what was lost of that is announced first.
    -- Returns an error reply, or nil.
    local function announce_before_repeat()
        if not at or ARGV[1] == '' or ARGV[1] == at then return end
        local find_loss, announce_loss = epochs()
        local kept = find_loss(at, prevs)
        if not kept then return end
        local run = read_run()
        if not run then return redis.error_reply(NO_MASTER) end
        local loss, problem = announce_loss(at, kept, run, prevs)
        return not loss and problem or nil
    end

    local young = redis.call('HGET', KEYS[4], ARGV[10])
    local token = young or redis.call('HGET', KEYS[5], ARGV[10])
    if token then
        redis.pcall('PEXPIRE', young and KEYS[4] or KEYS[5], ARGV[4]) -- a write: so WAIT confirms the first one, too
        if string.sub(token, 1, 16) ~= ARGV[11] then return {'reused'} end
        local id, at_ms = string.match(token, '^(%S+) (%S+)$', 17)
        return announce_before_repeat() or {'repeat', id, at_ms}
    end
    local whole = redis.call('GET', KEYS[7])
    if whole then return {'whole', whole} end

    -- Counts a token in a window of half their life. Returns about how many of all videos there are.
    local function count_tokens()
        local window = math.floor(now / math.max(ARGV[4] / 2, 1))
        local count = redis.call('HINCRBY', KEYS[6], text_of(window), 1)
        if count == 1 then
            for _, old in ipairs(redis.call('HKEYS', KEYS[6])) do
                if math.abs(tonumber(old) - window) > 2 then redis.call('HDEL', KEYS[6], old) end
            end
            redis.call('PEXPIRE', KEYS[6], 2 * ARGV[4])
        end
        local before = redis.call('HMGET', KEYS[6], text_of(window - 1), text_of(window - 2))
        return count + (tonumber(before[1]) or 0) + (tonumber(before[2]) or 0)
    end

    -- A video's tokens are in two hashes: when the younger is full, it becomes the older. Where there are too many of
    -- all videos, it is full much sooner.
    local function keep(id)
        local most = count_tokens() > TOKENS_IN_ALL and TOKENS_WHEN_MANY or TOKENS
        if redis.call('HLEN', KEYS[4]) >= most then
            redis.call('UNLINK', KEYS[5])
            redis.call('RENAME', KEYS[4], KEYS[5])
        end
        redis.call('HSET', KEYS[4], ARGV[10], ARGV[11] .. id .. ' ' .. ARGV[12])
        redis.call('PEXPIRE', KEYS[4], ARGV[4])
    end
    remember = function(id)
        local ok, why = pcall(keep, id)
        if not ok then return redis.error_reply(type(why) == 'table' and why.err or why) end
    end
end

local run = read_run()
if not run then return redis.error_reply(NO_MASTER) end
local note -- notes for the room that the comment was accepted
local holds = gated and string.byte(ARGV[#ARGV - 1]) == 43
if room or holds then
    local refused
    if holds and not at and not admission()(string.sub(ARGV[3], 7), tonumber(ARGV[#ARGV])) then return {'full'} end
    refused, note = gate()(room or '0 0 0 0 0 0 0 0 0 *', string.sub(KEYS[#KEYS], 1, -5), ARGV[#ARGV - 1])
    if refused then return refused end
end
local new, said = 0, '' -- said: the prev that this entry carries
if not at then
    local videos = tonumber(ARGV[#ARGV])
    if videos >= 0 and not admission()(string.sub(ARGV[3], 7), videos) then return {'full'} end
    new = 1
end
local loses = at_run ~= run or (not at and ARGV[1] ~= '')
if not loses and ARGV[1] ~= '' and ARGV[1] ~= at then -- while others append, what the caller knows is of this epoch, but before `at`
    local dash = string.find(at, '-', 1, true)
    loses = string.sub(ARGV[1], 1, dash) ~= string.sub(at, 1, dash) or tonumber(string.sub(ARGV[1], dash + 1)) > seq
end
if loses then
    local _, _, _, enter_epoch = epochs()
    epoch, seq, prevs, said = enter_epoch(at, epoch, seq, at_run, run, prevs)
    if not epoch then return seq end
end
seq = seq + 1
local id = text_of(epoch) .. '-' .. text_of(seq)

local is_comment, kind = ARGV[8] == '1', nil
if not is_comment and ARGV[8] ~= '0' then kind = ARGV[8] end
local json = compose(id, said, is_comment and ARGV[9] or '', kind)
local problem = store(id, run, prevs, json, kind, ARGV[9], is_comment, remember)
if problem then return problem end
if note then
    pcall(note)
    if seq % 16 == 0 then
        redis.pcall('PEXPIRE', KEYS[#KEYS], ARGV[5])
        redis.pcall('PEXPIRE', string.sub(KEYS[#KEYS], 1, -5) .. 'bans', ARGV[5])
    end
end
if is_comment then -- together with the count; no comment fails because of it
    local listed = redis.pcall('LPUSH', 'chorus:newest' .. SHARD, json)
    if type(listed) == 'number' and listed > (SHARD == '' and 64 or 16) then redis.pcall('LTRIM', 'chorus:newest' .. SHARD, 0, 9) end
end
if seq <= 2 then redis.pcall('ZREM', 'chorus:uncommented' .. SHARD, string.sub(ARGV[3], 7)) end
if seq % 16 == 0 or string.byte(ARGV[7]) == 33 then
    -- The log may grow beyond what is kept: it is trimmed with every 16th entry, by one look at the entry that would be the
    -- newest to go.
    local function trim()
        local most, age, most_bytes = string.match(ARGV[7], '(%d+) (%d+) (%d+)')
        most = tonumber(most)
        local youngest = now - age
        if age == '0' then return redis.call('XTRIM', KEYS[1], 'MAXLEN', most) end
        local length = redis.call('XLEN', KEYS[1])
        if length <= most then return end

        local function is_old(id)
            local entry = redis.call('XRANGE', KEYS[1], id, '+', 'COUNT', 1)[1]
            return entry and tonumber(entry[2][2]) < youngest
        end
        if seq > most and is_old(text_of(epoch) .. '-' .. text_of(seq - most)) then
            return redis.call('XTRIM', KEYS[1], 'MAXLEN', most)
        end
        local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
        local first_epoch, first_seq = string.match(first, '^(%d+)%-(%d+)$')
        local step, to = math.min(32, length - most), nil
        while step > 0 and is_old(first_epoch .. '-' .. text_of(first_seq + step)) do
            to = first_epoch .. '-' .. text_of(first_seq + step)
            step = 2 * step <= length - most and 2 * step or 0
        end
        if to then redis.call('XTRIM', KEYS[1], 'MINID', to) end
        if seq % 64 ~= 0 then return end
        local bytes = redis.pcall('MEMORY', 'USAGE', KEYS[1])
        if type(bytes) == 'table' then return redis.call('XTRIM', KEYS[1], 'MAXLEN', most) end -- no right to ask
        if bytes > tonumber(most_bytes) then
            redis.call('XTRIM', KEYS[1], 'MAXLEN', math.max(most, math.floor(length * most_bytes / bytes * 0.9)))
        end
    end
    pcall(trim)
end
return {'ok', id, said, new}
