-- For scripts whose arguments end with the ends of keys (shard.lua) that this server has, elsewhere with an empty one: calls
-- read() with each, from this argument on. Returns which of them, counted from 0, could not be read: another server has
-- them, such as the one that was promoted in this one's place, or some of their keys. An end that is asked for by itself
-- comes with a key of its own, by which Redis says where it is; what fails then is the script's error.
local function each_shard(first, read)
    local missed = {}
    for i = first, #ARGV do
        if ARGV[i] == '' or #KEYS > 0 then
            read(ARGV[i])
        elseif not pcall(read, ARGV[i]) then
            missed[#missed + 1] = i - first
        end
    end
    return missed
end
