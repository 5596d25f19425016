-- Removes videos whose keys have expired from the sets of all videos.
-- ARGV  1 the last use of such a video, us, at most  2... empty, or in a Cluster the ends of keys (shared/shard.lua) that this
--       server has
for i = 2, #ARGV do
    for _, set in ipairs({'chorus:mapped', 'chorus:uncommented', 'chorus:unmapped'}) do
        redis.pcall('ZREMRANGEBYSCORE', set .. ARGV[i], '-inf', ARGV[1])
    end
end
return 1
