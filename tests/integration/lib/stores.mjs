// The store of a system, as its set-up and the scenario want it.
import { RedisCluster } from './cluster.mjs';
import { RedisPair, RedisServer } from './redis.mjs';
import { WatchedRedis } from './sentinel.mjs';

const kinds = { sentinel: WatchedRedis, cluster: RedisCluster };

// redis: what the scenario asks for: the options of its set-up's kind, or a store that it has made.
export function makeStore(setup, redis) {
  if (redis instanceof RedisPair || redis instanceof WatchedRedis || redis instanceof RedisCluster) return redis;
  return new (kinds[setup] ?? RedisServer)(redis);
}
