-- What an attempt turned out to be: forget tallies, or take one failure back. See backoff.py.
-- KEYS: the tallies to forget, the tallies to take one failure back from, the mark of a familiar pair (optional)
-- ARGV: now in milliseconds, how many to forget, how many to take back from, seconds for which the mark is kept
local now = tonumber(ARGV[1])
local forget, give_back = tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 1, forget do
  redis.call('DEL', KEYS[i])
end
for i = forget + 1, forget + give_back do
  local known = redis.call('GET', KEYS[i])
  if known then
    local counted, open_at = string.match(known, '^(%d+) (%d+)$')
    counted, open_at = math.max(0, tonumber(counted) - 1), math.min(tonumber(open_at), now)
    redis.call('SET', KEYS[i], string.format('%d %.0f', counted, open_at), 'KEEPTTL')
  end
end
if #KEYS > forget + give_back then
  redis.call('SET', KEYS[#KEYS], '1', 'EX', ARGV[4])
end
