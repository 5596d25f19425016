-- Needs: each_shard
-- Removes videos whose keys have expired from the sets of all videos.
-- ARGV  1 the last use of such a video, us, at most  2... empty, or in a Cluster the ends of keys (shared/shard.lua) that this
--       server has
-- Returns {{ends that could not be read...}, 1}.
local missed = each_shard(2, function(shard)
    for _, set in ipairs({'chorus:mapped', 'chorus:uncommented', 'chorus:unmapped'}) do
        redis.call('ZREMRANGEBYSCORE', set .. shard, '-inf', ARGV[1])
    end
end)
return {missed, 1}
